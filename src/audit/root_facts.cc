#include "audit/root_facts.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "audit/ledger_lines.h"
#include "audit/root_events.h"
#include "base/base64.h"

namespace pawl::audit {
namespace {

using simdjson::dom::element;

constexpr std::size_t kSmallFileMax = 16 << 20;
constexpr std::size_t kKeysMax = 1000;
constexpr std::size_t kFactsMax =
    4'000'000;  // shards and claims: a bound on memory, not on honest archives

// Builds the facts, event by event.
class RootReader {
 public:
  RootReader(ArchiveView& archive, const RootOptions& options, Report& report)
      : archive_(archive), options_(options), report_(report) {}

  Result<RootFacts> read() {
    PAWL_TRY(read_identity());
    // The tip first: a server that is writing keeps the chains ahead of it, never behind.
    PAWL_ASSIGN_OR_RETURN(const auto tip, archive_.read(".pawl/tip", 0, kSmallFileMax));
    PAWL_TRY(read_chain(
        archive_, "root", [this](const RawLine& line) { return take(line); },
        [](std::uint64_t) {}));
    if (pages_ == 0) damaged("the root chain is missing or empty");
    if (tip) take_tip(*tip);
    add_checkpoint_claims();
    resolve_lineages();
    return std::move(facts_);
  }

 private:
  void damaged(std::string detail) {
    Finding finding{FindingKind::kDamagedRoot, {}, {}, {}, {}, "root", {}, pages_,
                    std::move(detail)};
    report_.add(std::move(finding));
  }

  void complain(std::string_view what) {
    if (!what.empty()) damaged(std::string(what));
  }

  Status read_identity() {
    PAWL_ASSIGN_OR_RETURN(const auto text, archive_.read(".pawl/archive.json", 0, 4096));
    element document;
    if (!text || parser_.parse(*text).get(document) != simdjson::SUCCESS) {
      return Error{ErrorCode::kNotFound,
                   fmt::format("{} is no Pawl archive: .pawl/archive.json is missing or unreadable",
                               archive_.describe()),
                   "give the folder that holds .pawl/ and the objects"};
    }
    const auto format = text_at(document, "format");
    if (format != "pawl-archive/1") {
      return Error{ErrorCode::kInvalid,
                   fmt::format("{} has the format \"{}\", and this pawl reads pawl-archive/1",
                               archive_.describe(), format),
                   "use a newer pawl"};
    }
    facts_.archive_id = text_at(document, "archive");
    report_.archive_id = facts_.archive_id;
    return ok();
  }

  // One line of the root chain; false to stop.
  bool take(const RawLine& raw) {
    if (!raw.complete) {
      ++report_.torn_pages;
      return false;
    }
    std::string why;
    element page;
    const auto line = parse_page(raw, parser_, page, why);
    if (!line) {
      damaged(why);
      return false;
    }
    if (text_at(page, "format") != "pawl-root/1" || text_at(page, "chain") != "root" ||
        text_at(page, "archive") != facts_.archive_id) {
      damaged("it is no root page of this archive");
      return false;
    }
    if (number_at(page, "page") != pages_ || text_at(page, "previous") != previous_.to_hex()) {
      report_.add({FindingKind::kBrokenChain,
                   {},
                   {},
                   {},
                   {},
                   "root",
                   {},
                   pages_,
                   "it does not follow the page before it: pages were removed or rewritten"});
      return false;
    }
    const auto instant = Instant::parse(text_at(page, "instant"));
    if (!instant || *instant < instant_) damaged("its instant is missing or goes back");
    if (instant) instant_ = *instant;
    element event;
    if (page["event"].get(event) != simdjson::SUCCESS) {
      damaged("it has no event");
    } else {
      take_event(event, *line);
    }
    check_signature(*line, "root", pages_);
    if (options_.expected_head == line->digest) facts_.expected_head_found = true;
    previous_ = line->digest;
    ++pages_;
    ++report_.pages;
    return facts_count_ + facts_.opened.size() + facts_.closed.size() <= kFactsMax;
  }

  void check_signature(const LedgerLine& line, std::string chain, std::uint64_t page) {
    if (facts_.public_keys.empty()) return;
    if (!signature_holds(line, facts_.public_keys, options_.check_signature)) {
      report_.add({FindingKind::kBadSignature,
                   {},
                   {},
                   {},
                   {},
                   std::move(chain),
                   {},
                   page,
                   line.signature.empty() ? "its signature is missing"
                                          : "its signature was not made with the ledger's key"});
    }
  }

  void take_event(const element& event, const LedgerLine& line) {
    const auto type = text_at(event, "type");
    if ((pages_ == 0) != (type == "archive-created")) {
      damaged(pages_ == 0 ? "page 0 does not create the archive" : "the archive is created twice");
    }
    if (type == "archive-created") {
      take_key(event);
    } else if (type == "table-created") {
      take_table(event);
    } else if (type == "table-deleted") {
      take_deletion(event);
    } else if (type == "table-guarded") {
      complain(guarded_.take_table(event));
    } else if (type == "shard-opened") {
      complain(guarded_.take_opened(event));
    } else if (type == "shard-closed") {
      complain(guarded_.take_closed(event, fmt::format("the closing in root page {}", pages_)));
    } else if (type == "checkpoint") {
      facts_.head = line.digest;
      facts_.head_instant = instant_;
      newest_checkpoint_ =
          read_claims(event, fmt::format("the checkpoint in root page {}", pages_));
      if (options_.expected_head == line.digest) {
        facts_.expected_head_is_checkpoint = true;
        expected_checkpoint_ = newest_checkpoint_;
      }
    } else if (type == "server-started") {
      element key;
      if (event["public_key"].get(key) == simdjson::SUCCESS) take_key(event);
    } else if (type != "server-stopped" && type != "counter-reset") {
      damaged(fmt::format("its event \"{}\" is not known to this pawl", type));
    }
  }

  // From the creation of the archive, and from the start of a server that signs with another key.
  void take_key(const element& event) {
    const auto key = from_base64(text_at(event, "public_key"));
    if (options_.pinned_key) {
      facts_.public_keys = {*options_.pinned_key};
      report_.key_pinned = true;
      if (key != options_.pinned_key) {
        report_.add({FindingKind::kBadSignature,
                     {},
                     {},
                     {},
                     {},
                     "root",
                     {},
                     pages_,
                     "the archive names another signing key than the one that you gave"});
      }
    } else if (key && key->size() == 32 && facts_.public_keys.size() < kKeysMax) {
      facts_.public_keys.push_back(*key);
    }
    report_.signatures_checked = !facts_.public_keys.empty();
    report_.public_key = facts_.public_keys.empty() ? "" : to_base64(facts_.public_keys.back());
  }

  void take_table(const element& event) {
    const auto id = Incarnation::parse(text_at(event, "incarnation"));
    simdjson::dom::array shards;
    if (!id || event["shards"].get(shards) != simdjson::SUCCESS ||
        facts_.incarnations.contains(*id)) {
      damaged("its table-created event is malformed or repeated");
      return;
    }
    IncarnationFacts facts;
    facts.ordinal = static_cast<std::uint32_t>(facts_.incarnations.size());
    facts.table = text_at(event, "table");
    read_definition(event, facts);
    for (const element shard : shards) {
      std::string_view name;
      if (shard.get(name) != simdjson::SUCCESS || !name.starts_with(id->to_string())) {
        damaged("a shard of its table-created event does not belong to the incarnation");
        continue;
      }
      facts.shards.emplace_back(name);
      ++facts_count_;
    }
    element parent;
    if (event["parent"].get(parent) == simdjson::SUCCESS && parent.is_object()) {
      facts.parent = Incarnation::parse(text_at(parent, "incarnation"));
      simdjson::dom::array forks;
      if (parent["forks"].get(forks) == simdjson::SUCCESS) {
        for (const element fork : forks) take_fork(fork, facts);
      }
    }
    facts_.incarnations.emplace(*id, std::move(facts));
  }

  void take_fork(const element& fork, IncarnationFacts& facts) {
    const std::string shard(text_at(fork, "shard"));
    facts.forks[shard] = number_at(fork, "sequence").value_or(0);
    ++facts_count_;
    const auto page = number_at(fork, "page");
    const auto digest = Digest::parse(text_at(fork, "digest"));
    if (page && digest) {
      facts_.claims[shard].push_back(
          {*page, *digest, fmt::format("the fork in root page {}", pages_)});
    }
  }

  void take_deletion(const element& event) {
    const auto id = Incarnation::parse(text_at(event, "incarnation"));
    const auto found = id ? facts_.incarnations.find(*id) : facts_.incarnations.end();
    if (found == facts_.incarnations.end() || found->second.deleted) {
      damaged("it deletes a table that is not there");
      return;
    }
    found->second.deleted = true;
    simdjson::dom::array shards;
    if (event["shards"].get(shards) != simdjson::SUCCESS) return;
    for (const element shard : shards) {
      complain(take_end(shard, fmt::format("the deletion in root page {}", pages_), facts_));
    }
  }

  using Claims = std::map<std::string, Claim>;
  Claims read_claims(const element& parent, const std::string& source) {
    Claims claims;
    simdjson::dom::object chains;
    if (parent["chains"].get(chains) != simdjson::SUCCESS) return claims;
    for (const auto& [name, state] : chains) {
      const auto page = number_at(state, "page");
      const auto digest = Digest::parse(text_at(state, "digest"));
      if (page && digest) claims[std::string(name)] = {*page, *digest, source};
    }
    return claims;
  }

  // Only the newest checkpoint counts (each chain fixes what lies before it), and the one that
  // --head names.
  void add_checkpoint_claims() {
    for (const auto* checkpoint : {&newest_checkpoint_, &expected_checkpoint_}) {
      for (const auto& [chain, claim] : *checkpoint) facts_.claims[chain].push_back(claim);
    }
  }

  void take_tip(std::string_view text) {
    if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    std::string why;
    const auto line = parse_line(text, why);
    element tip;
    if (!line ||
        parser_.parse(line->json.data(), line->json.size()).get(tip) != simdjson::SUCCESS ||
        text_at(tip, "archive") != facts_.archive_id) {
      report_.add({FindingKind::kDamagedPage,
                   {},
                   {},
                   {},
                   {},
                   "tip",
                   {},
                   {},
                   line ? "it is no tip of this archive" : why});
      return;
    }
    check_signature(*line, "tip", 0);
    if (options_.expected_head == line->digest) facts_.expected_head_found = true;
    element root;
    if (tip["root"].get(root) == simdjson::SUCCESS) {
      const auto page = number_at(root, "page");
      if (page && *page >= pages_) {
        report_.add({FindingKind::kCutOff,
                     {},
                     {},
                     {},
                     {},
                     "root",
                     {},
                     *page,
                     fmt::format("the tip names this page, and the chain ends at page {}",
                                 pages_ == 0 ? 0 : pages_ - 1)});
      } else if (page && *page + 1 == pages_ && text_at(root, "digest") != previous_.to_hex()) {
        report_.add({FindingKind::kBrokenChain,
                     {},
                     {},
                     {},
                     {},
                     "root",
                     {},
                     *page,
                     "its digest is not the one that the tip names"});
      }
    }
    for (auto& [chain, claim] : read_claims(tip, "the tip")) facts_.claims[chain].push_back(claim);
    simdjson::dom::object chains;
    if (tip["chains"].get(chains) != simdjson::SUCCESS) return;
    for (const auto& [name, state] : chains) {
      if (const auto heartbeat = Instant::parse(text_at(state, "heartbeat"))) {
        facts_.heartbeats[std::string(name)] = *heartbeat;
      }
    }
  }

  void resolve_lineages() {
    for (auto& [id, facts] : facts_.incarnations) {
      facts.lineage = id;
      // Bounded by the number of incarnations, also if a forger makes a ring of them.
      const IncarnationFacts* at = &facts;
      for (std::size_t hops = 0; at->parent && hops < facts_.incarnations.size(); ++hops) {
        const auto found = facts_.incarnations.find(*at->parent);
        if (found == facts_.incarnations.end()) {
          damaged("an adopted table's parent is not in the root chain");
          break;
        }
        facts.lineage = found->first;
        at = &found->second;
      }
    }
  }

  ArchiveView& archive_;
  const RootOptions& options_;
  Report& report_;
  RootFacts facts_;
  GuardedEvents guarded_{facts_, report_};
  simdjson::dom::parser parser_;
  std::uint64_t pages_ = 0;
  std::size_t facts_count_ = 0;
  Digest previous_;
  Instant instant_;
  Claims newest_checkpoint_;
  Claims expected_checkpoint_;
};

}  // namespace

Result<RootFacts> read_root(ArchiveView& archive, const RootOptions& options, Report& report) {
  return RootReader(archive, options, report).read();
}

}  // namespace pawl::audit

#include "audit/history_content.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "audit/body_facts.h"
#include "audit/kept_reader.h"
#include "audit/kept_unsealed.h"
#include "audit/object_digest.h"

namespace pawl::audit {
namespace {

using Content = HistoryEntry::Content;

// What stands under a path, if it is what the entry's page says; how it is not, else.
Result<Content> read_content(ArchiveView& archive, const std::string& path, HistoryEntry& entry) {
  // One byte more than is shown, to see whether anything is behind that.
  PAWL_ASSIGN_OR_RETURN(auto body, archive.read(path, 0, kBodySizeMax + 1));
  if (!body) return Content::kMissing;
  if (body->size() <= kBodySizeMax) {
    if (sha256(*body) != entry.digest) return Content::kAltered;
  } else {
    if (entry.size <= kBodySizeMax) return Content::kAltered;
    PAWL_ASSIGN_OR_RETURN(const auto behind, archive.read(path, entry.size, 1));
    if (!behind || !behind->empty()) return Content::kAltered;
    PAWL_ASSIGN_OR_RETURN(const auto digest, digest_in(archive, path, entry.size));
    if (digest != entry.digest) return Content::kAltered;
    body->resize(kBodySizeMax);
  }
  entry.body = std::move(*body);
  return Content::kWhole;
}

bool is_wanted(const HistoryEntry& entry) {
  return entry.content == Content::kMissing || entry.content == Content::kAltered;
}

struct Wanted {
  HistoryEntry* entry;
  std::vector<std::string> kept;  // where its content is to be; the newest last
};
using AllWanted = std::multimap<std::pair<std::string_view, Digest>, Wanted>;

// By what the kept chain says. Gives the number of its last entry.
Result<std::uint64_t> read_entered(ArchiveView& archive, const RootFacts& facts,
                                   const RootOptions& options, AllWanted& wanted) {
  Report report;  // `verify` is who judges
  bool head_found = false;
  std::uint64_t entered = 0;
  const auto take = [&](const LedgerKept& kept) -> Status {
    entered = kept.sequence;
    const auto [begin, end] = wanted.equal_range({kept.object, kept.digest});
    for (auto at = begin; at != end; ++at) at->second.kept.emplace_back(kept.kept);
    return ok();
  };
  PAWL_TRY(read_kept(archive, facts, options, head_found, report, take, [](std::uint64_t) {}));
  for (auto& [content, one] : wanted) {
    if (one.kept.empty()) continue;
    one.entry->kept = one.kept.back();
    for (auto path = one.kept.rbegin(); path != one.kept.rend(); ++path) {
      PAWL_ASSIGN_OR_RETURN(const auto found, read_content(archive, *path, *one.entry));
      if (found == Content::kAltered) one.entry->content = found;
      if (found != Content::kWhole) continue;
      one.entry->content = found;
      one.entry->kept = *path;
      break;
    }
  }
  return entered;
}

// Among what is kept and the chain has not come to.
Status read_unsealed(ArchiveView& archive, std::uint64_t entered, AllWanted& wanted) {
  KeptUnsealed unsealed(archive, kKeptLooksMax);
  PAWL_TRY(unsealed.list(entered, [](const ArchiveView::Entry&) { return ok(); }));
  for (auto& [content, one] : wanted) {
    HistoryEntry& entry = *one.entry;
    if (!is_wanted(entry)) continue;
    PAWL_ASSIGN_OR_RETURN(const auto path, unsealed.find(entry.object, {entry.size, entry.digest}));
    if (!path) {
      if (unsealed.has_unread(entry.size)) entry.content = Content::kUnsettled;
      continue;
    }
    PAWL_ASSIGN_OR_RETURN(const auto found, read_content(archive, *path, entry));
    if (found != Content::kWhole) continue;
    entry.content = found;
    entry.kept = *path;
  }
  return ok();
}

// Contents that are not where their pages say are looked for in what a supervised bucket keeps.
Status read_kept_contents(ArchiveView& archive, const RootFacts& facts, const RootOptions& options,
                          std::vector<HistoryEntry>& entries) {
  AllWanted wanted;
  for (auto& entry : entries) {
    if (!is_wanted(entry)) continue;
    wanted.emplace(std::pair(std::string_view(entry.object), entry.digest), Wanted{&entry, {}});
  }
  if (wanted.empty()) return ok();
  PAWL_ASSIGN_OR_RETURN(const auto entered, read_entered(archive, facts, options, wanted));
  const bool left = std::any_of(wanted.begin(), wanted.end(),
                                [](const auto& one) { return is_wanted(*one.second.entry); });
  return left ? read_unsealed(archive, entered, wanted) : ok();
}

}  // namespace

Status read_contents(ArchiveView& archive, const RootFacts& facts, const RootOptions& options,
                     std::vector<HistoryEntry>& entries) {
  for (auto& entry : entries) {
    if (entry.missing || entry.lost) continue;
    PAWL_ASSIGN_OR_RETURN(entry.content, read_content(archive, entry.object, entry));
    if (entry.content != Content::kMissing) continue;
    const auto hashed = ".pawl/hashed/" + sha256(entry.object).to_hex();
    PAWL_ASSIGN_OR_RETURN(entry.content, read_content(archive, hashed, entry));
  }
  PAWL_TRY(read_kept_contents(archive, facts, options, entries));
  for (auto& entry : entries) {
    if (entry.body.empty() || entry.foreign) continue;
    if (entry.put_back) {
      if (auto said = read_repair_body(entry.body, {})) entry.image = std::move(said->image);
      continue;
    }
    if (const auto said = read_body(entry.body)) entry.image = said->new_image;
  }
  return ok();
}

}  // namespace pawl::audit

#include "audit/gap_finder.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/item_record.h"
#include "base/coding.h"

namespace pawl::audit {
namespace {

// Whether `name` lies among the names of the item with that head: it begins with the head and a digit.
bool within(std::string_view name, std::string_view head) {
  return name.size() > head.size() && name[head.size()] >= '0' && name[head.size()] <= '9' &&
         name.starts_with(head);
}

Error unordered(std::string_view before, std::string_view name) {
  return Error{ErrorCode::kInvalid,
               fmt::format("the store lists \"{}\" after \"{}\": not in byte order", name, before),
               "S3 lists general purpose buckets in byte order, and this search relies on it"};
}

}  // namespace

struct GapFinder::Open {
  std::string head;
  VersionRuns runs;
  bool cut = false;  // the part's beginning lies among its names
};

class GapFinder::Part {
 public:
  explicit Part(std::string from) : after(std::move(from)), previous(after) {}

  std::string after;
  std::string previous;
  // The items that the present name is within, the outermost first: each head begins with the one before and a digit.
  // The first `depth` are in use; the others are kept for their memory.
  std::vector<Open> open;
  std::size_t depth = 0;
};

GapFinder::GapFinder(const NamePattern& pattern, GapFinderOptions options, GapSink& sink)
    : pattern_(pattern), options_(std::move(options)), sink_(sink) {
  if (!pattern_.version_is_last())
    sort_ = std::make_unique<ExternalSort>(options_.memory_max, options_.tmp);
}
GapFinder::~GapFinder() = default;

GapFinder::Part* GapFinder::begin(std::string after) {
  parts_.push_back(std::make_unique<Part>(std::move(after)));
  return parts_.back().get();
}

Status GapFinder::add(Part& part, std::string_view name) {
  if (name <= part.previous) return unordered(part.previous, name);
  part.previous.assign(name);
  ++counts_.names;
  const auto own = pawl_name_of(name);
  if (own.kind != PawlName::Kind::kNone) return add_own(part, name, own);
  const auto match = pattern_.match(name);
  if (match.kind == NameMatch::Kind::kVersion) return take(part, match, false);
  if (match.kind == NameMatch::Kind::kAmbiguous) counts_.ambiguous.add(name);
  if (match.kind == NameMatch::Kind::kTooLarge) counts_.too_large.add(name);
  if (match.kind == NameMatch::Kind::kOther) count_other(name);
  return ok();
}

Status GapFinder::add_own(Part& part, std::string_view name, const PawlName& own) {
  using Kind = PawlName::Kind;
  if (own.kind == Kind::kLedger) {
    ++counts_.pawl_ledger;
    return ok();
  }
  if (own.kind == Kind::kRemoval) return add_removal(part, own, false);
  if (own.kind == Kind::kRepaired) {
    const auto of = pawl_name_of(own.base);
    if (of.kind == Kind::kRemoval) return add_removal(part, of, true);
    const auto match = pattern_.match(own.base);
    if (match.kind == NameMatch::Kind::kVersion) return take(part, match, true);
    // A template may end like that itself.
    const auto whole = pattern_.match(name);
    if (whole.kind == NameMatch::Kind::kVersion) return take(part, whole, false);
  }
  ++counts_.pawl_others;
  return ok();
}

// Named by Pawl's own version, the deletion is that version. Named by an attribute, it has its old value, and the object of
// that version is there, too.
Status GapFinder::add_removal(Part& part, const PawlName& own, bool repaired) {
  ++counts_.pawl_removals;
  const auto match = pattern_.match(own.base);
  if (match.kind == NameMatch::Kind::kVersion && match.version == own.number)
    return take(part, match, repaired);
  return ok();
}

void GapFinder::count_other(std::string_view name) {
  if (name.ends_with('/')) {
    ++counts_.folders;
    return;
  }
  // What Pawl writes where an item lacks the attribute: "~" and its own version.
  const auto tilde = name.rfind('~');
  if (tilde != std::string_view::npos) {
    std::string without(name);
    without.erase(tilde, 1);
    const auto match = pattern_.match(without);
    if (match.kind == NameMatch::Kind::kVersion && match.item.head.size() == tilde) {
      ++counts_.pawl_others;
      return;
    }
  }
  counts_.other.add(name);
}

GapFinder::Open& GapFinder::open(Part& part, const NameMatch& match) {
  const auto head = match.item.head;
  // Kept in order of length; nearly always it is the innermost.
  std::size_t at = part.depth;
  while (at > 0 && part.open[at - 1].head.size() >= head.size()) --at;
  if (at < part.depth && part.open[at].head.size() == head.size()) return part.open[at];
  if (part.open.size() == part.depth) part.open.emplace_back();
  auto& fresh = part.open[part.depth++];
  fresh.head.assign(head);
  fresh.cut = within(part.after, head);
  for (std::size_t i = part.depth - 1; i > at; --i) std::swap(part.open[i], part.open[i - 1]);
  return part.open[at];
}

Status GapFinder::take(Part& part, const NameMatch& match, bool repaired) {
  if (sort_) return add_record(match, repaired);
  while (part.depth > 0 && !within(part.previous, part.open[part.depth - 1].head))
    PAWL_TRY(close(part, {}));
  return tell(open(part, match).runs, match, repaired);
}

Status GapFinder::tell(VersionRuns& runs, const NameMatch& match, bool repaired) {
  std::optional<VersionRange> hole;
  const std::size_t pending = runs.pending();
  if (runs.add(match.version, match.digits, match.zero_led, repaired, hole) ==
      VersionRuns::Told::kBackwards)
    return unordered("a later version", pattern_.label(match.item));
  pending_ += runs.pending() - pending;
  if (pending_ > options_.pending_holes_max) {
    return Error{ErrorCode::kExhausted,
                 fmt::format("items whose versions have leading zeros lack more than {} runs of "
                             "versions; memory for them is bounded",
                             options_.pending_holes_max),
                 "look at a part of the bucket: s3://BUCKET/PREFIX"};
  }
  return hole ? found(match.item, *hole) : ok();
}

Status GapFinder::found(ItemName item, VersionRange hole) {
  if (hole.to < options_.first_version) return ok();
  return sink_.hole(item, {std::max(hole.from, options_.first_version), hole.to});
}

Status GapFinder::close(Part& part, std::string_view until) {
  Open& item = part.open[--part.depth];
  if (item.cut || within(until, item.head)) {
    edges_.emplace(std::pair(item.head, part.after), std::exchange(item.runs, {}));
    return ok();
  }
  return done({item.head, tail()}, item.runs);
}

Status GapFinder::done(ItemName item, VersionRuns& runs) {
  pending_ -= runs.pending();
  holes_.clear();
  const auto summary = runs.finish(options_.first_version, holes_);
  if (!summary) return ok();
  if (summary->not_understood > 0) {
    if (counts_.mixed_zeros == 0) counts_.mixed_zeros_item = pattern_.label(item);
    counts_.mixed_zeros += summary->not_understood;
  }
  if (summary->versions == 0) return ok();
  for (const auto& hole : holes_) PAWL_TRY(sink_.hole(item, hole));
  counts_.versions += summary->versions;
  counts_.repaired += summary->repaired;
  if (summary->digits.zero_led > 0) ++counts_.zero_led_items;
  ++counts_.items;
  return sink_.item(item, summary->newest, summary->digits);
}

Status GapFinder::end(Part* part, std::string_view until) {
  while (part->depth > 0) PAWL_TRY(close(*part, until));
  std::erase_if(parts_, [part](const auto& owned) { return owned.get() == part; });
  return ok();
}

Status GapFinder::finish() {
  PAWL_ASSERT(parts_.empty());
  return sort_ ? finish_sorted() : finish_edges();
}

Status GapFinder::finish_edges() {
  for (auto at = edges_.begin(); at != edges_.end();) {
    const std::string head = at->first.first;
    VersionRuns runs = std::move(at->second);
    std::vector<VersionRange> between;
    for (++at; at != edges_.end() && at->first.first == head; ++at) {
      if (!runs.append(std::move(at->second), between)) return unordered("a later version", head);
    }
    for (const auto& hole : between) PAWL_TRY(found({head, tail()}, hole));
    PAWL_TRY(done({head, tail()}, runs));
  }
  edges_.clear();
  return ok();
}

// The item, each part ended by a pair of bytes that no part contains, and behind it what orders its versions as
// VersionRuns wants them.
Status GapFinder::add_record(const NameMatch& match, bool repaired) {
  record_.clear();
  append_item(record_, match.item);
  append_u8(record_, match.digits);
  append_u8(record_, match.zero_led ? 0 : 1);
  append_u64_be(record_, match.version);
  append_u8(record_, repaired ? 1 : 0);
  return sort_->add(record_);
}

Status GapFinder::finish_sorted() {
  constexpr std::size_t kOrderSize = 1 + 1 + 8 + 1;
  PAWL_ASSIGN_OR_RETURN(const auto records, sort_->drain());
  std::string item;  // encoded
  std::pair<std::string, std::string> name;
  VersionRuns runs;
  for (;;) {
    std::string_view record;
    PAWL_ASSIGN_OR_RETURN(const bool more, records->next(record));
    const auto record_item = more ? record.substr(0, record.size() - kOrderSize) : record;
    if (!more || record_item != item) {
      if (!runs.empty()) PAWL_TRY(done({name.first, name.second}, runs));
      if (!more) return ok();
      item = record_item;
      Reader reader(item);
      name = read_item(reader);
    }
    Reader order(record.substr(record.size() - kOrderSize));
    NameMatch match;
    match.item = {name.first, name.second};
    match.digits = order.u8();
    match.zero_led = order.u8() == 0;
    match.version = order.u64_be();
    PAWL_TRY(tell(runs, match, order.u8() == 1));
  }
}

}  // namespace pawl::audit

#include "pipeline/unsealed.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "archive/body_format.h"
#include "archive/object_body.h"
#include "ledger/line.h"
#include "ledger/page_format.h"
#include "ledger/shard_page.h"

namespace pawl::pipeline {
namespace {

constexpr std::size_t kNamesAtOnce = 256;

// What the pages of all shards list. Names by 64 bits of their digest: two that share them are both taken for listed,
// so at worst an object stays that could have been moved.
struct Sealed {
  std::vector<std::uint64_t> names;  // sorted
  std::map<ShardId, SequenceNumber> last;

  static std::uint64_t mark(std::string_view name) {
    const Digest digest = sha256(name);
    std::uint64_t mark = 0;
    for (std::size_t i = 0; i < sizeof mark; ++i) mark = mark << 8 | digest.bytes[i];
    return mark;
  }
  bool lists(std::string_view name) const {
    return std::binary_search(names.begin(), names.end(), mark(name));
  }
};

Status add_page(Sealed& sealed, std::string_view text) {
  PAWL_ASSIGN_OR_RETURN(const auto line, ledger::parse_line(text));
  PAWL_ASSIGN_OR_RETURN(const auto page, ledger::parse_page(line.json));
  for (const auto& entry : page.entries) sealed.names.push_back(Sealed::mark(entry.object));
  auto& last = sealed.last[page.shard];
  last = std::max(last, page.last());
  return ok();
}

Awaitable<Result<Sealed>> read_pages(LedgerStore& ledger) {
  Sealed sealed;
  const auto chains = co_await ledger.chains();
  if (!chains.ok()) co_return chains.error();
  for (const auto& chain : *chains) {
    if (chain == ledger::kRootChain) continue;
    Status failure = ok();
    const auto visit = [&](std::string_view line) {
      failure = add_page(sealed, line);
      return failure.ok();
    };
    const auto status = co_await ledger.read(chain, visit);
    if (!status.ok()) co_return status.error();
    if (!failure.ok()) co_return failure.error();
  }
  std::sort(sealed.names.begin(), sealed.names.end());
  co_return sealed;
}

bool is_unsealed(const std::string& body, const Sealed& sealed) {
  const auto parsed = archive::parse_body(body);
  if (!parsed.ok()) return false;
  const auto last = sealed.last.find(parsed->change.shard);
  return last == sealed.last.end() || parsed->change.sequence > last->second;
}

}  // namespace

Awaitable<Result<std::uint64_t>> set_unsealed_aside(ArchiveView& names, LedgerStore& ledger,
                                                    ObjectStore& objects) {
  const auto sealed = co_await read_pages(ledger);
  if (!sealed.ok()) co_return sealed.error();
  std::vector<std::string> unlisted;
  const auto look = [&](const ArchiveView::Entry& entry) {
    const bool own = entry.name.starts_with(".pawl/") || entry.name.starts_with(".suspect/");
    if (!own && !sealed->lists(entry.name)) unlisted.emplace_back(entry.name);
    return true;
  };
  const auto listed = names.list("", look);
  if (!listed.ok()) co_return listed.error();
  std::sort(unlisted.begin(), unlisted.end());

  std::vector<std::string> unsealed;
  std::uint64_t moved = 0;
  for (std::size_t i = 0; i < unlisted.size(); ++i) {
    const auto body = names.read(unlisted[i], 0, archive::kBodyBytesMax + 1);
    if (!body.ok()) co_return body.error();
    if (*body && is_unsealed(**body, *sealed)) unsealed.push_back(unlisted[i]);
    if (unsealed.size() < kNamesAtOnce && i + 1 < unlisted.size()) continue;
    if (unsealed.empty()) continue;
    const auto status = co_await objects.set_aside(unsealed);
    if (!status.ok()) co_return status.error();
    moved += unsealed.size();
    unsealed.clear();
  }
  co_return moved;
}

}  // namespace pawl::pipeline

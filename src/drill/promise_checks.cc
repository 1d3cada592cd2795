#include "drill/promise_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"

namespace pawl::drill {
namespace {

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

// Keys of docs/internals/data-directory.md: incarnation (8), shard number (2), in change records sequence (8).
std::string shard_of(std::string_view key) {
  return fmt::format("{:016x}-{:04x}", big_endian(key.substr(0, 8)), big_endian(key.substr(8, 2)));
}

std::optional<std::uint64_t> varint(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    number |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) return i + 1 == bytes.size() ? std::optional(number) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void HeldCheck::page_durable(const SeenPage& page) {
  if (page.chain == "root") return;
  auto& through = through_[page.chain];
  through = std::max(through, page.last);
}

void HeldCheck::will_lose(std::string_view key) {
  if (key.size() != 18) return violations_.add("P6: a change record under a key of another form");
  const std::string shard = shard_of(key);
  const std::uint64_t sequence = big_endian(key.substr(10));
  if (sequence <= through_[shard]) return;
  violations_.add("P6: change " + std::to_string(sequence) + " of shard " + shard +
                  " leaves the change log, and durable pages go through " +
                  std::to_string(through_[shard]));
}

void HeldCheck::will_write(const WriteBatch& batch) {
  constexpr std::string_view kFloor = "floor/";
  for (const auto& entry : batch.entries()) {
    const bool erased = entry.kind == WriteBatch::Kind::kDelete;
    if (entry.space == KeySpace::kChanges && erased) will_lose(entry.key);
    if (entry.space != KeySpace::kCatalog || erased || !entry.key.starts_with(kFloor)) continue;
    const std::string shard = shard_of(std::string_view(entry.key).substr(kFloor.size()));
    const auto floor = varint(entry.value);
    if (floor && *floor <= through_[shard]) continue;
    violations_.add("P6: the floor of shard " + shard + " is set to " +
                    (floor ? std::to_string(*floor) : "?") + ", and durable pages go through " +
                    std::to_string(through_[shard]));
  }
}

void HeldCheck::will_remove(KeySpace space, std::string_view from, std::string_view to) {
  if (space != KeySpace::kChanges) return;
  const auto cursor = store_.cursor(space);
  for (cursor->seek(from); cursor->valid() && cursor->key() < to; cursor->next()) {
    will_lose(cursor->key());
  }
}

void SealedCheck::page_durable(const SeenPage& page) {
  for (const SeenEntry& entry : page.entries) {
    const auto found = objects_.objects().find(entry.object);
    if (found == objects_.objects().end()) {
      violations_.add("P3: a durable page lists object " + entry.object + ", which is not there");
      continue;
    }
    if (!found->second.durable)
      violations_.add("P3: a durable page lists object " + entry.object + ", which is not durable");
    if (sha256(found->second.body).to_hex() != entry.sha256)
      violations_.add("P3: object " + entry.object + " is not what its page says");
    if (!sealed_.emplace(entry.object, entry.sha256).second)
      violations_.add("P4: object " + entry.object + " is listed twice");
  }
}

void SealedCheck::will_set_aside(std::string_view name) {
  if (sealed_.contains(name))
    violations_.add("P4: object " + std::string(name) + " is in a durable page, and is set aside");
}

void SealedCheck::check_all() const {
  for (const auto& [name, digest] : sealed_) {
    const auto found = objects_.objects().find(name);
    if (found == objects_.objects().end()) {
      violations_.add("P4: object " + name + " is in a durable page, and is gone");
    } else if (sha256(found->second.body).to_hex() != digest) {
      violations_.add("P4: object " + name + " has changed");
    }
  }
}

void ChainCheck::page_durable(std::string_view chain, const SeenPage& page) {
  End& end = ends_[std::string(chain)];
  const std::string what = "P2: page " + std::to_string(page.page) + " of chain " + page.chain;
  if (page.chain != chain) violations_.add(what + " stands in chain " + std::string(chain));
  if (page.page != end.pages || page.previous != end.digest)
    violations_.add(what + " does not follow the page before it");
  if (page.instant < end.instant) violations_.add(what + " is older than the page before it");
  ++end.pages;
  end.digest = page.digest;
  end.instant = page.instant;
  if (chain == "root") return;
  if (page.first != end.last + 1 || page.last < page.first ||
      page.entries.size() != page.last - page.first + 1)
    violations_.add(what + " leaves a hole");
  for (const SeenEntry& entry : page.entries) {
    if (entry.sequence != ++end.last) violations_.add(what + " leaves a hole inside");
    if (entry.instant < end.change_instant) violations_.add(what + ": instants go back");
    end.change_instant = entry.instant;
  }
  changes_ += page.entries.size();
}

void ChainCheck::chain_found(std::string_view chain, std::size_t pages) {
  const auto known = ends_.find(chain);
  if (known != ends_.end() && pages < known->second.pages)
    violations_.add("P1: chain " + std::string(chain) + " has lost durable pages");
}

void HistoryCheck::page_durable(const SeenPage& page) {
  if (page.chain == "root") return;
  auto& entries = chains_[page.chain];
  entries.insert(entries.end(), page.entries.begin(), page.entries.end());
}

void HistoryCheck::check(const std::vector<Operation>& operations) {
  for (const Operation& operation : operations) by_trace_[operation.trace] = &operation;
  for (const auto& [chain, entries] : chains_) {
    for (const SeenEntry& entry : entries) {
      const auto found = objects_.objects().find(entry.object);
      if (found == objects_.objects().end()) continue;  // SealedCheck has said so
      std::string why;
      const auto body = reader_.body(found->second.body, why);
      if (!body) {
        violations_.add("P3: object " + entry.object + ": " + why);
        continue;
      }
      if (body->shard != chain || body->sequence != entry.sequence ||
          body->version != entry.version || body->key != entry.key || body->kind != entry.kind ||
          body->instant != entry.instant)
        violations_.add("P3: object " + entry.object + " says other than its page");
      check_change(*body);
    }
  }
  for (const Operation& operation : operations) check_operation(operation);
  by_trace_.clear();  // it points into what the caller lent
}

void HistoryCheck::check_change(const SeenBody& body) {
  const std::string what = "version " + std::to_string(body.version) + " of " + body.key +
                           " in table " + body.table + " (" + body.trace + ")";
  Item& item = items_[{body.incarnation, body.key}];
  if (body.version != item.versions) {
    violations_.add("P2: " + what + " comes where version " + std::to_string(item.versions) +
                    " was due");
  }
  item.versions = body.version + 1;
  if (body.old_image != item.image) violations_.add("P2: " + what + " begins where nothing ended");
  const std::string_view kind = body.old_image == "null"   ? "INSERT"
                                : body.new_image == "null" ? "REMOVE"
                                                           : "MODIFY";
  if (body.kind != kind) violations_.add("P2: " + what + " is called a " + body.kind);
  item.image = body.new_image;
  last_images_[{body.incarnation, body.key}] = body.new_image;

  const auto found = by_trace_.find(body.trace);
  if (found == by_trace_.end()) return violations_.add("P1: nobody asked for " + what);
  const Operation& operation = *found->second;
  const auto part =
      std::find_if(operation.parts.begin(), operation.parts.end(),
                   [&](const auto& one) { return one.table == body.table && one.key == body.key; });
  if (part == operation.parts.end()) return violations_.add("P1: nobody asked for " + what);
  ++seen_[body.trace][{body.table, body.key}];
  if (part->kind == Operation::Kind::kAdd &&
      body.new_count != std::optional(body.old_count.value_or(0) + 1))
    violations_.add("P1: " + what + " does not count by one");
  check_order(operation, body, item.newest_submitted, "of one item");
  check_order(operation, body, shard_newest_submitted_[body.shard], "of one shard");
}

// Who was answered before another asked comes before it.
void HistoryCheck::check_order(const Operation& operation, const SeenBody& body,
                               std::uint64_t& newest, std::string_view of) {
  if (operation.told == Operation::Told::kDone && operation.answered < newest) {
    violations_.add("P2: changes " + std::string(of) + ": " + body.trace + " (" + body.key +
                    ") stands after one that was asked for when it had been answered");
  }
  newest = std::max(newest, operation.submitted);
}

void HistoryCheck::check_operation(const Operation& operation) {
  const auto& seen = seen_[operation.trace];
  std::size_t parts_seen = 0;
  for (const auto& part : operation.parts) {
    const auto found = seen.find({part.table, part.key});
    const int times = found == seen.end() ? 0 : found->second;
    if (times > 0) ++parts_seen;
    const std::string what = operation.trace + " on " + part.key + " of table " + part.table;
    if (times > 1) {
      violations_.add("P1: " + what + " counts " + std::to_string(times) + " times");
    } else if (operation.told == Operation::Told::kDone && times != (part.changed ? 1 : 0)) {
      violations_.add("P1: " + what + " was acknowledged, and is " +
                      (times == 0 ? "not in the ledger" : "in the ledger, but changed nothing"));
    } else if (operation.told == Operation::Told::kRefused && times != 0) {
      violations_.add("P1: " + what + " was refused, and is in the ledger");
    }
  }
  if (operation.parts.size() > 1 && parts_seen != 0 && parts_seen != operation.parts.size())
    violations_.add("P1: " + operation.trace + " was done in part");
}

}  // namespace pawl::drill

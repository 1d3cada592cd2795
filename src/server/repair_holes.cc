#include "server/repair_holes.h"

#include <fmt/format.h>

#include "archive/repair_body.h"
#include "audit/body_facts.h"
#include "item/dynamodb_json.h"
#include "server/run_to_end.h"

namespace pawl::server {
namespace {

// One form for equal items.
Result<std::string> canonical(std::string_view image) {
  PAWL_ASSIGN_OR_RETURN(const auto item, item::parse_item_text(image));
  std::string text;
  item::append_item_json(text, item);
  return text;
}

Error damaged(const std::string& object) {
  return Error{ErrorCode::kCorrupt,
               fmt::format("object {} is not there, or not what the ledger says", object),
               "run `pawl verify --deep` on the archive"};
}

Version version(std::uint64_t number) { return Version{number}; }

ledger::ChangePlace place_of(const audit::LossChange& change) {
  return {change.place.shard, {change.place.sequence}};
}

ledger::KnownLost lost_of(const audit::Loss& loss, Instant since, Instant until) {
  ledger::KnownLost lost;
  if (loss.from) lost.from = version(*loss.from);
  if (loss.to) lost.to = version(*loss.to);
  lost.removed = loss.removed;
  lost.since = since;
  lost.until = until;
  return lost;
}

}  // namespace

std::optional<std::uint64_t> RepairHoles::version_of(std::string_view image) const {
  return audit::version_of_image(image, table_.version_attribute);
}

Awaitable<Result<std::string>> RepairHoles::read(std::string name) {
  auto body = co_await ports_.objects.get(name, audit::kBodySizeMax);
  if (!body.ok()) co_return std::move(body).error();
  if (!*body) co_return damaged(name);
  co_return std::move(**body);
}

// The items as they are now, of those that are about the table.
Awaitable<Status> RepairHoles::read_table(std::vector<Hole>& holes) {
  std::vector<std::string> keys;
  for (const auto& hole : holes) {
    if (!hole.suspect->before) keys.push_back(hole.suspect->key);
  }
  if (keys.empty()) co_return ok();
  auto answers = co_await ports_.table.get_many(std::move(keys));
  if (!answers.ok()) co_return std::move(answers).error();
  auto answer = answers->begin();
  for (auto& hole : holes) {
    if (hole.suspect->before) continue;
    if (*answer) {
      auto image = canonical(**answer);
      if (!image.ok()) co_return std::move(image).error();
      hole.image = std::move(image).value();
    }
    ++answer;
    hole.changing = !is_as_scanned(hole);
  }
  co_return ok();
}

// What it was at the scan had come to the stream by the time that was read, if it was ever to come; what it is now may not have.
bool RepairHoles::is_as_scanned(const Hole& hole) const {
  const auto& scanned = hole.suspect->table;
  if (scanned.exists != hole.image.has_value()) return false;
  return !scanned.exists || sha256(*hole.image) == scanned.image;
}

// The state that the next change started from: its old image, where the stream has it.
Awaitable<Result<audit::ItemState>> RepairHoles::state_before(Hole& hole) {
  const auto& next = *hole.suspect->before;
  audit::ItemState state;
  state.exists = next.kind != audit::EntryKind::kInsert;
  if (!state.exists) co_return state;
  auto body = co_await read(next.object);
  if (!body.ok()) co_return std::move(body).error();
  auto facts = audit::read_body(*body);
  if (!facts || facts->shard != next.place.shard || facts->sequence != next.place.sequence) {
    co_return damaged(next.object);
  }
  if (facts->images.old_image != Digest{}) {
    state.version = version_of(facts->old_image);
    state.image = facts->images.old_image;
    hole.image = std::move(facts->old_image);
  } else if (next.version && next.kind == audit::EntryKind::kRemove) {
    state.version = next.version;
  } else if (next.version && *next.version > 0) {
    state.version = *next.version - 1;
  }
  co_return state;
}

// Of the state that is known last; nothing where the stream has no images.
Awaitable<Result<std::optional<Digest>>> RepairHoles::known_image(
    const audit::LossSuspect& suspect) {
  const auto& object = suspect.seen ? suspect.seen->object : suspect.after.object;
  auto body = co_await read(object);
  if (!body.ok()) co_return std::move(body).error();
  if (suspect.seen) {
    const auto facts = audit::read_repair_body(*body, table_.version_attribute);
    if (!facts) co_return damaged(object);
    co_return std::optional(sha256(facts->image));
  }
  const auto facts = audit::read_body(*body);
  if (!facts) co_return damaged(object);
  if (facts->images.new_image == Digest{}) co_return std::optional<Digest>{};
  co_return std::optional(facts->images.new_image);
}

Awaitable<Status> RepairHoles::judge(Hole& hole) {
  if (hole.changing) co_return ok();
  const auto& suspect = *hole.suspect;
  audit::ItemState next{suspect.table.exists, suspect.table.version, suspect.table.image};
  if (suspect.before) {
    auto state = co_await state_before(hole);
    if (!state.ok()) co_return std::move(state).error();
    next = *state;
  }
  audit::ItemState known;
  known.exists =
      suspect.seen ? suspect.seen->exists : suspect.after.kind != audit::EntryKind::kRemove;
  known.version = suspect.seen ? suspect.seen->version : suspect.after.version;
  const bool versions_tell = known.version && next.version && *known.version < *next.version;
  if (known.exists && next.exists && !versions_tell) {
    auto image = co_await known_image(suspect);
    if (!image.ok()) co_return std::move(image).error();
    known.image = *image;
  }
  hole.loss = audit::judge_loss(known, next);
  co_return ok();
}

Status RepairHoles::add_entries(const Hole& hole, std::vector<ledger::RepairEntry>& entries,
                                std::vector<Put>& puts) const {
  const auto& suspect = *hole.suspect;
  const auto& loss = *hole.loss;
  PAWL_ASSIGN_OR_RETURN(auto key, item::parse_item_text(suspect.key));
  ledger::RepairEntry entry;
  entry.after = place_of(suspect.after);
  if (suspect.before) entry.before = place_of(*suspect.before);
  entry.key = key;
  if (loss.lost) {
    entry.what = lost_of(loss, suspect.after.instant,
                         suspect.before ? suspect.before->instant : table_.looked_at);
    entries.push_back(entry);
  }
  if (!loss.put_back) return ok();

  const auto& anchor = suspect.before ? *suspect.before : suspect.after;
  item::Change change;
  change.shard = anchor.place.shard;
  change.sequence = {anchor.place.sequence};
  change.source = anchor.source;
  change.kind = item::ChangeKind::kModify;
  change.instant = anchor.instant;
  change.body_format = item::kGuardedBodyFormat;
  change.key = std::move(key);
  if (const auto number = version_of(*hole.image)) change.version = version(*number);
  PAWL_ASSIGN_OR_RETURN(auto image, item::parse_item_text(*hole.image));
  change.new_image = std::move(image);

  Put put;
  put.entry = entries.size();
  put.name = table_.names.render(table_.named, change);
  const auto shard = change.shard.to_string();
  const auto sequence = std::to_string(change.sequence.value);
  archive::RepairedVersion repaired;
  repaired.table = table_.named.name;
  repaired.name = put.name;
  if (change.version) repaired.version = change.version->value;
  repaired.source = suspect.before ? "old-image" : "table";
  repaired.shard = shard;
  repaired.sequence = sequence;
  put.body = archive::render_repair_body(repaired, *change.new_image);
  entry.what = ledger::PutBack{change.version, archive::repaired_name(put.name), put.body.size(),
                               sha256(put.body)};
  entries.push_back(std::move(entry));
  puts.push_back(std::move(put));
  return ok();
}

// All of them, each under its name or, where that is taken by other content, an evasion.
Awaitable<Status> RepairHoles::put(std::vector<Put> puts,
                                   std::vector<ledger::RepairEntry>& entries) {
  const ShardId chain{table_.incarnation, ledger::kRepairChain};
  for (std::uint32_t attempt = 0; !puts.empty(); ++attempt) {
    std::vector<PutRequest> requests;
    for (const auto& put : puts) {
      auto& entry = entries[put.entry];
      auto& what = std::get<ledger::PutBack>(entry.what);
      what.object =
          archive::fallback_name(archive::repaired_name(put.name), chain, entry.sequence, attempt);
      requests.push_back({what.object, put.body, what.sha256});
    }
    const auto results = co_await ports_.objects.put_if_absent(requests);
    std::vector<Put> again;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto outcome = results[i].outcome;
      if (outcome == PutOutcome::kStored || outcome == PutOutcome::kAlreadyEqual) continue;
      if (outcome != PutOutcome::kAlreadyDifferent || attempt == archive::kFallbacksMax) {
        co_return Error{ErrorCode::kUnavailable,
                        fmt::format("object {} was not put: {}", requests[i].name,
                                    outcome == PutOutcome::kAlreadyDifferent ? "its names are taken"
                                                                             : results[i].why),
                        "run it again: what is in pages stays"};
      }
      again.push_back(std::move(puts[i]));
    }
    puts = std::move(again);
  }
  co_return ok();
}

Status RepairHoles::take(const std::vector<audit::LossSuspect>& suspects) {
  PAWL_ASSERT(suspects.size() <= kSuspectsMax);
  std::vector<Hole> holes;
  holes.reserve(suspects.size());
  for (const auto& suspect : suspects) holes.push_back({&suspect, {}, {}, false});
  PAWL_TRY(run_to_end(ports_.context, read_table(holes)));
  std::vector<Awaitable<Status>> work;
  work.reserve(holes.size());
  for (auto& hole : holes) work.push_back(judge(hole));
  PAWL_TRY(run_all_to_end(ports_.context, std::move(work)));

  std::vector<ledger::RepairEntry> entries;
  std::vector<Put> puts;
  std::uint64_t found = 0;
  for (const auto& hole : holes) {
    changing_ += hole.changing ? 1 : 0;
    if (!hole.loss) continue;
    PAWL_TRY(add_entries(hole, entries, puts));
    ++found;
  }
  if (entries.empty()) return ok();
  if (ports_.chain != nullptr) {
    auto sequence = ports_.chain->next();
    for (auto& entry : entries) {
      entry.sequence = sequence;
      sequence = sequence.next();
    }
    PAWL_TRY(run_to_end(ports_.context, put(std::move(puts), entries)));
    PAWL_TRY(run_to_end(ports_.context, ports_.chain->append(entries)));
  }
  holes_ += found;
  for (const auto& entry : entries) tell_(entry);
  return ok();
}

}  // namespace pawl::server

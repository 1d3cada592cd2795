#include "guard/simulation_models_test.h"

#include <algorithm>
#include <utility>

#include "guard/lease_rows.h"

namespace pawl::guard::simulation {
namespace {

// When a write whose answer was lost lands: never (nothing), at once, soon, or long after.
std::optional<Time> lands_after(Dice& dice) {
  switch (dice.below(4)) {
    case 0:
      return std::nullopt;
    case 1:
      return 0;
    case 2:
      return dice.between(10 * kMillisecond, 200 * kMillisecond);
    default:
      return dice.between(50 * kMillisecond, 12 * kSecond);
  }
}

}  // namespace

// -- lease rows --

void LeaseModel::run(std::function<LeaseOutcome()> apply, Answer answer) {
  auto& agenda = out_.agenda;
  Time there = out_.latency();
  const Time back = out_.latency();
  if (out_.goes_wrong(out_.plan.lease_slow)) {
    out_.lease_disturbed = agenda.now();
    there += out_.dice.between(100 * kMillisecond, 2 * kSecond);
  }
  if (out_.goes_wrong(out_.plan.lease_refused)) {
    out_.lease_disturbed = agenda.now();
    agenda.at(agenda.now() + there + back,
              [answer = std::move(answer)] { answer(LeaseOutcome::kNotDone); });
    return;
  }
  if (out_.goes_wrong(out_.plan.lease_unknown)) {
    out_.lease_disturbed = agenda.now();
    if (const auto after = lands_after(out_.dice))
      agenda.at(agenda.now() + there + *after, [apply = std::move(apply)] { apply(); });
    agenda.at(agenda.now() + there + back,
              [answer = std::move(answer)] { answer(LeaseOutcome::kUnknown); });
    return;
  }
  agenda.at(agenda.now() + there,
            [this, back, apply = std::move(apply), answer = std::move(answer)] {
              const auto outcome = apply();
              out_.agenda.at(out_.agenda.now() + back, [outcome, answer] { answer(outcome); });
            });
}

void LeaseModel::put(std::string name, std::uint64_t expected, std::string value, Answer answer) {
  run([this, name = std::move(name), expected,
       value = std::move(value)] { return do_put(name, expected, value); },
      std::move(answer));
}

void LeaseModel::erase(std::string name, std::uint64_t expected, Answer answer) {
  run([this, name = std::move(name), expected] { return do_erase(name, expected); },
      std::move(answer));
}

// Rows are read in two parts, in no order.
void LeaseModel::list(std::function<void(std::optional<std::vector<LeaseRow>>)> answer) {
  auto& agenda = out_.agenda;
  if (out_.goes_wrong(out_.plan.lease_refused)) {
    out_.lease_disturbed = agenda.now();
    agenda.at(agenda.now() + out_.latency(), [answer = std::move(answer)] { answer({}); });
    return;
  }
  const Time between = out_.latency();
  const Time back = out_.latency();
  const auto pivot = static_cast<std::size_t>(out_.dice.below(7));
  const auto part = [this, pivot](std::vector<LeaseRow>& rows, bool first) {
    for (const auto& [name, row] : rows_) {
      if ((static_cast<unsigned char>(name.back()) % 7U < pivot) == first) rows.push_back(row);
    }
  };
  agenda.at(agenda.now() + out_.latency(), [this, between, back, part, answer = std::move(answer)] {
    std::vector<LeaseRow> rows;
    part(rows, true);
    out_.agenda.at(out_.agenda.now() + between, [this, back, part, answer,
                                                 rows = std::move(rows)]() mutable {
      part(rows, false);
      out_.agenda.at(out_.agenda.now() + back, [answer, rows = std::move(rows)] { answer(rows); });
    });
  });
}

LeaseOutcome LeaseModel::do_put(const std::string& name, std::uint64_t expected,
                                const std::string& value) {
  auto& row = rows_[name];
  if (row.revision != expected) {
    if (row.revision == 0) rows_.erase(name);
    return LeaseOutcome::kConflict;
  }
  const LeaseRow after{name, expected + 1, value};
  if (expected != 0) check_owner(row, after);
  row = after;
  if (out_.told && !name.starts_with("worker/"))
    out_.tell(name + " " + std::to_string(after.revision) + " " + value);
  out_.trace.add(name), out_.trace.add(after.revision);
  return LeaseOutcome::kDone;
}

LeaseOutcome LeaseModel::do_erase(const std::string& name, std::uint64_t expected) {
  const auto row = rows_.find(name);
  if (row == rows_.end() || row->second.revision != expected) return LeaseOutcome::kConflict;
  if (name.starts_with("worker/")) erased_.insert(name);
  rows_.erase(row);
  out_.tell("erased " + name);
  out_.trace.add(name), out_.trace.add(0);
  return LeaseOutcome::kDone;
}

// Checker: nobody takes a shard or the root from one whose row was never erased.
void LeaseModel::check_owner(const LeaseRow& before, const LeaseRow& after) {
  const auto owner = [](const LeaseRow& row) {
    const auto parsed = parse_row(row);
    if (const auto* root = std::get_if<RootRow>(&*parsed)) return root->owner;
    const auto* shard = std::get_if<ShardRow>(&*parsed);
    return shard == nullptr ? std::string() : shard->owner;
  };
  const auto was = owner(before);
  const auto is = owner(after);
  if (was.empty() || is.empty() || was == is) return;
  if (!erased_.contains(worker_row_name(was)))
    out_.breaks("fencing: " + before.name + " was taken from one whose row was never erased");
}

// -- ledger --

void LedgerModel::run(std::function<bool()> apply, std::function<void(PagePut)> answer) {
  auto& agenda = out_.agenda;
  Time there = out_.latency();
  const Time back = out_.latency();
  // As if the process had stood still between the self-trust check and the first byte that it sends.
  if (out_.goes_wrong(out_.plan.page_late)) there += out_.dice.between(kSecond, 9 * kSecond);
  if (out_.goes_wrong(out_.plan.page_unknown)) {
    if (const auto after = lands_after(out_.dice))
      agenda.at(agenda.now() + there + *after, [apply = std::move(apply)] { apply(); });
    agenda.at(agenda.now() + there + back,
              [answer = std::move(answer)] { answer(PagePut::kUnknown); });
    return;
  }
  agenda.at(agenda.now() + there,
            [this, back, apply = std::move(apply), answer = std::move(answer)] {
              const auto put = apply() ? PagePut::kStored : PagePut::kTaken;
              out_.agenda.at(out_.agenda.now() + back, [put, answer] { answer(put); });
            });
}

void LedgerModel::put_page(ShardNumber shard, std::size_t index, ModelPage page,
                           std::function<void(PagePut)> answer) {
  run([this, shard, index, page = std::move(page)] { return land_page(shard, index, page); },
      std::move(answer));
}

void LedgerModel::put_root(std::size_t index, LineageEntry entry,
                           std::function<void(PagePut)> answer) {
  run([this, index, entry = std::move(entry)] { return land_root(index, entry); },
      std::move(answer));
}

bool LedgerModel::land_page(ShardNumber shard, std::size_t index, const ModelPage& page) {
  auto& chain = chains_[shard];
  if (chain.pages.size() != index) {
    ++refused_;
    return false;
  }
  out_.trace.add(shard), out_.trace.add(index), out_.trace.add(page.entries.size());
  if (out_.told) {
    std::string text = "page " + std::to_string(index) + " of shard " + std::to_string(shard) + ":";
    for (const auto& entry : page.entries)
      text += " " + std::to_string(entry.record.item) + "v" + std::to_string(entry.record.version);
    out_.tell(text);
  }
  // Checker: nobody's page comes after one of a later holder.
  if (!chain.pages.empty() && chain.pages.back().holder > page.holder)
    out_.breaks("fencing: a page of an earlier holder after one of a later holder");
  for (const auto& entry : page.entries) {
    out_.trace.add(entry.record.sequence);
    // Checker P2: each item's versions come into the ledger in their order, over all shards and streams.
    auto& last = last_versions_[entry.record.item];
    if (entry.record.version <= last)
      out_.breaks("P2: item " + std::to_string(entry.record.item) + " version " +
                  std::to_string(entry.record.version) + " is paged after version " +
                  std::to_string(last));
    last = entry.record.version;
    chain.last_number = entry.number;
    chain.last_source = entry.record.sequence;
  }
  chain.pages.push_back(page);
  return true;
}

bool LedgerModel::land_root(std::size_t index, const LineageEntry& entry) {
  if (root_.size() != index) return false;
  root_.push_back(entry);
  if (const auto* opened = std::get_if<ShardOpened>(&entry)) {
    out_.trace.add(opened->shard);
    out_.tell("opened " + std::to_string(opened->number) + " = " + opened->stream + " " +
              opened->shard + ", parent " + std::to_string(opened->parent.value_or(0)));
    for (const auto& [number, source] : sources_) {
      if (source == opened->shard) out_.breaks("P1: shard " + source + " is entered twice");
    }
    sources_[opened->number] = opened->shard;
    stream_.knows(opened->shard);
  } else {
    out_.tell("closed " + std::to_string(std::get<ShardClosed>(entry).number));
  }
  return true;
}

const std::string* LedgerModel::source_of(ShardNumber shard) const {
  const auto found = sources_.find(shard);
  return found == sources_.end() ? nullptr : &found->second;
}

// -- objects --

PutOutcome ObjectModel::land(const Object& object) {
  const auto [place, is_new] = objects_.try_emplace({object.record, object.attempt}, object.number);
  if (is_new) return PutOutcome::kStored;
  return place->second == object.number ? PutOutcome::kAlreadyEqual : PutOutcome::kAlreadyDifferent;
}

bool ObjectModel::holds(const Object& object) const {
  const auto found = objects_.find({object.record, object.attempt});
  return found != objects_.end() && found->second == object.number;
}

void ObjectModel::put(std::vector<Object> objects,
                      std::function<void(std::vector<PutOutcome>)> answer) {
  auto& agenda = out_.agenda;
  const Time there = out_.latency();
  const Time back = out_.latency();
  std::vector<bool> lost;
  for (const auto& object : objects) {
    lost.push_back(out_.goes_wrong(out_.plan.object_unknown));
    if (!lost.back()) continue;
    if (const auto after = lands_after(out_.dice))
      agenda.at(agenda.now() + there + *after, [this, object] { land(object); });
  }
  agenda.at(agenda.now() + there, [this, back, objects = std::move(objects), lost = std::move(lost),
                                   answer = std::move(answer)] {
    std::vector<PutOutcome> outcomes;
    for (std::size_t i = 0; i < objects.size(); ++i)
      outcomes.push_back(lost[i] ? PutOutcome::kUnknown : land(objects[i]));
    out_.agenda.at(out_.agenda.now() + back, [answer, outcomes] { answer(outcomes); });
  });
}

}  // namespace pawl::guard::simulation

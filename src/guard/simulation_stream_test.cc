#include <algorithm>
#include <charconv>

#include "guard/simulation_models_test.h"

namespace pawl::guard::simulation {
namespace {

// An iterator of the model: "<shard>/<index of the next record>".
std::string make_iterator(const std::string& shard, std::size_t index) {
  return shard + "/" + std::to_string(index);
}

std::uint64_t to_number(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

StreamError failure(StreamErrorKind kind) { return {kind, "the model says so", {}}; }

}  // namespace

StreamModel::StreamModel(Outside& outside) : out_(outside) {
  streams_.emplace_back("stream-0");
  std::set<int> low, high;
  for (int item = 0; item < kItems; ++item) (item % 2 == 0 ? low : high).insert(item);
  open_shard({}, low);
  open_shard({}, high);
}

ModelShard& StreamModel::open_shard(const std::string& parent, std::set<int> items) {
  ModelShard shard;
  shard.stream = streams_.back();
  // Names say nothing of the order, as the service's don't.
  shard.id =
      "s" + std::to_string(out_.dice.below(900) + 100) + "-" + std::to_string(shards_.size());
  shard.parent = parent;
  shard.items = std::move(items);
  shard.created = out_.agenda.now();
  shard.listed_from = out_.agenda.now() + (parent.empty() ? 0 : out_.dice.between(0, kSecond));
  out_.tell("the stream has " + shard.stream + " " + shard.id + ", parent " + parent +
            ", listed in " + std::to_string((shard.listed_from - shard.created) / kMillisecond) +
            " ms");
  shards_.push_back(std::move(shard));
  return shards_.back();
}

void StreamModel::write() {
  const auto item = static_cast<int>(out_.dice.below(kItems));
  for (auto& shard : shards_) {
    if (!shard.open || !shard.items.contains(item)) continue;
    last_sequence_ += 1 + out_.dice.below(50);
    shard.records.push_back(
        {last_sequence_, item, ++versions_[static_cast<std::size_t>(item)], out_.agenda.now()});
    return;
  }
}

void StreamModel::close_and_open(std::size_t index, bool in_two) {
  shards_[index].open = false;
  const auto parent = shards_[index].id;
  auto items = shards_[index].items;
  if (!in_two || items.size() < 2) {
    open_shard(parent, std::move(items));
    return;
  }
  std::set<int> half;
  for (const int item : items) {
    if (half.size() < items.size() / 2) half.insert(item);
  }
  for (const int item : half) items.erase(item);
  open_shard(parent, std::move(half));
  open_shard(parent, std::move(items));
}

void StreamModel::roll_over() {
  const auto at = out_.dice.below(shards_.size());
  if (shards_[at].open) close_and_open(at, false);
}

void StreamModel::split() {
  const auto at = out_.dice.below(shards_.size());
  if (shards_[at].open) close_and_open(at, true);
}

// A stream that ended before anybody looked is nobody's promise.
void StreamModel::enable_again() {
  const bool seen = std::any_of(shards_.begin(), shards_.end(), [&](const ModelShard& shard) {
    return shard.stream == streams_.back() && known_.contains(shard.id);
  });
  if (!seen) return;
  for (auto& shard : shards_) shard.open = false;
  streams_.push_back("stream-" + std::to_string(streams_.size()));
  std::set<int> all;
  for (int item = 0; item < kItems; ++item) all.insert(item);
  open_shard({}, std::move(all));
}

void StreamModel::close_all() {
  for (auto& shard : shards_) shard.open = false;
}

void StreamModel::trim() {
  for (auto& shard : shards_) {
    if (!known_.contains(shard.id)) continue;
    while (shard.trimmed < shard.records.size() &&
           out_.agenda.now() - shard.records[shard.trimmed].created > kModelRetention)
      ++shard.trimmed;
  }
}

const ModelShard* StreamModel::find(const std::string& id) const {
  const auto found = std::find_if(shards_.begin(), shards_.end(),
                                  [&](const ModelShard& shard) { return shard.id == id; });
  return found == shards_.end() ? nullptr : &*found;
}

// Two shards a page. A partial listing leaves one out, and none does so again soon.
StreamResult<StreamShardPage> StreamModel::shards(const std::string& stream,
                                                  const std::string& after) {
  if (out_.goes_wrong(out_.plan.stream_fails)) return failure(StreamErrorKind::kThrottled);
  StreamShardPage page;
  page.stream = {stream, stream == streams_.back(), StreamView::kNewAndOldImages};
  bool begun = after.empty();
  for (const auto& shard : shards_) {
    const bool shown = shard.stream == stream && shard.listed_from <= out_.agenda.now();
    if (shown && begun) {
      if (page.shards.size() == 2) {
        page.last_shard = page.shards.back().id;
        break;
      }
      const auto last = left_out_.find(shard.id);
      const bool may_leave_out =
          !page.shards.empty() &&
          (last == left_out_.end() || out_.agenda.now() - last->second > 10 * kSecond);
      if (may_leave_out && out_.goes_wrong(out_.plan.listing_partial)) {
        left_out_[shard.id] = out_.agenda.now();
        out_.tell("a listing leaves out " + shard.id);
      } else {
        page.shards.push_back({shard.id, shard.parent, "1", shard.open ? "" : "9"});
      }
    }
    if (shard.id == after) begun = true;
  }
  return page;
}

StreamResult<std::string> StreamModel::iterator(const std::string& id,
                                                const StreamPosition& position) {
  if (out_.goes_wrong(out_.plan.stream_fails)) return failure(StreamErrorKind::kUnavailable);
  const auto* shard = find(id);
  if (shard == nullptr) return failure(StreamErrorKind::kNotFound);
  if (position.at == StreamPosition::At::kOldest) return make_iterator(id, shard->trimmed);
  const auto sequence = to_number(position.sequence);
  std::size_t next = 0;
  while (next < shard->records.size() && shard->records[next].sequence <= sequence) ++next;
  if (next < shard->trimmed || (shard->trimmed > 0 && next <= shard->trimmed))
    return failure(StreamErrorKind::kTrimmed);
  return make_iterator(id, next);
}

StreamResult<StreamRecordPage> StreamModel::records(const std::string& iterator,
                                                    std::size_t count_max) {
  if (out_.goes_wrong(out_.plan.stream_fails)) return failure(StreamErrorKind::kThrottled);
  if (out_.goes_wrong(out_.plan.stream_expires)) return failure(StreamErrorKind::kExpiredIterator);
  const auto slash = iterator.find('/');
  const auto* shard = find(iterator.substr(0, slash));
  auto next = static_cast<std::size_t>(to_number(std::string_view(iterator).substr(slash + 1)));
  if (next < shard->trimmed) return failure(StreamErrorKind::kTrimmed);
  StreamRecordPage page;
  if (!out_.goes_wrong(out_.plan.stream_empty)) {
    while (next < shard->records.size() && page.records.size() < count_max) {
      StreamRecord record;
      record.sequence = std::to_string(shard->records[next++].sequence);
      page.records.push_back(std::move(record));
    }
  }
  const bool end = !shard->open && next == shard->records.size();
  if (!end) page.next_iterator = make_iterator(shard->id, next);
  return page;
}

}  // namespace pawl::guard::simulation

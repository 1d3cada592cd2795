#include "server/log_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "item/change.h"
#include "item/dynamodb_json.h"
#include "stream/sequence_text.h"

namespace pawl::server {
namespace {

constexpr std::size_t kShardsAPage = 100;
constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20;  // as an answer of the service
constexpr char kIteratorMark = '@';                            // SHARD@SEQUENCE: behind that change

StreamError not_found(const std::string& what) {
  return {StreamErrorKind::kNotFound, what + " is not there any more", {}};
}

// How far a shard reaches, and whether nothing will come behind that.
struct Extent {
  stream::ShardPosition position;
  bool ended = false;
};

// The table first: once it is seen closed, nothing comes behind the newest change that is read after that.
std::optional<Extent> extent_of(const table::TableStore& tables, ShardId shard) {
  const auto view = tables.catalog->view();
  const auto table = view->by_incarnation.find(shard.incarnation);
  if (table == view->by_incarnation.end()) return std::nullopt;
  const auto position = tables.log->position(shard);
  if (!position) return std::nullopt;
  return Extent{*position, table->second->record.state != table::TableState::kActive};
}

std::string json_of(const item::Item& item) {
  std::string text;
  item::append_item_json(text, item);
  return text;
}

StreamChangeKind kind_of(item::ChangeKind kind) {
  switch (kind) {
    case item::ChangeKind::kInsert:
      return StreamChangeKind::kInsert;
    case item::ChangeKind::kModify:
      return StreamChangeKind::kModify;
    case item::ChangeKind::kRemove:
      return StreamChangeKind::kRemove;
  }
  return StreamChangeKind::kModify;
}

StreamRecord record_of(const item::Change& change) {
  StreamRecord record;
  record.sequence = stream::sequence_text(change.sequence);
  record.kind = kind_of(change.kind);
  record.created = change.instant;
  record.keys = json_of(change.key);
  if (change.new_image) record.new_image = json_of(*change.new_image);
  if (change.old_image) record.old_image = json_of(*change.old_image);
  return record;
}

struct Place {
  ShardId shard;
  SequenceNumber after;
};

std::optional<Place> place_of(const std::string& iterator) {
  const auto mark = iterator.find(kIteratorMark);
  if (mark == std::string::npos) return std::nullopt;
  const auto shard = ShardId::parse(std::string_view(iterator).substr(0, mark));
  const auto after = stream::parse_sequence(std::string_view(iterator).substr(mark + 1));
  if (!shard || !after) return std::nullopt;
  return Place{*shard, *after};
}

std::string iterator_at(ShardId shard, SequenceNumber after) {
  return shard.to_string() + kIteratorMark + stream::sequence_text(after);
}

}  // namespace

std::string log_stream_arn(Incarnation incarnation) {
  return "pawl:change-log/" + incarnation.to_string();
}

Awaitable<StreamResult<StreamShardPage>> LogStream::shards(std::string arn, std::string after) {
  const auto view = tables_.catalog->view();
  const auto table = view->by_incarnation.find(incarnation_);
  if (arn != log_stream_arn(incarnation_) || table == view->by_incarnation.end())
    co_return not_found("the stream " + arn);
  StreamShardPage page;
  page.stream = {arn, table->second->record.state == table::TableState::kActive,
                 StreamView::kNewAndOldImages};
  for (const ShardId id : table->second->shards()) {
    const auto extent = extent_of(tables_, id);
    if (!extent || (!after.empty() && id.to_string() <= after)) continue;
    if (page.shards.size() == kShardsAPage) {
      page.last_shard = page.shards.back().id;
      break;
    }
    StreamShard& shard = page.shards.emplace_back();
    shard.id = id.to_string();
    shard.first_sequence = stream::sequence_text({1});
    if (extent->ended) shard.last_sequence = stream::sequence_text(extent->position.newest);
  }
  co_return page;
}

Awaitable<StreamResult<std::string>> LogStream::iterator(std::string arn, std::string shard,
                                                         StreamPosition position) {
  const auto id = ShardId::parse(shard);
  const auto extent =
      id && id->incarnation == incarnation_ ? extent_of(tables_, *id) : std::nullopt;
  if (arn != log_stream_arn(incarnation_) || !extent) co_return not_found("shard " + shard);
  if (position.at == StreamPosition::At::kOldest)
    co_return iterator_at(*id, extent->position.floor);
  if (position.at == StreamPosition::At::kLatest)
    co_return iterator_at(*id, extent->position.newest);
  // The guard tells numbers without zeros on the left, and to 21 digits at least: ours have neither.
  const auto after = stream::parse_sequence(position.sequence);
  if (!after) {
    co_return StreamError{StreamErrorKind::kInvalid,
                          position.sequence + " is no sequence number of this server's",
                          {}};
  }
  if (*after < extent->position.floor) {
    co_return StreamError{
        StreamErrorKind::kTrimmed,
        fmt::format("changes of shard {} were trimmed behind {}", shard, position.sequence),
        {}};
  }
  if (*after > extent->position.newest) {
    co_return StreamError{
        StreamErrorKind::kInvalid,
        fmt::format(
            "the bucket's ledger knows change {} of shard {}, and the table does not: it is "
            "older",
            position.sequence, shard),
        "restore table and bucket from one copy of the data directory"};
  }
  co_return iterator_at(*id, *after);
}

Awaitable<StreamResult<StreamRecordPage>> LogStream::records(std::string iterator,
                                                             std::size_t count_max) {
  const auto place = place_of(iterator);
  if (!place) co_return StreamError{StreamErrorKind::kInvalid, iterator + " is no iterator", {}};
  const auto extent = extent_of(tables_, place->shard);
  if (!extent) co_return not_found("shard " + place->shard.to_string());
  StreamRecordPage page;
  SequenceNumber last = place->after;
  std::size_t bytes = 0;
  Status trouble = ok();
  const auto status =
      tables_.log->visit(place->shard, place->after, std::min(count_max, kStreamRecordsMax),
                         [&](SequenceNumber sequence, std::string_view encoded) {
                           if (!page.records.empty() && bytes + encoded.size() > kAnswerBytesMax)
                             return false;
                           auto change = item::decode_change(place->shard, sequence, encoded);
                           if (!change.ok()) {
                             trouble = change.error();
                             return false;
                           }
                           bytes += encoded.size();
                           page.records.push_back(record_of(*change));
                           last = sequence;
                           return true;
                         });
  if (page.records.empty() && (!status.ok() || !trouble.ok())) {
    const auto& error = status.ok() ? trouble.error() : status.error();
    const auto now = tables_.log->position(place->shard);
    const bool is_trimmed = now && place->after < now->floor;
    co_return StreamError{is_trimmed ? StreamErrorKind::kTrimmed : StreamErrorKind::kUnavailable,
                          error.to_string(),
                          {}};
  }
  const bool at_end = extent->ended && last >= extent->position.newest;
  if (!at_end) page.next_iterator = iterator_at(place->shard, last);
  co_return page;
}

Result<std::optional<StreamRecord>> LogStream::record_at(ShardId shard,
                                                         SequenceNumber sequence) const {
  std::optional<StreamRecord> record;
  const auto is_there = [&] {
    const auto position = tables_.log->position(shard);
    return position && sequence > position->floor && sequence <= position->newest;
  };
  if (!is_there()) return record;
  Status trouble = ok();
  const auto status = tables_.log->visit(
      shard, {sequence.value - 1}, 1, [&](SequenceNumber number, std::string_view encoded) {
        auto change = item::decode_change(shard, number, encoded);
        if (change.ok()) {
          record = record_of(*change);
        } else {
          trouble = change.error();
        }
        return false;
      });
  if (!is_there()) return std::optional<StreamRecord>{};  // it was trimmed meanwhile
  PAWL_TRY(status);
  PAWL_TRY(trouble);
  return record;
}

Result<table::TablePtr> LogTable::active() const {
  const auto view = tables_.catalog->view();
  const auto found = view->by_incarnation.find(incarnation_);
  if (found != view->by_incarnation.end() &&
      found->second->record.state == table::TableState::kActive)
    return found->second;
  return Error{ErrorCode::kNotFound,
               "the table of incarnation " + incarnation_.to_string() + " is deleted",
               {}};
}

// Also of one that is deleted, as long as its changes are there.
Awaitable<Result<SourceTableFacts>> LogTable::describe() {
  const auto view = tables_.catalog->view();
  const auto found = view->by_incarnation.find(incarnation_);
  if (found == view->by_incarnation.end()) {
    co_return Error{ErrorCode::kNotFound,
                    "the table of incarnation " + incarnation_.to_string() + " is gone",
                    {}};
  }
  const auto table = found->second->describe();
  const auto key_of = [](const item::KeyAttribute& key) {
    return SourceKey{key.name, item::name_of(key.type).front()};
  };
  SourceTableFacts facts;
  facts.name = table.definition.name;
  facts.arn = log_stream_arn(incarnation_);
  facts.id = incarnation_.to_string();
  facts.created = table.created;
  facts.partition = key_of(table.definition.schema.partition);
  if (table.definition.schema.sort) facts.sort = key_of(*table.definition.schema.sort);
  facts.item_count = table.item_count;
  facts.bytes = table.size_bytes;
  facts.stream = StreamFacts{log_stream_arn(incarnation_),
                             found->second->record.state == table::TableState::kActive,
                             StreamView::kNewAndOldImages};
  co_return facts;
}

Result<std::optional<std::string>> LogTable::get_now(const std::string& key) const {
  PAWL_ASSIGN_OR_RETURN(const auto table, active());
  PAWL_ASSIGN_OR_RETURN(const auto parsed, item::parse_item_text(key));
  const auto found = tables_.reader->get(table->record.definition.name, parsed);
  if (const auto* failure = std::get_if<table::Failure>(&found))
    return Error{ErrorCode::kUnavailable, failure->message, {}};
  const auto& item = std::get<std::optional<item::Item>>(found);
  if (!item) return std::optional<std::string>{};
  return std::optional(json_of(*item));
}

Awaitable<Result<std::optional<std::string>>> LogTable::get(std::string key) {
  co_return get_now(key);
}

Awaitable<Result<std::vector<std::optional<std::string>>>> LogTable::get_many(
    std::vector<std::string> keys) {
  std::vector<std::optional<std::string>> items;
  for (const auto& key : keys) {
    auto item = get_now(key);
    if (!item.ok()) co_return item.error();
    items.push_back(std::move(item).value());
  }
  co_return items;
}

Awaitable<Result<SourceItems>> LogTable::scan(std::uint32_t segment, std::uint32_t segments,
                                              std::string after,
                                              std::vector<std::string> attributes) {
  const auto table = active();
  if (!table.ok()) co_return table.error();
  table::PageRequest request;
  request.table = (*table)->record.definition.name;
  request.segment = segment;
  request.total_segments = segments;
  if (!after.empty()) {
    auto key = item::parse_item_text(after);
    if (!key.ok()) co_return key.error();
    request.exclusive_start_key = std::move(key).value();
  }
  auto answer = tables_.reader->page(request);
  if (const auto* failure = std::get_if<table::Failure>(&answer))
    co_return Error{ErrorCode::kUnavailable, failure->message, {}};
  auto& page = std::get<table::Page>(answer);
  SourceItems items;
  for (auto& item : page.items) {
    if (!attributes.empty()) {
      std::erase_if(item, [&attributes](const auto& one) {
        return std::find(attributes.begin(), attributes.end(), one.first) == attributes.end();
      });
    }
    items.items.push_back(json_of(item));
  }
  if (page.last_evaluated_key) items.next = json_of(*page.last_evaluated_key);
  co_return items;
}

}  // namespace pawl::server

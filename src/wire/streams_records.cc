// GetShardIterator and GetRecords.
#include <algorithm>

#include "base/json_writer.h"
#include "stream/record_json.h"
#include "wire/dynamodb_answer.h"
#include "wire/dynamodb_constraints.h"
#include "wire/shard_iterator.h"
#include "wire/stream_names.h"
#include "wire/streams_call.h"

namespace pawl::wire {
namespace {

using table::StreamView;

enum class IteratorType : std::uint8_t { kTrimHorizon, kLatest, kAt, kAfter };
constexpr std::array<std::string_view, 4> kIteratorTypes{
    "TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"};
constexpr std::size_t kIteratorMax = 2048;
// Stored bytes that one request reads: with KEYS_ONLY little of them is shown.
constexpr std::size_t kStoredBytesMax = std::size_t{4} * kGetRecordsBytesMax;

ServiceError shard_not_found() { return {kResourceNotFound, "Shard does not exist", 400, {}}; }
ServiceError trimmed() {
  return {kTrimmedDataAccess,
          "The changes asked for are older than the stream's retention and are gone; go on at "
          "TRIM_HORIZON",
          400,
          {}};
}

// The position that AT and AFTER stand for.
ServiceResult<SequenceNumber> position_of(IteratorType type, std::string_view text,
                                          const table::ShardExtent& extent) {
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return validation("Invalid SequenceNumber");
  const auto given = parse_sequence(text);
  const auto foreign = [] { return validation("Invalid SequenceNumber for the shard"); };
  if (!given || given->value == 0) return foreign();
  // An empty shard that has ended says, as any, that it ends with its first number.
  const SequenceNumber end = std::max(extent.newest, extent.begin.next());
  const bool is_after = type == IteratorType::kAfter;
  const SequenceNumber after{is_after ? given->value : given->value - 1};
  if (after < extent.begin) return foreign();
  if (after < extent.horizon) return trimmed();
  if (after <= extent.newest) return after;
  if (extent.last && *given == end) return extent.newest;
  return foreign();
}

stream::RecordForm form_of(std::string_view region, const table::Stream& stream,
                           std::uint32_t shard) {
  const StreamView view = stream.facts->view;
  const bool both = view == StreamView::kNewAndOldImages;
  return {.region = region,
          .view = kStreamViews[static_cast<std::size_t>(view)],
          .shows_new = both || view == StreamView::kNewImage,
          .shows_old = both || view == StreamView::kOldImage,
          .shard = {stream.table->record.incarnation, shard}};
}

// Writes records of one shard until a page is full.
class RecordPage {
 public:
  RecordPage(std::string& out, const stream::RecordForm& form) : out_(out), record_(form) {}

  // Whether the record was taken: not so once the page is full, or after damage().
  bool add(SequenceNumber sequence, std::string_view encoded) {
    if (count_ > 0 && stored_ + encoded.size() > kStoredBytesMax) return false;
    const std::size_t before = out_.size();
    if (count_ > 0) out_.push_back(',');
    const auto written = record_.append(out_, sequence, encoded);
    if (!written.ok()) damage_ = written.error();
    if (!written.ok() || (count_ > 0 && shown_ + written->size > kGetRecordsBytesMax)) {
      out_.resize(before);
      return false;
    }
    ++count_;
    stored_ += encoded.size();
    shown_ += written->size;
    return true;
  }

  const std::optional<Error>& damage() const { return damage_; }

 private:
  std::string& out_;
  const stream::RecordJson record_;
  std::size_t count_ = 0;
  std::size_t stored_ = 0;
  std::size_t shown_ = 0;
  std::optional<Error> damage_;
};

ServiceError read_error(const Error& error, std::string_view region, const table::Stream& stream) {
  switch (error.code) {
    case ErrorCode::kExhausted:
      return trimmed();
    case ErrorCode::kNotFound:
      return stream_not_found(stream_arn(region, stream.table_name(), stream.facts->label));
    case ErrorCode::kInvalid:
      // An iterator of this directory's key, but of changes that it does not have: restored from an older copy.
      return validation("Invalid ShardIterator");
    default:
      return {kInternalServerError, error.to_string(), 500, {}};
  }
}

ServiceResult<ShardIterator> open_iterator(const StreamsCall& call, std::string_view token) {
  const auto iterator = decode_iterator(token, call.iterator_key);
  if (!iterator) return validation("Invalid ShardIterator");
  if (call.now.microseconds - iterator->made.microseconds > kIteratorLife.count()) {
    return ServiceError{kExpiredIterator,
                        "Iterator expired: it was made at " + iterator->made.to_string() +
                            " and is good for 15 minutes",
                        400,
                        {}};
  }
  return *iterator;
}

}  // namespace

ServiceResult<std::string> get_shard_iterator(StreamsCall& call) {
  Constraints constraints(call.members);
  for (const auto* const member : {"StreamArn", "ShardId", "ShardIteratorType"}) {
    constraints.required(member);
  }
  const std::string_view arn = constraints.text("StreamArn", kStreamArnMin, kStreamArnMax);
  const std::string_view id = constraints.text("ShardId", kShardIdMin, kShardIdMax);
  const auto type = constraints.choice("ShardIteratorType", kIteratorTypes);
  const std::string_view sequence =
      constraints.text("SequenceNumber", kSequenceTextMin, kSequenceTextMax);
  WIRE_TRY(constraints.finish());
  const auto kind = static_cast<IteratorType>(*type);
  const bool at_sequence = kind == IteratorType::kAt || kind == IteratorType::kAfter;
  if (at_sequence && sequence.empty()) {
    return validation("One or more parameter values were invalid: Invalid SequenceNumber");
  }
  if (!at_sequence && !sequence.empty()) {
    return validation(
        "One or more parameter values were invalid: SequenceNumber should not be passed for this "
        "iterator type");
  }
  WIRE_ASSIGN(const table::Stream stream, find_stream(call, arn));
  const auto number = parse_shard_id(id, stream.facts->label);
  if (!number || *number >= stream.shards()) return shard_not_found();
  const auto extent = call.streams.extent(stream, *number);
  if (!extent) return stream_not_found(arn);

  ShardIterator iterator{.incarnation = stream.table->record.incarnation,
                         .label = stream.facts->label,
                         .shard = *number,
                         .after = {},
                         .made = call.now};
  if (kind == IteratorType::kLatest) {
    iterator.after = extent->newest;
  } else if (at_sequence) {
    WIRE_ASSIGN(iterator.after, position_of(kind, sequence, *extent));
  }
  std::string out;
  JsonWriter(out)
      .begin_object()
      .field("ShardIterator", encode_iterator(iterator, call.iterator_key))
      .end_object();
  return out;
}

ServiceResult<std::string> get_records(StreamsCall& call) {
  Constraints constraints(call.members);
  constraints.required("ShardIterator");
  const std::string_view token = constraints.text("ShardIterator", 1, kIteratorMax);
  const auto limit = constraints.integer("Limit", 1, INT32_MAX);
  WIRE_TRY(constraints.finish());
  if (limit && *limit > kGetRecordsMax) {
    return validation(
        "One or more parameter values were invalid: Limit should be less than or equal to 1000");
  }
  WIRE_ASSIGN(ShardIterator iterator, open_iterator(call, token));
  const auto stream = call.streams.find(iterator.incarnation, iterator.label);
  if (!stream || iterator.shard >= stream->shards()) {
    return ServiceError{
        kResourceNotFound, "Requested resource not found: the iterator's stream is gone", 400, {}};
  }
  std::string out = "{\"Records\":[";
  RecordPage writer(out, form_of(call.region, *stream, iterator.shard));
  const auto read = call.streams.read(*stream, iterator.shard, iterator.after,
                                      static_cast<std::size_t>(limit.value_or(kGetRecordsMax)),
                                      [&writer](SequenceNumber sequence, std::string_view encoded) {
                                        return writer.add(sequence, encoded);
                                      });
  if (!read.ok()) return read_error(read.error(), call.region, *stream);
  if (writer.damage()) return read_error(*writer.damage(), call.region, *stream);
  out.push_back(']');
  if (!read->ended) {
    iterator.after = read->through;
    iterator.made = call.now;
    out.append(",\"NextShardIterator\":\"");
    out.append(encode_iterator(iterator, call.iterator_key)).push_back('"');
  }
  out.push_back('}');
  return out;
}

}  // namespace pawl::wire

// GetShardIterator and GetRecords.
#include <algorithm>
#include <charconv>

#include "base/json_writer.h"
#include "item/change.h"
#include "item/stored_json.h"
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
constexpr std::int64_t kMicrosecondsASecond = 1'000'000;
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

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_hex(std::string& out, std::uint64_t value, std::size_t digits) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (std::size_t i = digits; i-- > 0;) out.push_back(kHex[value >> (4 * i) & 0xF]);
}

// Writes records of one shard straight from the change log's bytes.
class RecordWriter {
 public:
  RecordWriter(std::string& out, std::string_view region, const table::Stream& stream,
               std::uint32_t shard)
      : out_(out),
        view_(stream.facts->view),
        incarnation_(stream.table->record.incarnation),
        shard_(shard) {
    // What all records have in common is made once.
    begin_ = "{\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\",\"awsRegion\":";
    append_json_string(begin_, region);
    begin_ += ",\"eventID\":\"";
    view_text_ = ",\"StreamViewType\":\"";
    view_text_.append(kStreamViews[static_cast<std::size_t>(view_)]).append("\"}}");
  }

  // Whether the record was taken: not so once the page is full, or after damage().
  bool add(SequenceNumber sequence, std::string_view encoded) {
    if (count_ > 0 && stored_ + encoded.size() > kStoredBytesMax) return false;
    const std::size_t before = out_.size();
    if (count_ > 0) out_.push_back(',');
    const auto size = write(sequence, encoded);
    if (!size.ok()) damage_ = size.error();
    if (!size.ok() || (count_ > 0 && shown_ + *size > kGetRecordsBytesMax)) {
      out_.resize(before);
      return false;
    }
    ++count_;
    stored_ += encoded.size();
    shown_ += *size;
    return true;
  }

  const std::optional<Error>& damage() const { return damage_; }

 private:
  bool shows_new() const {
    return view_ == StreamView::kNewImage || view_ == StreamView::kNewAndOldImages;
  }
  bool shows_old() const {
    return view_ == StreamView::kOldImage || view_ == StreamView::kNewAndOldImages;
  }

  // Returns SizeBytes.
  Result<std::size_t> write(SequenceNumber sequence, std::string_view encoded) {
    Reader reader(encoded);
    PAWL_ASSIGN_OR_RETURN(const item::ChangeHead head, item::read_change_head(reader));
    out_ += begin_;
    append_hex(out_, incarnation_.value, 16);
    append_hex(out_, shard_, 4);
    append_hex(out_, sequence.value, 12);
    out_.append("\",\"eventName\":\"").append(item::name_of(head.kind));
    out_.append("\",\"dynamodb\":{\"ApproximateCreationDateTime\":");
    append_number(out_,
                  static_cast<std::uint64_t>(head.instant.microseconds / kMicrosecondsASecond));
    out_.append(",\"Keys\":");
    PAWL_ASSIGN_OR_RETURN(std::size_t size, item::append_stored_item_json(out_, reader));
    if (item::has_new_image(head.kind) && view_ != StreamView::kKeysOnly) {
      // It stands before the old image, so it is read over at least.
      const std::size_t before = out_.size();
      out_.append(",\"NewImage\":");
      PAWL_ASSIGN_OR_RETURN(const std::size_t more, item::append_stored_item_json(out_, reader));
      if (shows_new()) {
        size += more;
      } else {
        out_.resize(before);
      }
    }
    if (item::has_old_image(head.kind) && shows_old()) {
      out_.append(",\"OldImage\":");
      PAWL_ASSIGN_OR_RETURN(const std::size_t more, item::append_stored_item_json(out_, reader));
      size += more;
    }
    out_.append(",\"SequenceNumber\":\"");
    append_sequence(out_, sequence);
    out_.append("\",\"SizeBytes\":");
    append_number(out_, size);
    out_ += view_text_;
    return size;
  }

  std::string& out_;
  const StreamView view_;
  const Incarnation incarnation_;
  const std::uint32_t shard_;
  std::string begin_;
  std::string view_text_;
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
  RecordWriter writer(out, call.region, *stream, iterator.shard);
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

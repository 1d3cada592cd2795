// The part of dynamodb_answers.h that is about streams.
#include <algorithm>

#include "adapter/dynamodb_answers.h"
#include "adapter/json_answer.h"

namespace pawl {
namespace {

constexpr std::size_t kArnMax = 2048;
constexpr std::size_t kShardIdMax = 65;
constexpr std::size_t kSequenceMax = 40;
constexpr std::size_t kIteratorMax = 8192;  // the reference says 2,048
constexpr std::size_t kPrincipalMax = 256;

bool read_sequence(JsonValue value, std::string& out) {
  return read_text(value, kSequenceMax, out) && !out.empty() &&
         std::all_of(out.begin(), out.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Ids become parts of names, lines and logs.
bool read_shard_id(JsonValue value, std::string& out) {
  return read_text(value, kShardIdMax, out) &&
         std::all_of(out.begin(), out.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

bool read_shard(JsonValue value, StreamShard& shard) {
  const bool read = each_member(value, [&](std::string_view name, JsonValue member) {
    if (name == "ShardId") return read_shard_id(member, shard.id);
    if (name == "ParentShardId") return read_shard_id(member, shard.parent);
    if (name != "SequenceNumberRange") return true;
    return each_member(member, [&](std::string_view end, JsonValue number) {
      if (end == "StartingSequenceNumber") return read_sequence(number, shard.first_sequence);
      if (end == "EndingSequenceNumber") return read_sequence(number, shard.last_sequence);
      return true;
    });
  });
  return read && !shard.id.empty() && !shard.first_sequence.empty() && shard.parent != shard.id;
}

bool read_view(JsonValue value, StreamView& view) {
  std::string text;
  if (!read_text(value, 64, text)) return false;
  const auto parsed = parse_stream_view(text);
  if (parsed) view = *parsed;
  return parsed.has_value();
}

}  // namespace

std::optional<StreamView> parse_stream_view(std::string_view text) {
  if (text == "KEYS_ONLY") return StreamView::kKeysOnly;
  if (text == "NEW_IMAGE") return StreamView::kNewImage;
  if (text == "OLD_IMAGE") return StreamView::kOldImage;
  if (text == "NEW_AND_OLD_IMAGES") return StreamView::kNewAndOldImages;
  return std::nullopt;
}

Result<StreamShardPage> parse_shard_page(std::string_view json) {
  StreamShardPage page;
  bool shards = false;
  std::string status;
  const auto read_member = [&](std::string_view name, JsonValue value) {
    if (name == "StreamArn") return read_text(value, kArnMax, page.stream.arn);
    if (name == "StreamStatus") return read_text(value, 64, status);
    if (name == "StreamViewType") return read_view(value, page.stream.view);
    if (name == "LastEvaluatedShardId") return read_shard_id(value, page.last_shard);
    if (name != "Shards") return true;
    shards = true;
    return each_element(value, kStreamShardsMax, [&](JsonValue element) {
      return read_shard(element, page.shards.emplace_back());
    });
  };
  const bool read = walk_json(json, [&](JsonObject top) {
    return each_member(top, [&](std::string_view name, JsonValue value) {
      return name != "StreamDescription" || each_member(value, read_member);
    });
  });
  page.stream.enabled = status == "ENABLED" || status == "ENABLING";
  if (!read || !shards || status.empty() || page.stream.arn.empty())
    return misshapen_answer("a stream's description");
  return page;
}

Result<std::string> parse_shard_iterator(std::string_view json) {
  std::string iterator;
  const bool read = walk_json(json, [&](JsonObject top) {
    return each_member(top, [&](std::string_view name, JsonValue value) {
      return name != "ShardIterator" || read_text(value, kIteratorMax, iterator);
    });
  });
  if (!read || iterator.empty()) return misshapen_answer("a shard iterator");
  return iterator;
}

namespace {

// The member "dynamodb" of a record.
bool read_change(JsonValue value, StreamRecord& record) {
  return each_member(value, [&](std::string_view name, JsonValue member) {
    if (name == "SequenceNumber") return read_sequence(member, record.sequence);
    if (name == "ApproximateCreationDateTime") return read_seconds(member, record.created);
    if (name == "Keys") return read_object_bytes(member, record.keys);
    if (name == "NewImage") return read_object_bytes(member, record.new_image);
    if (name == "OldImage") return read_object_bytes(member, record.old_image);
    return true;
  });
}

bool read_kind(JsonValue value, StreamChangeKind& kind) {
  std::string text;
  if (!read_text(value, 16, text)) return false;
  if (text == "INSERT") {
    kind = StreamChangeKind::kInsert;
  } else if (text == "MODIFY") {
    kind = StreamChangeKind::kModify;
  } else {
    kind = StreamChangeKind::kRemove;
    return text == "REMOVE";
  }
  return true;
}

bool read_record(JsonValue value, StreamRecord& record) {
  bool kind = false;
  const bool read = each_member(value, [&](std::string_view name, JsonValue member) {
    if (name == "dynamodb") return read_change(member, record);
    if (name == "eventName") {
      kind = true;
      return read_kind(member, record.kind);
    }
    if (name != "userIdentity") return true;
    return each_member(member, [&](std::string_view part, JsonValue text) {
      // The reference has the one, its examples the other.
      if (part != "PrincipalId" && part != "principalId") return true;
      return read_text(text, kPrincipalMax, record.principal);
    });
  });
  return read && kind && !record.sequence.empty() && !record.keys.empty();
}

}  // namespace

Result<StreamRecordPage> parse_record_page(std::string_view json) {
  StreamRecordPage page;
  bool records = false;
  const bool read = walk_json(json, [&](JsonObject top) {
    return each_member(top, [&](std::string_view name, JsonValue value) {
      // "" would say that the shard has ended.
      if (name == "NextShardIterator")
        return read_text(value, kIteratorMax, page.next_iterator) && !page.next_iterator.empty();
      if (name != "Records") return true;
      records = true;
      return each_element(value, kStreamRecordsMax, [&](JsonValue element) {
        return read_record(element, page.records.emplace_back());
      });
    });
  });
  if (!read || !records) return misshapen_answer("a page of records");
  return page;
}

}  // namespace pawl

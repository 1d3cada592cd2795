#include "streams_api.h"

#include <fmt/format.h>

#include <algorithm>

#include "exchange.h"
#include "text.h"

namespace scripted {
namespace {

constexpr std::uint64_t kShardPage = 100;    // FACTS: "pages at 100 shards"
constexpr std::uint64_t kRecordPage = 1000;  // FACTS: "`GetRecords`: at most 1 MB or 1,000 records"
constexpr std::size_t kRecordBytes = 1 << 20;
constexpr std::int64_t kIteratorLifeMs = 15 * 60 * 1000;  // FACTS: "An iterator lives 15 minutes"
constexpr std::int64_t kReaderMs = 1000;  // who has read within this time counts as a reader [inf]

Refusal invalid(std::string message) {
  return {400, "ValidationException", std::move(message), {}};
}
Refusal trimmed() {
  return {400,
          "TrimmedDataAccessException",
          "The operation attempted to read past the oldest stream record in a shard",
          {}};
}

struct Iterator {
  std::string arn;
  std::uint64_t shard = 0;
  std::uint64_t position = 0;
  std::uint64_t issued_ms = 0;
  std::uint64_t reader = 0;
};

// "arn|1|" and four numbers in hexadecimal: nothing is kept here, so that iterators cost no memory.
std::string print(const Iterator& iterator) {
  std::string out = iterator.arn + "|1|";
  for (const std::uint64_t number :
       {iterator.shard, iterator.position, iterator.issued_ms, iterator.reader})
    append_hex(out, number);
  return out;
}

Iterator parse(std::string_view text) {
  const std::size_t bar = text.rfind("|1|");
  if (bar == std::string_view::npos) throw invalid("Invalid ShardIterator");
  const auto bytes = from_hex(text.substr(bar + 3));
  if (!bytes || bytes->size() != 32) throw invalid("Invalid ShardIterator");
  const auto number = [&bytes](std::size_t index) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
      value = value << 8 | static_cast<unsigned char>((*bytes)[index * 8 + i]);
    return value;
  };
  return {std::string(text.substr(0, bar)), number(0), number(1), number(2), number(3)};
}

std::uint64_t limit_of(const Json& request, std::uint64_t most) {
  const std::uint64_t limit = count_or(request, "Limit", most);
  if (limit < 1) throw invalid("Limit must be at least 1");
  return std::min(limit, most);
}

std::string shard_json(const Shard& shard, std::int64_t now_ms) {
  std::string out = "{\"ShardId\":\"" + shard.id +
                    "\",\"SequenceNumberRange\":{\"StartingSequenceNumber\":\"" +
                    shard.content->first_sequence() + '"';
  if (shard.content->ended(now_ms))
    out += ",\"EndingSequenceNumber\":\"" + shard.content->last_sequence(now_ms) + '"';
  out += '}';
  if (!shard.parent.empty()) out += ",\"ParentShardId\":\"" + shard.parent + '"';
  return out + '}';
}

}  // namespace

Stream& StreamsApi::add(std::unique_ptr<Stream> stream) {
  const std::string arn = stream->arn();
  return *(streams_[arn] = std::move(stream));
}

Stream& StreamsApi::find(std::string_view arn) {
  const auto found = streams_.find(arn);
  if (found == streams_.end() || found->second->gone(clock_->now_ms()))
    throw Refusal{400,
                  "ResourceNotFoundException",
                  fmt::format("Requested resource not found: Stream: {}", arn),
                  {}};
  return *found->second;
}

std::string StreamsApi::run(std::string_view operation, const Json& request) {
  if (operation == "ListStreams") return list(request);
  if (operation == "DescribeStream") return describe(request);
  if (operation == "GetShardIterator") return iterator(request);
  if (operation == "GetRecords") return records(request);
  throw Refusal{400, "UnknownOperationException", "", {}};
}

std::string StreamsApi::name_of(std::string_view operation, const Json& request) const try {
  if (operation != "GetRecords")
    return std::string(
        text_or(request, operation == "GetShardIterator" ? "ShardId" : "StreamArn", ""));
  const Iterator iterator = parse(text_of(request, "ShardIterator"));
  const auto stream = streams_.find(iterator.arn);
  if (stream == streams_.end() || iterator.shard >= stream->second->shards().size()) return "";
  return stream->second->shards()[iterator.shard].id;
} catch (const Refusal&) {
  return "";  // run() will say what is wrong
}

std::string StreamsApi::list(const Json& request) const {
  const std::string_view table = text_or(request, "TableName", "");
  const std::string_view after = text_or(request, "ExclusiveStartStreamArn", "");
  const std::uint64_t limit = limit_of(request, 100);
  std::string streams;
  std::string last;
  std::uint64_t count = 0;
  for (auto at = streams_.upper_bound(after); at != streams_.end(); ++at) {
    const Stream& stream = *at->second;
    if (stream.gone(clock_->now_ms()) || (!table.empty() && stream.table() != table)) continue;
    if (count == limit)
      return fmt::format("{{\"Streams\":[{}],\"LastEvaluatedStreamArn\":{}}}", streams,
                         json_string(last));
    if (count++ > 0) streams += ',';
    streams += fmt::format(R"({{"StreamArn":{},"TableName":{},"StreamLabel":{}}})",
                           json_string(stream.arn()), json_string(stream.table()),
                           json_string(stream.label()));
    last = stream.arn();
  }
  return "{\"Streams\":[" + streams + "]}";
}

std::string StreamsApi::describe(const Json& request) {
  const std::int64_t now_ms = clock_->now_ms();
  while (!describes_ms_.empty() && describes_ms_.front() <= now_ms - 1000)
    describes_ms_.pop_front();
  // FACTS: "`DescribeStream` 10/s".
  if (settings_->describes_per_s > 0 && describes_ms_.size() >= settings_->describes_per_s)
    throw Refusal{400, "ThrottlingException", "Rate exceeded for DescribeStream", {}};
  describes_ms_.push_back(now_ms);
  const Stream& stream = find(text_of(request, "StreamArn"));
  const std::uint64_t limit = limit_of(request, kShardPage);
  // FACTS: "has a `CHILD_SHARDS` filter".
  std::string_view parent;
  if (const auto filter = member(request, "ShardFilter")) {
    if (text_of(*filter, "Type") != "CHILD_SHARDS")
      throw invalid("ShardFilter: Type must be CHILD_SHARDS");
    parent = text_of(*filter, "ShardId");
  }
  const std::string_view after = text_or(request, "ExclusiveStartShardId", "");
  const auto& shards = stream.shards();
  std::string listed;
  std::string last;
  std::uint64_t count = 0;
  bool more = false;
  for (std::size_t i = after.empty() ? 0 : stream.index_of(after, now_ms) + 1; i < shards.size();
       ++i) {
    const Shard& shard = shards[i];
    if (shard.forgotten || !shard.content->exists(now_ms) ||
        (!parent.empty() && shard.parent != parent))
      continue;
    more = count == limit;
    if (more) break;
    if (count++ > 0) listed += ',';
    listed += shard_json(shard, now_ms);
    last = shard.id;
  }
  return fmt::format(
      R"({{"StreamDescription":{{"StreamArn":{},"StreamLabel":{},"StreamStatus":"{}","StreamViewType":"{}",)"
      R"("CreationRequestDateTime":{},"TableName":{},"KeySchema":{},"Shards":[{}]{}}}}})",
      json_string(stream.arn()), json_string(stream.label()),
      stream.enabled() ? "ENABLED" : "DISABLED", scripted::name_of(stream.view()),
      static_cast<double>(stream.created_ms()) / 1000, json_string(stream.table()),
      stream.schema().to_json(), listed, more ? ",\"LastEvaluatedShardId\":\"" + last + '"' : "");
}

std::string StreamsApi::iterator(const Json& request) {
  const std::int64_t now_ms = clock_->now_ms();
  Stream& stream = find(text_of(request, "StreamArn"));
  const std::size_t index = stream.index_of(text_of(request, "ShardId"), now_ms);
  const ShardContent& content = *stream.shards()[index].content;
  const std::string_view type = text_of(request, "ShardIteratorType");
  Iterator made{stream.arn(), index, 0, static_cast<std::uint64_t>(now_ms), next_reader_++};
  if (type == "TRIM_HORIZON") {
    made.position = content.oldest(now_ms);
  } else if (type == "LATEST") {
    made.position = content.end(now_ms);
  } else if (type == "AT_SEQUENCE_NUMBER" || type == "AFTER_SEQUENCE_NUMBER") {
    const std::string_view sequence = text_of(request, "SequenceNumber");
    if (sequence.empty() || sequence.find_first_not_of("0123456789") != std::string_view::npos)
      throw invalid("SequenceNumber must be digits");
    // API reference, TrimmedDataAccessException: "a sequence number older than the trim point". The last trimmed record is
    // older, too, although AFTER it nothing would be missing.
    if (content.trimmed(sequence, now_ms)) throw trimmed();
    made.position = content.position(sequence, type == "AFTER_SEQUENCE_NUMBER");
  } else {
    throw invalid("ShardIteratorType is none");
  }
  return "{\"ShardIterator\":" + json_string(print(made)) + '}';
}

void StreamsApi::check_readers(Shard& shard, std::uint64_t reader) {
  if (settings_->readers_max == 0) return;
  const std::int64_t now_ms = clock_->now_ms();
  std::erase_if(shard.readers,
                [now_ms](const auto& entry) { return entry.second <= now_ms - kReaderMs; });
  // FACTS: "At most 2 readers a shard"; developer guide: more "can result in request throttling".
  if (shard.readers.size() >= settings_->readers_max && !shard.readers.contains(reader))
    throw Refusal{400, settings_->reader_error, "Rate exceeded for shard " + shard.id, {}};
  shard.readers[reader] = now_ms;
}

std::string StreamsApi::records(const Json& request) {
  const std::int64_t now_ms = clock_->now_ms();
  Iterator iterator = parse(text_of(request, "ShardIterator"));
  const std::uint64_t limit =
      limit_of(request, std::min<std::uint64_t>(kRecordPage, settings_->page_records));
  // API reference, ExpiredIteratorException: "15 minutes after it is retrieved".
  if (now_ms - static_cast<std::int64_t>(iterator.issued_ms) > kIteratorLifeMs)
    throw Refusal{400, "ExpiredIteratorException", "Iterator expired", {}};
  Stream& stream = find(iterator.arn);
  if (iterator.shard >= stream.shards().size()) throw invalid("Invalid ShardIterator");
  Shard& shard = stream.shards()[iterator.shard];
  stream.index_of(shard.id, now_ms);
  check_readers(shard, iterator.reader);
  const ShardContent& content = *shard.content;
  // API reference, TrimmedDataAccessException: "before you use the iterator in a GetRecords request, a stream record in the
  // shard exceeds the 24 hour period and is trimmed".
  if (content.lost(iterator.position, now_ms)) throw trimmed();
  RecordPage page;
  page.next = iterator.position;
  // FACTS: "it may return an empty page in the middle of a shard".
  if (!draw_.happens(settings_->empty_pages))
    page = content.read(iterator.position, now_ms, limit, kRecordBytes, stream.view());
  iterator.position = page.next;
  iterator.issued_ms = static_cast<std::uint64_t>(now_ms);
  std::string out = "{";
  // API reference, GetRecords: null means that the shard is closed and this was its end.
  if (!content.ended(now_ms) || page.next < content.end(now_ms))
    out += "\"NextShardIterator\":" + json_string(print(iterator)) + ',';
  out += "\"Records\":[";
  out += page.json;
  out += "]}";
  return out;
}

}  // namespace scripted

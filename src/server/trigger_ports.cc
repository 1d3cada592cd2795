#include "server/trigger_ports.h"

#include <algorithm>
#include <memory>

#include "wire/s3_body.h"
#include "wire/sqs_message.h"
#include "wire/stream_names.h"

namespace pawl::server {
namespace {

constexpr std::string_view kQueueArn = "arn:aws:sqs:";
constexpr std::string_view kBucketArn = "arn:aws:s3:::";

Error not_delivered(const trigger::FailureNotice& notice, std::string_view why) {
  return {ErrorCode::kUnavailable,
          "telling " + notice.destination + " of a failure: " + std::string(why), ""};
}

}  // namespace

std::optional<trigger::SourceExtent> extent_of(const table::TableRecord& table, Instant label,
                                               std::uint32_t shard, SequenceNumber floor,
                                               SequenceNumber newest) {
  const auto facts =
      std::find_if(table.streams.begin(), table.streams.end(),
                   [label](const table::TableStream& stream) { return stream.label == label; });
  trigger::SourceExtent extent;
  extent.newest = newest;
  SequenceNumber begin = floor;
  if (facts == table.streams.end()) {
    // What a log held until its table was adopted is all of its last stream. A table that lives has forgotten a stream that
    // ended, was read to its end and ran out; its log goes on, with the changes of others.
    if (table.state != table::TableState::kReplaced) return std::nullopt;
    extent.ended = true;
  } else {
    begin = std::max(begin, facts->after[shard]);
    if (facts->end) {
      extent.newest = facts->end->last[shard];
      extent.ended = true;
    }
  }
  extent.horizon = std::min(begin, extent.newest);
  return extent;
}

std::optional<trigger::SourceExtent> TableStreams::extent(const trigger::MappingSource& source,
                                                          std::uint32_t shard) const {
  const auto position = tables_.log->position(source.shard(shard));
  if (!position) return std::nullopt;
  const auto tables = tables_.catalog->view();
  const auto table = tables->by_incarnation.find(source.incarnation);
  if (table == tables->by_incarnation.end()) return std::nullopt;
  return extent_of(table->second->record, source.label, shard, position->floor, position->newest);
}

Status TableStreams::read(const trigger::MappingSource& source, std::uint32_t shard,
                          SequenceNumber after, std::size_t count_max, const Visit& visit) const {
  const auto at = extent(source, shard);
  if (!at) return Error{ErrorCode::kNotFound, "the stream " + source.arn + " is gone", ""};
  if (after < at->horizon) {
    return Error{ErrorCode::kExhausted, "changes of " + source.arn + " were trimmed", ""};
  }
  if (after >= at->newest) return ok();
  const std::uint64_t there = at->newest.value - after.value;
  return tables_.log->visit(source.shard(shard), after,
                            static_cast<std::size_t>(std::min<std::uint64_t>(there, count_max)),
                            visit);
}

std::string TableStreams::shard_name(const trigger::MappingSource& source,
                                     std::uint32_t shard) const {
  return wire::shard_id(source.label, shard);
}

void TableStreams::hold(const trigger::MappingId& mapping, ShardId shard, SequenceNumber after) {
  holds_.hold(trigger::id_text(mapping), shard, after);
}
void TableStreams::lift(const trigger::MappingId& mapping, ShardId shard) {
  holds_.lift(trigger::id_text(mapping), shard);
}

void LocalDestinations::deliver(trigger::FailureNotice notice, std::function<void(Status)> done) {
  if (notice.destination.starts_with(kQueueArn)) return send(std::move(notice), std::move(done));
  if (notice.destination.starts_with(kBucketArn)) {
    const auto shared = std::make_shared<trigger::FailureNotice>(std::move(notice));
    return buckets_.run_elsewhere([this, shared, done = std::move(done)] { put(*shared, done); });
  }
  done(not_delivered(notice, "it is no queue and no bucket"));
}

void LocalDestinations::send(trigger::FailureNotice notice, std::function<void(Status)> done) {
  queue::Command command;
  command.queue = notice.destination.substr(notice.destination.rfind(':') + 1);
  queue::Send::Entry entry;
  entry.message.body_md5 = wire::md5(notice.summary);
  entry.bytes = notice.summary.size();
  entry.message.body = std::move(notice.summary);
  entry.message.sender = "pawl";
  command.bytes = entry.bytes;
  queue::Send send;
  send.entries.push_back(std::move(entry));
  command.action = std::move(send);
  notice.summary.clear();
  notice.whole.clear();
  command.done = [notice, done = std::move(done)](const std::optional<queue::Answer>& answer) {
    if (!answer) return;  // nobody knows: the process ends
    const auto& failure = answer->failure ? answer->failure : answer->entries.front().failure;
    if (!failure) return done(ok());
    const bool is_gone = failure->refusal == queue::Refusal::kNoSuchQueue;
    done(not_delivered(notice, is_gone ? "there is no such queue" : failure->message));
  };
  queues_.submit(std::move(command));
}

// Waits for the disk.
void LocalDestinations::put(const trigger::FailureNotice& notice,
                            const std::function<void(Status)>& done) {
  wire::IncomingBody body(buckets_.store(), {});
  const auto taken = body.take(notice.whole);
  if (!taken.ok()) return done(not_delivered(notice, taken.error().message));
  auto whole = body.finish(true);
  if (!whole.ok()) return done(not_delivered(notice, whole.error().message));
  bucket::PutObject put;
  put.bucket = notice.destination.substr(kBucketArn.size());
  put.key = notice.object;
  put.record.bytes = whole->bytes;
  put.record.etag = std::move(whole->etag);
  put.record.headers = {{"content-type", "application/json"}};
  put.record.checksum = std::move(whole->checksum);
  put.record.place = std::move(whole->place);
  trigger::FailureNotice named;
  named.destination = notice.destination;
  buckets_.store().committer().submit(
      {std::move(put), [named, done](const bucket::Outcome& outcome) {
         if (outcome.refusal == bucket::Refusal::kNone) return done(ok());
         const bool is_gone = outcome.refusal == bucket::Refusal::kNoSuchBucket;
         done(not_delivered(named, is_gone ? "there is no such bucket" : outcome.why));
       }});
}

}  // namespace pawl::server

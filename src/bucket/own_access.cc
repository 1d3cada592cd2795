#include "bucket/own_access.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"

namespace pawl::bucket {
namespace {

std::string checksum_of(const Digest& digest) {
  return to_base64({reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()});
}

PutObject put_of(const OwnPorts& ports, const std::string& bucket, const OwnObject& object) {
  PutObject put;
  put.bucket = bucket;
  put.key = object.key;
  put.conditions = object.conditions;
  put.by_pawl = true;
  put.record.bytes = object.body.size();
  put.record.etag = ports.etag_of(object.body);
  put.record.checksum = {"sha256", checksum_of(object.digest), false};
  BodyPlace& place = put.record.place;
  if (object.body.size() > kStoredBytesMax) {
    place.kind = BodyKind::kFile;
    place.number = ports.store.new_number();
    return put;
  }
  place.bytes = object.body;
  if (object.body.size() > kInlineBytesMax) {
    place.kind = BodyKind::kStored;
    place.number = ports.store.new_number();
  }
  return put;
}

using Files = std::vector<std::pair<BodyNumber, std::string>>;

Result<Unit> write_files(BucketStore& store, const Files& files) {
  for (const auto& [number, bytes] : files) {
    PAWL_ASSIGN_OR_RETURN(const auto writer, store.files().create(number));
    PAWL_TRY(writer->append(bytes));
    PAWL_TRY(writer->seal());
  }
  return Unit{};
}

std::string_view words_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNoSuchBucket:
      return "there is no such bucket";
    case Refusal::kNoSuchKey:
      return "there is no such object";
    case Refusal::kConditionFailed:
      return "something else is there";
    default:
      return "it was not done";
  }
}

}  // namespace

Awaitable<Result<std::vector<PutObject>>> prepare_puts(OwnPorts ports, std::string bucket,
                                                       std::vector<OwnObject> objects) {
  std::vector<PutObject> puts;
  puts.reserve(objects.size());
  // Copied: a thread that writes them must not depend on whether somebody still waits for it.
  Files files;
  for (const OwnObject& object : objects) {
    puts.push_back(put_of(ports, bucket, object));
    const BodyPlace& place = puts.back().record.place;
    if (place.kind == BodyKind::kFile) files.emplace_back(place.number, std::string(object.body));
  }
  if (files.empty()) co_return puts;
  std::vector<BodyNumber> numbers;
  for (const auto& [number, bytes] : files) numbers.push_back(number);
  const auto given = std::make_shared<const Files>(std::move(files));
  std::function<Result<Unit>()> work = [&store = ports.store, given] {
    return write_files(store, *given);
  };
  const auto written = co_await run_elsewhere<Unit>(ports, std::move(work));
  if (written.ok()) co_return puts;
  ports.store.committer().watch()->retire(std::move(numbers));
  co_return written.error();
}

Awaitable<std::vector<Outcome>> commit(OwnPorts ports, std::vector<Action> actions) {
  std::vector<std::shared_ptr<Awaited<Outcome>>> answers;
  answers.reserve(actions.size());
  for (Action& action : actions) {
    const auto answer = std::make_shared<Awaited<Outcome>>(ports.clock);
    answers.push_back(answer);
    ports.store.committer().submit(
        {std::move(action), [answer](Outcome outcome) { answer->set(std::move(outcome)); }});
  }
  std::vector<Outcome> outcomes;
  outcomes.reserve(answers.size());
  for (const auto& answer : answers) {
    auto outcome = co_await answer->get();
    outcomes.push_back(std::move(outcome));
  }
  co_return outcomes;
}

std::string why_not_put(const Outcome& outcome, std::string_view bucket, std::string_view key) {
  return fmt::format("putting s3://{}/{}: {}", bucket, key,
                     outcome.why.empty() ? words_of(outcome.refusal) : outcome.why);
}

Status read_pieces(BucketStore& store, const std::vector<BodyPiece>& pieces,
                   const std::function<bool(std::string_view bytes)>& take) {
  for (const BodyPiece& piece : pieces) {
    if (piece.segment.kind != BodyKind::kFile) {
      if (!take(piece.bytes)) return ok();
      continue;
    }
    PAWL_ASSIGN_OR_RETURN(const auto file, store.files().open(piece.segment.number));
    for (std::uint64_t at = 0; at < piece.segment.bytes;) {
      const auto size = static_cast<std::size_t>(
          std::min<std::uint64_t>(kReadPieceMax, piece.segment.bytes - at));
      PAWL_ASSIGN_OR_RETURN(const std::string bytes, file->read(at, size));
      if (!take(bytes)) return ok();
      at += size;
    }
  }
  return ok();
}

Result<Digest> digest_of(BucketStore& store, const std::vector<BodyPiece>& pieces) {
  Sha256 hash;
  PAWL_TRY(read_pieces(store, pieces, [&hash](std::string_view bytes) {
    hash.update(bytes);
    return true;
  }));
  return hash.finish();
}

namespace {

Result<std::optional<std::string>> read_whole(BucketStore& store, const std::string& bucket,
                                              const std::string& key, std::size_t size_max) {
  const auto guard = store.guard();
  PAWL_ASSIGN_OR_RETURN(const auto whole, store.object_with_body(bucket, key));
  if (!whole) return std::optional<std::string>();
  if (whole->record.bytes > size_max) {
    return Error{
        ErrorCode::kInvalid,
        fmt::format("reading s3://{}/{}: it has more than {} bytes", bucket, key, size_max),
        {}};
  }
  guard->narrow(files_of(whole->pieces));
  std::string body;
  body.reserve(static_cast<std::size_t>(whole->record.bytes));
  PAWL_TRY(read_pieces(store, whole->pieces, [&body](std::string_view bytes) {
    body.append(bytes);
    return true;
  }));
  return std::optional<std::string>(std::move(body));
}

}  // namespace

Awaitable<Result<std::optional<std::string>>> read_own(OwnPorts ports, std::string bucket,
                                                       std::string key, std::size_t size_max) {
  std::function<Result<std::optional<std::string>>()> work = [&store = ports.store, bucket, key,
                                                              size_max] {
    return read_whole(store, bucket, key, size_max);
  };
  auto body = co_await run_elsewhere<std::optional<std::string>>(ports, std::move(work));
  co_return body;
}

}  // namespace pawl::bucket

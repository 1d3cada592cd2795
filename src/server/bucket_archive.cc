#include "server/bucket_archive.h"

#include <utility>
#include <vector>

#include "adapter/archive_identity.h"
#include "base/hex.h"
#include "wire/sqs_message.h"

namespace pawl::server {
namespace {

constexpr const char* kIdentityName = ".pawl/archive.json";
constexpr const char* kRegion = "us-east-1";

std::string md5_hex(std::string_view bytes) {
  const auto digest = wire::md5(bytes);
  return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Error not_done(const bucket::Outcome& outcome, const std::string& name,
               std::string_view attempted) {
  return {ErrorCode::kUnavailable,
          std::string(attempted) + " s3://" + name + ": " +
              (outcome.why.empty() ? "it was refused" : outcome.why),
          {}};
}

// Done, or done before.
Awaitable<Status> make_bucket(bucket::OwnPorts ports, std::string name) {
  std::vector<bucket::Action> actions;
  actions.emplace_back(bucket::CreateBucket{name, kRegion, true});
  const auto outcomes = co_await bucket::commit(ports, std::move(actions));
  const auto refusal = outcomes.front().refusal;
  if (refusal == bucket::Refusal::kNone || refusal == bucket::Refusal::kBucketExists)
    co_return ok();
  if (refusal == bucket::Refusal::kTooManyBuckets) {
    co_return Error{ErrorCode::kInvalid, "making s3://" + name + ": there are too many buckets",
                    "delete one that is empty"};
  }
  co_return not_done(outcomes.front(), name, "making");
}

Awaitable<Status> supervise(bucket::OwnPorts ports, std::string name) {
  std::vector<bucket::Action> actions;
  actions.emplace_back(bucket::Supervise{name});
  const auto outcomes = co_await bucket::commit(ports, std::move(actions));
  const auto& outcome = outcomes.front();
  if (outcome.refusal == bucket::Refusal::kNone) co_return ok();
  if (outcome.refusal == bucket::Refusal::kReserved) {
    co_return Error{ErrorCode::kInvalid, "supervising s3://" + name + ": " + outcome.why,
                    "move them away, or name another bucket"};
  }
  co_return not_done(outcome, name, "supervising");
}

Awaitable<Result<bool>> put_identity(bucket::OwnPorts ports, std::string name,
                                     std::string identity) {
  bucket::OwnObject object;
  object.key = kIdentityName;
  object.body = identity;
  object.digest = sha256(identity);
  object.conditions.absent = true;
  std::vector<bucket::OwnObject> objects;
  objects.push_back(std::move(object));
  auto puts = co_await bucket::prepare_puts(ports, name, std::move(objects));
  if (!puts.ok()) co_return puts.error();
  std::vector<bucket::Action> actions;
  actions.emplace_back(std::move(puts->front()));
  const auto outcomes = co_await bucket::commit(ports, std::move(actions));
  const auto refusal = outcomes.front().refusal;
  if (refusal == bucket::Refusal::kNone) co_return true;
  if (refusal == bucket::Refusal::kConditionFailed) co_return false;
  co_return not_done(outcomes.front(), name, "making an archive of");
}

}  // namespace

bucket::OwnPorts own_ports(BucketPlace& place, Clock& clock) {
  return {place.store(), clock,
          [&place](std::function<void()> work) { place.run_elsewhere(std::move(work)); }, md5_hex};
}

Awaitable<Result<BucketArchive>> open_bucket_archive(bucket::OwnPorts ports, std::string name,
                                                     Random& random) {
  const auto made = co_await make_bucket(ports, name);
  if (!made.ok()) co_return made.error();
  const auto supervised = co_await supervise(ports, name);
  if (!supervised.ok()) co_return supervised.error();
  const auto created =
      co_await put_identity(ports, name, render_archive_identity(random.next(), ports.clock.now()));
  if (!created.ok()) co_return created.error();
  const auto found = co_await bucket::read_own(ports, name, kIdentityName, kArchiveIdentityMax);
  if (!found.ok()) co_return found.error();
  const auto id = parse_archive_identity(found->value_or(std::string()), "s3://" + name);
  if (!id.ok()) co_return id.error();
  co_return BucketArchive{*id, *created};
}

}  // namespace pawl::server

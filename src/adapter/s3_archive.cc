#include "adapter/s3_archive.h"

#include <fmt/format.h>

#include "adapter/archive_identity.h"
#include "adapter/s3_listing.h"

namespace pawl {
namespace {

constexpr std::string_view kIdentityName = ".pawl/archive.json";
constexpr std::string_view kProbeName = ".pawl/probe";
// The same for every Pawl, so that two that probe at once don't disturb each other.
constexpr std::string_view kProbeBody = "pawl-probe/1: a second put of this object must fail\n";
constexpr std::string_view kOtherBody = "pawl-probe/1: this store ignores If-None-Match\n";
constexpr std::string_view kForeignEtag = "\"00000000000000000000000000000000\"";

Error ignores(const S3Client& client, std::string_view condition, std::string_view what) {
  return {
      ErrorCode::kInvalid,
      fmt::format(
          "{}: this store ignores conditional requests ({}): {}, so history could be overwritten "
          "and two servers could not be told apart",
          client.describe(), condition, what),
      "use a store that honours If-None-Match and If-Match on PUT: Amazon S3, Ceph RADOS Gateway, "
      "MinIO"};
}

Error ignores_absence(const S3Client& client, std::string_view what) {
  return ignores(client, "If-None-Match: *", what);
}

Awaitable<S3Answer> put(S3Client& client, std::string_view name, std::string_view body,
                        std::pair<std::string, std::string> condition) {
  S3Request request;
  request.method = "PUT";
  request.key = client.location().key_of(name);
  request.headers.push_back(std::move(condition));
  request.body = body;
  request.body_digest = sha256(body);
  co_return co_await client.call(std::move(request));
}

Awaitable<S3Answer> get(S3Client& client, std::string_view name) {
  S3Request request;
  request.method = "GET";
  request.key = client.location().key_of(name);
  co_return co_await client.call(std::move(request));
}

Error failed(const S3Client& client, const S3Answer& answer, std::string_view attempted) {
  Error error = to_read_error(answer, fmt::format("{} of {}", attempted, client.describe()));
  if (answer.code == "NoSuchBucket") error.code = ErrorCode::kNotFound;
  return error;
}

// If-None-Match: what is there must not be overwritten. Gives what the probe holds.
Awaitable<Result<std::string>> probe_absence(S3Client& client) {
  const auto first = co_await put(client, kProbeName, kProbeBody, {"If-None-Match", "*"});
  if (!first.done() && first.status != 412)
    co_return failed(client, first, "probing the conditions");
  auto before = co_await get(client, kProbeName);
  if (!before.done()) co_return failed(client, before, "reading the probe");
  const auto other = before.reply.body == kProbeBody ? kOtherBody : kProbeBody;
  const auto second = co_await put(client, kProbeName, other, {"If-None-Match", "*"});
  if (second.done()) co_return ignores_absence(client, "a second put of one name was taken");
  if (second.status != 412) co_return failed(client, second, "probing the conditions");
  const auto after = co_await get(client, kProbeName);
  if (!after.done()) co_return failed(client, after, "reading the probe");
  if (after.reply.body != before.reply.body)
    co_return ignores_absence(client, "the probe holds what a refused put sent");
  co_return std::move(before.reply.body);
}

// If-Match: a wrong ETag must be refused, and one of the forms of the right one taken. Puts what is there.
Awaitable<Result<EtagForm>> probe_match(S3Client& client, std::string body) {
  const auto wrong =
      co_await put(client, kProbeName, body, {"If-Match", std::string(kForeignEtag)});
  if (wrong.done()) co_return ignores(client, "If-Match", "a put for another ETag was taken");
  if (wrong.status != 412) co_return failed(client, wrong, "probing If-Match");
  for (const auto form : {EtagForm::kQuoted, EtagForm::kUnquoted}) {
    const auto found = co_await get(client, kProbeName);
    if (!found.done()) co_return failed(client, found, "reading the probe");
    const auto match = etag_for(form, found.reply.header("etag"));
    const auto right = co_await put(client, kProbeName, body, {"If-Match", match});
    if (right.done()) co_return form;
    if (right.status != 412) co_return failed(client, right, "probing If-Match");
  }
  co_return Error{ErrorCode::kInvalid,
                  fmt::format("{}: this store refuses every put with If-Match", client.describe()),
                  "use a store that honours it on PUT: Amazon S3, Ceph RADOS Gateway, MinIO"};
}

// Nothing where there is none.
Awaitable<Result<std::optional<std::uint64_t>>> read_identity(S3Client& client) {
  const auto found = co_await get(client, kIdentityName);
  if (found.absent()) co_return std::optional<std::uint64_t>{};
  if (!found.done()) co_return failed(client, found, "opening the archive");
  const auto id = parse_archive_identity(found.reply.body, client.describe());
  if (!id.ok()) co_return id.error();
  co_return std::optional<std::uint64_t>(*id);
}

Awaitable<Status> check_empty(S3Client& client) {
  S3ListRequest request;
  request.prefix = client.location().key_of("");
  request.keys_max = 10;
  const auto page = co_await list_objects(client, std::move(request));
  if (!page.ok()) co_return page.error();
  for (const auto& object : page->objects) {
    if (object.key == client.location().key_of(kProbeName)) continue;
    co_return Error{ErrorCode::kInvalid,
                    fmt::format("{} holds objects but is no archive: \"{}\", for one",
                                client.describe(), object.key),
                    "give a prefix of its own, s3://BUCKET/PREFIX, or an empty bucket"};
  }
  co_return ok();
}

}  // namespace

std::string etag_for(EtagForm form, std::string_view etag) {
  if (form == EtagForm::kUnquoted && etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

Awaitable<Result<S3Archive>> find_s3_archive(S3Client& client) {
  const auto id = co_await read_identity(client);
  if (!id.ok()) co_return id.error();
  if (!*id) {
    co_return Error{ErrorCode::kNotFound,
                    fmt::format("{} is no archive of Pawl's", client.describe()),
                    "give the bucket and prefix that `pawl serve` names as its archive"};
  }
  co_return S3Archive{**id, false, EtagForm::kQuoted};
}

Awaitable<Result<S3ArchiveProbe>> probe_s3_archive(S3Client& client, S3Prefix prefix) {
  const auto known = co_await read_identity(client);
  if (!known.ok()) co_return known.error();
  auto id = *known;
  if (!id && prefix == S3Prefix::kOwn) {
    const auto empty = co_await check_empty(client);
    if (!empty.ok()) {
      // What is there may be the archive that another has made since.
      const auto again = co_await read_identity(client);
      if (!again.ok()) co_return again.error();
      if (!*again) co_return empty.error();
      id = *again;
    }
  }
  auto probe = co_await probe_absence(client);
  if (!probe.ok()) co_return probe.error();
  const auto form = co_await probe_match(client, std::move(probe).value());
  if (!form.ok()) co_return form.error();
  co_return S3ArchiveProbe{id, *form};
}

Awaitable<Status> probe_put_if_absent(S3Client& client) {
  const auto first = co_await put(client, kProbeName, kProbeBody, {"If-None-Match", "*"});
  if (!first.done() && first.status != 412)
    co_return failed(client, first, "probing the conditions");
  const auto before = co_await get(client, kProbeName);
  const auto other = before.done() && before.reply.body != kProbeBody ? kProbeBody : kOtherBody;
  const auto second = co_await put(client, kProbeName, other, {"If-None-Match", "*"});
  if (second.done()) co_return ignores_absence(client, "a second put of one name was taken");
  if (second.status != 412) co_return failed(client, second, "probing the conditions");
  // Who may not read is told so by either; then the refusals have to do.
  if (!before.done()) co_return ok();
  const auto after = co_await get(client, kProbeName);
  if (!after.done()) co_return failed(client, after, "reading the probe");
  if (after.reply.body != before.reply.body)
    co_return ignores_absence(client, "the probe holds what a refused put sent");
  co_return ok();
}

Awaitable<Result<S3Archive>> open_s3_archive(S3Client& client, Random& random, Instant now,
                                             S3Prefix prefix) {
  const auto probed = co_await probe_s3_archive(client, prefix);
  if (!probed.ok()) co_return probed.error();
  if (probed->id) co_return S3Archive{*probed->id, false, probed->etag_form};

  const auto identity = render_archive_identity(random.next(), now);
  const auto made = co_await put(client, kIdentityName, identity, {"If-None-Match", "*"});
  if (!made.done() && made.status != 412) co_return failed(client, made, "making the archive");
  // Whose it became is what stands there now.
  auto archive = co_await find_s3_archive(client);
  if (!archive.ok()) co_return archive.error();
  co_return S3Archive{archive->id, made.done(), probed->etag_form};
}

}  // namespace pawl

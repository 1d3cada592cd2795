#include "bucket/own_object_store.h"

namespace pawl::bucket {

Awaitable<std::vector<PutResult>> OwnObjectStore::put_if_absent(
    std::span<const PutRequest> requests) {
  std::vector<PutResult> results(requests.size(), {PutOutcome::kRefused, {}});
  std::vector<OwnObject> objects;
  std::vector<std::size_t> asked;  // which request each of them is
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].name.size() > kObjectKeyBytesMax) {
      results[i].why =
          "putting " + std::string(requests[i].name) + ": its name is too long for a bucket";
      continue;
    }
    Conditions conditions;
    conditions.absent = true;
    objects.push_back({std::string(requests[i].name), requests[i].body, requests[i].digest,
                       std::move(conditions)});
    asked.push_back(i);
  }
  auto puts = co_await prepare_puts(ports_, bucket_, std::move(objects));
  if (!puts.ok()) {
    for (const std::size_t i : asked) results[i].why = puts.error().to_string();
    co_return results;
  }
  std::vector<Action> actions;
  actions.reserve(puts->size());
  for (PutObject& put : *puts) actions.emplace_back(std::move(put));
  const auto outcomes = co_await commit(ports_, std::move(actions));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const PutRequest& request = requests[asked[i]];
    PutResult& result = results[asked[i]];
    if (outcomes[i].refusal == Refusal::kNone) {
      result.outcome = PutOutcome::kStored;
    } else if (outcomes[i].refusal == Refusal::kConditionFailed) {
      result = co_await compare(request);
    } else {
      result.why = why_not_put(outcomes[i], bucket_, request.name);
    }
  }
  co_return results;
}

Awaitable<PutResult> OwnObjectStore::compare(const PutRequest& request) {
  const auto found = co_await get(request.name, request.body.size());
  if (!found.ok() && found.error().code == ErrorCode::kInvalid) {  // longer than ours
    co_return PutResult{PutOutcome::kAlreadyDifferent, {}};
  }
  if (!found.ok())
    co_return PutResult{PutOutcome::kRefused,
                        "comparing what is there: " + found.error().to_string()};
  if (!found->has_value())
    co_return PutResult{PutOutcome::kRefused,
                        "putting " + std::string(request.name) + ": it was removed meanwhile"};
  const bool equal = sha256(**found) == request.digest;
  co_return PutResult{equal ? PutOutcome::kAlreadyEqual : PutOutcome::kAlreadyDifferent, {}};
}

Awaitable<Result<std::optional<std::string>>> OwnObjectStore::get(std::string_view name,
                                                                  std::size_t size_max) {
  co_return co_await read_own(ports_, bucket_, std::string(name), size_max);
}

Awaitable<Status> OwnObjectStore::set_aside(std::span<const std::string> /*names*/) {
  co_return ok();
}

Result<std::optional<std::uint64_t>> OwnObjectStore::free_bytes() {
  PAWL_ASSIGN_OR_RETURN(const Room room, ports_.store.records().room());
  return std::optional<std::uint64_t>(room.free_bytes);
}

}  // namespace pawl::bucket

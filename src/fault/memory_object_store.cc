#include "fault/memory_object_store.h"

namespace pawl {

PutResult MemoryObjectStore::put_one(const PutRequest& request, std::vector<std::string>& stored) {
  const std::string name(request.name);
  if (const auto it = objects_.find(name); it != objects_.end()) {
    if (it->second.body != request.body) return {PutOutcome::kAlreadyDifferent, {}};
    if (it->second.in_doubt) {
      return {
          PutOutcome::kUnknown,
          "putting " + name + ": it is there since a sync that failed; it must be set aside first"};
    }
    if (!it->second.durable) stored.push_back(name);
    return {PutOutcome::kAlreadyEqual, {}};
  }
  const auto fault = static_cast<ObjectPutFault>(
      plan_ == nullptr ? 0 : plan_->choose(FaultPoint::kObjectPut, kObjectPutFaults));
  switch (fault) {
    case ObjectPutFault::kNone:
      break;
    case ObjectPutFault::kRefused:
      return {PutOutcome::kRefused, "putting " + name + ": injected: refused"};
    case ObjectPutFault::kStoredAnswerLost:
      objects_[name] = {std::string(request.body), true, false};
      [[fallthrough]];
    case ObjectPutFault::kNotStoredAnswerLost:
      return {PutOutcome::kUnknown, "putting " + name + ": injected: no answer"};
  }
  objects_[name] = {std::string(request.body), false, false};
  stored.push_back(name);
  return {PutOutcome::kStored, {}};
}

Awaitable<std::vector<PutResult>> MemoryObjectStore::put_if_absent(
    std::span<const PutRequest> requests) {
  co_await delay_.wait(plan_, FaultPoint::kObjectDelay);
  std::vector<std::string> unsynced;
  std::vector<PutResult> results;
  results.reserve(requests.size());
  for (const PutRequest& request : requests) results.push_back(put_one(request, unsynced));
  if (unsynced.empty()) co_return results;

  co_await delay_.wait(plan_, FaultPoint::kObjectDelay);
  const auto fault = static_cast<ObjectSyncFault>(
      plan_ == nullptr ? 0 : plan_->choose(FaultPoint::kObjectSync, kObjectSyncFaults));
  const std::set<std::string, std::less<>> names(unsynced.begin(), unsynced.end());
  for (const std::string& name : names) {
    switch (fault) {
      case ObjectSyncFault::kNone:
        objects_[name].durable = true;
        break;
      case ObjectSyncFault::kNotDone:
        objects_.erase(name);
        break;
      case ObjectSyncFault::kInDoubt:
        objects_[name].in_doubt = true;
        break;
    }
  }
  if (fault == ObjectSyncFault::kNone) co_return results;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const bool lost = (results[i].outcome == PutOutcome::kStored ||
                       results[i].outcome == PutOutcome::kAlreadyEqual ||
                       results[i].outcome == PutOutcome::kAlreadyDifferent) &&
                      names.contains(requests[i].name);
    if (!lost) continue;
    results[i] = {fault == ObjectSyncFault::kNotDone ? PutOutcome::kRefused : PutOutcome::kUnknown,
                  "putting " + std::string(requests[i].name) + ": injected: the sync failed"};
  }
  co_return results;
}

Awaitable<Result<std::optional<std::string>>> MemoryObjectStore::get(std::string_view name,
                                                                     std::size_t size_max) {
  if (plan_ != nullptr && plan_->choose(FaultPoint::kObjectGet, 2) != 0) {
    co_return Error{ErrorCode::kUnavailable, "reading " + std::string(name) + ": injected", {}};
  }
  const auto it = objects_.find(name);
  if (it == objects_.end()) co_return std::optional<std::string>();
  if (it->second.body.size() > size_max) {
    co_return Error{
        ErrorCode::kInvalid,
        "reading " + std::string(name) + ": larger than " + std::to_string(size_max) + " bytes",
        {}};
  }
  co_return std::optional<std::string>(it->second.body);
}

Awaitable<Status> MemoryObjectStore::set_aside(std::span<const std::string> names) {
  for (const std::string& name : names) objects_.erase(name);
  co_return ok();
}

void MemoryObjectStore::crash() {
  for (auto it = objects_.begin(); it != objects_.end();) {
    Object& object = it->second;
    const bool stays =
        object.durable || (plan_ != nullptr && plan_->choose(FaultPoint::kObjectCrash, 2) == 1);
    object.durable = true;
    object.in_doubt = false;
    it = stays ? std::next(it) : objects_.erase(it);
  }
}

void MemoryObjectStore::destroy(std::string_view name) {
  const auto it = objects_.find(name);
  PAWL_ASSERT(it != objects_.end());
  objects_.erase(it);
}

}  // namespace pawl

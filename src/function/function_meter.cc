#include "function/function_meter.h"

#include <algorithm>
#include <numeric>

namespace pawl::function {
namespace {

using Outcome = InvocationResult::Outcome;

bool is_failure(Outcome outcome) {
  return outcome != Outcome::kReturned && outcome != Outcome::kThrottled;
}

// What is said of it, and what the function said itself: "the handler failed: {"errorMessage":…}".
std::string why_of(const InvocationResult& result) {
  std::string why = result.why.substr(0, kFailureBytesMax);
  if (result.payload.empty() || why.size() + 2 >= kFailureBytesMax) return why;
  if (!why.empty()) why += ": ";
  return why.append(result.payload, 0, kFailureBytesMax - why.size());
}

}  // namespace

void DurationFigures::add(Duration took) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::max(took, Duration::zero()));
  const auto of = static_cast<std::uint64_t>(ms.count());
  const auto* const bound = std::lower_bound(kBoundsMs.begin(), kBoundsMs.end(), of);
  ++calls[static_cast<std::size_t>(bound - kBoundsMs.begin())];
  total_ms += of;
}

std::uint64_t DurationFigures::count() const {
  return std::accumulate(calls.begin(), calls.end(), std::uint64_t{0});
}

void FunctionFigures::add(const FunctionFigures& other) {
  now.starting += other.now.starting;
  now.idle += other.now.idle;
  now.busy += other.now.busy;
  now.ending += other.now.ending;
  now.calls += other.now.calls;
  now.waiting += other.now.waiting;
  for (std::size_t i = 0; i < ended.size(); ++i) ended[i] += other.ended[i];
  for (std::size_t i = 0; i < durations.calls.size(); ++i)
    durations.calls[i] += other.durations.calls[i];
  durations.total_ms += other.durations.total_ms;
  discarded_events += other.discarded_events;
}

void FunctionMeter::processes(const ProcessFigures& now) {
  const std::lock_guard lock(mutex_);
  figures_.now = now;
}

void FunctionMeter::ended(const InvocationResult& result, std::optional<Duration> took,
                          Instant at) {
  std::optional<FunctionFigures::Failure> failure;
  if (is_failure(result.outcome)) failure = {at, result.outcome, why_of(result)};
  const std::lock_guard lock(mutex_);
  ++figures_.ended[static_cast<std::size_t>(result.outcome)];
  if (took) figures_.durations.add(*took);
  if (failure) figures_.last_failure = std::move(failure);
}

void FunctionMeter::discarded_event() {
  const std::lock_guard lock(mutex_);
  ++figures_.discarded_events;
}

FunctionFigures FunctionMeter::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

std::shared_ptr<FunctionMeter> FunctionMeters::of(const FunctionRecord& function) {
  const std::lock_guard lock(mutex_);
  Entry& entry = meters_[function.id];
  if (!entry.meter) entry = {function.name, std::make_shared<FunctionMeter>()};
  return entry.meter;
}

void FunctionMeters::forget(const std::string& name, std::uint64_t but) {
  const std::lock_guard lock(mutex_);
  std::erase_if(meters_,
                [&](const auto& one) { return one.second.name == name && one.first != but; });
}

void FunctionMeters::discarded_event(std::uint64_t function) {
  const std::lock_guard lock(mutex_);
  const auto found = meters_.find(function);
  if (found != meters_.end()) found->second.meter->discarded_event();
}

std::map<std::uint64_t, FunctionFigures> FunctionMeters::figures() const {
  std::map<std::uint64_t, FunctionFigures> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : meters_) all.emplace_hint(all.end(), id, entry.meter->figures());
  return all;
}

FunctionsFigures figures_of(const std::vector<FunctionPtr>& functions,
                            const std::map<std::uint64_t, FunctionFigures>& figures,
                            const std::map<std::uint64_t, std::uint64_t>& events) {
  FunctionsFigures all;
  for (const FunctionPtr& function : functions) {
    FunctionLine line{function->name, {}, 0};
    if (const auto found = figures.find(function->id); found != figures.end())
      line.figures = found->second;
    if (const auto found = events.find(function->id); found != events.end())
      line.events = found->second;
    if (all.listed.size() < kListedMax) {
      all.listed.push_back(std::move(line));
      continue;
    }
    ++all.other_functions;
    all.others.figures.add(line.figures);
    all.others.events += line.events;
  }
  return all;
}

}  // namespace pawl::function

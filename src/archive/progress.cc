#include "archive/progress.h"

#include <algorithm>

#include "archive/object_naming.h"
#include "base/assert.h"

namespace pawl::archive {
namespace {

using Effects = std::vector<ProgressEffect>;
using State = InFlight::State;
using Phase = Progress::Phase;

void back_off(Progress& progress, MonotonicInstant now) {
  const auto doublings = std::min<std::uint32_t>(progress.failures, 10);
  progress.retry_at = now + std::min(kBackoffFirst * (1 << doublings), kBackoffLast);
  ++progress.failures;
}

SequenceNumber sequence_at(const Progress& progress, std::size_t index) {
  return {progress.paged.value + 1 + index};
}

// What is doubtful goes first; then what waits is put; then what is durable is paged.
Effects put_or_page(Progress& progress) {
  Put put;
  for (std::size_t i = 0; i < progress.in_flight.size(); ++i) {
    const auto& change = progress.in_flight[i];
    PAWL_ASSERT(change.state != State::kDoubtful);
    if (change.state == State::kWaiting)
      put.targets.push_back({sequence_at(progress, i), change.attempt});
  }
  if (!put.targets.empty()) {
    progress.phase = Phase::kPutting;
    return {std::move(put)};
  }
  if (progress.in_flight.empty()) {
    progress.phase = Phase::kOpen;
    return {};
  }
  progress.phase = Phase::kPaging;
  return {WritePage{progress.paged.next(), progress.read()}};
}

Effects take(Progress& progress, const Taken& event) {
  PAWL_ASSERT(progress.phase == Phase::kOpen && event.count <= progress.room());
  for (std::size_t i = 0; i < event.count; ++i) {
    const bool doubtful = progress.read().next() <= progress.doubtful_through;
    progress.in_flight.push_back({doubtful ? State::kDoubtful : State::kWaiting, 0});
  }
  SetAside aside;
  for (std::size_t i = 0; i < progress.in_flight.size(); ++i) {
    if (progress.in_flight[i].state == State::kDoubtful)
      aside.changes.push_back(sequence_at(progress, i));
  }
  if (aside.changes.empty()) return put_or_page(progress);
  progress.phase = Phase::kSettingAside;
  return {std::move(aside)};
}

Effects set_aside_answered(Progress& progress, const SetAsideAnswered& event,
                           MonotonicInstant now) {
  PAWL_ASSERT(progress.phase == Phase::kSettingAside);
  if (!event.done) {
    progress.phase = Phase::kOpen;
    back_off(progress, now);
    return {};
  }
  for (auto& change : progress.in_flight) {
    if (change.state == State::kDoubtful) change = {State::kWaiting, 0};
  }
  return put_or_page(progress);
}

// The new state of a change whose put had this outcome. `failed` is set where it must wait.
InFlight after_put(InFlight change, PutOutcome outcome, bool& failed) {
  switch (outcome) {
    case PutOutcome::kStored:
    case PutOutcome::kAlreadyEqual:
      change.state = State::kDurable;
      break;
    case PutOutcome::kAlreadyDifferent:
      if (change.attempt < kFallbacksMax) {
        ++change.attempt;
      } else {
        failed = true;
      }
      break;
    case PutOutcome::kRefused:
      failed = true;
      break;
    case PutOutcome::kUnknown:
      change.state = State::kDoubtful;
      failed = true;
      break;
  }
  return change;
}

Effects put_answered(Progress& progress, const PutAnswered& event, MonotonicInstant now) {
  PAWL_ASSERT(progress.phase == Phase::kPutting);
  bool failed = false;
  std::size_t answered = 0;
  for (auto& change : progress.in_flight) {
    if (change.state != State::kWaiting) continue;
    PAWL_ASSERT(answered < event.outcomes.size());
    change = after_put(change, event.outcomes[answered++], failed);
  }
  PAWL_ASSERT(answered == event.outcomes.size());
  if (!failed) return put_or_page(progress);

  back_off(progress, now);
  const auto hole =
      std::find_if(progress.in_flight.begin(), progress.in_flight.end(),
                   [](const InFlight& change) { return change.state != State::kDurable; });
  const auto durable = static_cast<std::uint64_t>(hole - progress.in_flight.begin());
  if (durable == 0) {
    progress.phase = Phase::kOpen;
    return {};
  }
  progress.phase = Phase::kPaging;
  return {WritePage{progress.paged.next(), {progress.paged.value + durable}}};
}

Effects page_answered(Progress& progress, const PageAnswered& event, MonotonicInstant now) {
  PAWL_ASSERT(progress.phase == Phase::kPaging);
  if (!event.durable) {
    progress.phase = Phase::kReopening;
    back_off(progress, now);
    return {ReopenLedger{}};
  }
  const auto hole =
      std::find_if(progress.in_flight.begin(), progress.in_flight.end(),
                   [](const InFlight& change) { return change.state != State::kDurable; });
  progress.paged.value += static_cast<std::uint64_t>(hole - progress.in_flight.begin());
  if (hole == progress.in_flight.end()) progress.failures = 0, progress.retry_at = {};
  progress.in_flight.erase(progress.in_flight.begin(), hole);
  progress.released = progress.paged;
  progress.phase = Phase::kOpen;
  return {Release{progress.released}};
}

Effects ledger_reopened(Progress& progress, const LedgerReopened& event, MonotonicInstant now) {
  PAWL_ASSERT(progress.phase == Phase::kReopening);
  if (event.done) {
    progress.phase = Phase::kOpen;
    return {};
  }
  back_off(progress, now);
  return {ReopenLedger{}};
}

}  // namespace

Progress Progress::after_start(SequenceNumber paged, std::size_t in_flight_max) {
  PAWL_ASSERT(in_flight_max > 0);
  Progress progress;
  progress.paged = paged;
  progress.doubtful_through = {paged.value + in_flight_max};
  progress.in_flight_max = in_flight_max;
  return progress;
}

std::vector<ProgressEffect> step(Progress& progress, const ProgressEvent& event,
                                 MonotonicInstant now) {
  if (const auto* taken = std::get_if<Taken>(&event)) return take(progress, *taken);
  if (const auto* aside = std::get_if<SetAsideAnswered>(&event))
    return set_aside_answered(progress, *aside, now);
  if (const auto* put = std::get_if<PutAnswered>(&event)) return put_answered(progress, *put, now);
  if (const auto* page = std::get_if<PageAnswered>(&event))
    return page_answered(progress, *page, now);
  return ledger_reopened(progress, std::get<LedgerReopened>(event), now);
}

}  // namespace pawl::archive

#include "function/event_lines.h"

#include <algorithm>

namespace pawl::function {

bool EventLines::has_room(std::uint64_t function, std::uint64_t bytes) const {
  const auto found = lines_.find(function);
  const std::size_t own = found == lines_.end() ? 0 : size_of(function);
  const std::uint64_t own_bytes = found == lines_.end() ? 0 : found->second.bytes;
  const std::size_t free = kEventsMax - std::min(kEventsMax, entries_.size());
  const std::uint64_t free_bytes = kEventsBytesMax - std::min(kEventsBytesMax, bytes_);
  return own < free && own_bytes + bytes <= free_bytes;
}

// To be called after each change of the line.
void EventLines::place(std::uint64_t function, Line& line) {
  std::optional<Instant> begins;
  // Who was refused is tried with one alone.
  const std::size_t most = line.refusals > 0 ? 1 : kEventsUnderWayMax;
  if (!line.waiting.empty() && line.under_way < most) {
    begins = std::max(line.waiting.begin()->first, line.not_before);
  }
  if (begins == line.begins) return;
  if (line.begins) begins_.erase({*line.begins, function});
  if (begins) begins_.emplace(*begins, function);
  line.begins = begins;
}

void EventLines::add(EventNumber number, std::uint64_t function, std::uint64_t bytes, Instant due) {
  entries_[number] = {function, bytes, due, false};
  bytes_ += bytes;
  Line& line = lines_[function];
  line.bytes += bytes;
  line.waiting.emplace(due, number);
  place(function, line);
}

std::vector<EventNumber> EventLines::take_due(Instant now) {
  std::vector<EventNumber> due;
  while (!begins_.empty() && begins_.begin()->first <= now) {
    const std::uint64_t function = begins_.begin()->second;
    Line& line = lines_.at(function);
    const EventNumber number = line.waiting.begin()->second;
    line.waiting.erase(line.waiting.begin());
    ++line.under_way;
    entries_.at(number).under_way = true;
    due.push_back(number);
    place(function, line);
  }
  return due;
}

EventDecision EventLines::after(EventNumber number, const EventState& state,
                                const InvocationResult& result, Instant now) {
  using Outcome = InvocationResult::Outcome;
  const std::uint64_t function = entries_.at(number).function;
  Line& line = lines_.at(function);
  line.why = result.outcome == Outcome::kReturned ? std::string() : result.why;
  if (result.outcome != Outcome::kThrottled && result.outcome != Outcome::kNotRun) {
    line.refusals = 0;
    line.not_before = {};
    place(function, line);
    return after_attempt(state, result.outcome, now);
  }
  EventState known = state;
  known.refusals = line.refusals;
  EventDecision decision = after_attempt(known, result.outcome, now);
  // One that is too old goes alone: the next one is looked at, at once.
  if (decision.verdict != EventVerdict::kAgain) return decision;
  if (now < line.not_before) {
    // Others that were begun with it have told so already.
    decision.next.refusals = line.refusals;
    decision.next.due = line.not_before;
  } else {
    line.refusals = decision.next.refusals;
    line.not_before = decision.next.due;
  }
  place(function, line);
  return decision;
}

void EventLines::put_back(EventNumber number, Instant due) {
  const auto found = entries_.find(number);
  if (found == entries_.end() || !found->second.under_way) return;
  found->second.under_way = false;
  found->second.due = due;
  Line& line = lines_.at(found->second.function);
  --line.under_way;
  line.waiting.emplace(due, number);
  place(found->second.function, line);
}

void EventLines::remove(EventNumber number) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;
  const Entry entry = found->second;
  entries_.erase(found);
  bytes_ -= entry.bytes;
  const auto at = lines_.find(entry.function);
  Line& line = at->second;
  line.bytes -= entry.bytes;
  if (entry.under_way) {
    --line.under_way;
  } else {
    line.waiting.erase({entry.due, number});
  }
  place(entry.function, line);
  if (line.waiting.empty() && line.under_way == 0) lines_.erase(at);
}

std::optional<Instant> EventLines::next() const {
  if (begins_.empty()) return std::nullopt;
  return begins_.begin()->first;
}

std::map<std::uint64_t, std::uint64_t> EventLines::sizes() const {
  std::map<std::uint64_t, std::uint64_t> sizes;
  for (const auto& [function, line] : lines_) {
    sizes.emplace_hint(sizes.end(), function, line.waiting.size() + line.under_way);
  }
  return sizes;
}

std::size_t EventLines::size_of(std::uint64_t function) const {
  const auto found = lines_.find(function);
  return found == lines_.end() ? 0 : found->second.waiting.size() + found->second.under_way;
}

std::string EventLines::why_of(std::uint64_t function) const {
  const auto found = lines_.find(function);
  return found == lines_.end() ? std::string() : found->second.why;
}

}  // namespace pawl::function

#include "server/status_functions.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "item/utf8.h"
#include "server/metric_family.h"

namespace pawl::server {
namespace {

using function::DurationFigures;
using function::FunctionFigures;
using function::FunctionLine;
using function::FunctionsFigures;

// By InvocationResult::Outcome.
constexpr std::array<std::string_view, function::kOutcomes> kOutcomeNames{
    "returned", "failed", "timed_out", "exited", "throttled", "not_run"};

std::string_view name_of(InvocationResult::Outcome outcome) {
  return kOutcomeNames[static_cast<std::size_t>(outcome)];
}

// What a function said, cut somewhere: JSON wants whole characters.
std::string whole_characters(std::string text) {
  constexpr std::size_t kCharacterMax = 4;
  for (std::size_t cut = 0; cut < kCharacterMax && cut <= text.size(); ++cut) {
    const auto front = std::string_view(text).substr(0, text.size() - cut);
    if (item::is_utf8(front)) return std::string(front);
    if (static_cast<unsigned char>(front.back()) < 0x80)
      break;  // it ends well: the fault lies before
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return text;
}

void append_figures(JsonWriter& json, const FunctionLine& line) {
  const FunctionFigures& figures = line.figures;
  json.key("processes")
      .begin_object()
      .field("starting", figures.now.starting)
      .field("idle", figures.now.idle)
      .field("busy", figures.now.busy)
      .field("ending", figures.now.ending)
      .end_object();
  json.key("calls")
      .begin_object()
      .field("under_way", figures.now.calls)
      .field("waiting", figures.now.waiting)
      .end_object();
  json.key("events")
      .begin_object()
      .field("waiting", line.events)
      .field("discarded", figures.discarded_events)
      .end_object();
  json.key("ended").begin_object();
  for (std::size_t i = 0; i < figures.ended.size(); ++i)
    json.field(kOutcomeNames[i], figures.ended[i]);
  json.end_object();
  json.key("durations")
      .begin_object()
      .field("calls", figures.durations.count())
      .field("total_ms", figures.durations.total_ms)
      .end_object();
}

void append_function(JsonWriter& json, const FunctionLine& line) {
  json.begin_object().field("function", line.name);
  append_figures(json, line);
  if (const auto& failure = line.figures.last_failure) {
    json.key("last_failure")
        .begin_object()
        .field("at", failure->at.to_string())
        .field("outcome", name_of(failure->outcome))
        .field("why", whole_characters(failure->why))
        .end_object();
  }
  json.end_object();
}

void append_durations(MetricFamily& family, const FunctionLine& line) {
  const DurationFigures& durations = line.figures.durations;
  std::uint64_t up_to = 0;
  for (std::size_t i = 0; i < durations.calls.size(); ++i) {
    up_to += durations.calls[i];
    const bool last = i == DurationFigures::kBoundsMs.size();
    const std::string bound = last ? "+Inf" : fmt::to_string(DurationFigures::kBoundsMs[i]);
    family.value({{"function", line.name}, {"le", bound}}, up_to, "_bucket");
  }
  family.value({{"function", line.name}}, durations.total_ms, "_sum");
  family.value({{"function", line.name}}, up_to, "_count");
}

// Those with names, and the others as one.
std::vector<FunctionLine> lines_of(const FunctionsFigures& functions) {
  std::vector<FunctionLine> lines = functions.listed;
  if (functions.other_functions == 0) return lines;
  lines.push_back(functions.others);
  lines.back().name = kOthers;
  return lines;
}

}  // namespace

void append_functions(JsonWriter& json, const FunctionsFigures& functions) {
  json.key("functions").begin_array();
  for (const FunctionLine& line : functions.listed) append_function(json, line);
  json.end_array();
  json.key("other_functions").begin_object().field("functions", functions.other_functions);
  append_figures(json, functions.others);
  json.end_object();
}

void append_function_metrics(std::string& out, const FunctionsFigures& functions) {
  const std::vector<FunctionLine> lines = lines_of(functions);
  MetricFamily(out, "pawl_functions", "gauge", "Functions.")
      .value({}, functions.listed.size() + functions.other_functions);
  MetricFamily processes(out, "pawl_function_processes", "gauge",
                         "Processes of a function by what they do; the first 100 functions by name "
                         "have lines of their own.");
  for (const FunctionLine& line : lines) {
    const auto& now = line.figures.now;
    processes.value({{"function", line.name}, {"state", "starting"}}, now.starting);
    processes.value({{"function", line.name}, {"state", "idle"}}, now.idle);
    processes.value({{"function", line.name}, {"state", "busy"}}, now.busy);
    processes.value({{"function", line.name}, {"state", "ending"}}, now.ending);
  }
  MetricFamily calls(out, "pawl_function_calls", "gauge",
                     "Calls under way, and those that wait for a process.");
  for (const FunctionLine& line : lines) {
    calls.value({{"function", line.name}, {"state", "under_way"}}, line.figures.now.calls);
    calls.value({{"function", line.name}, {"state", "waiting"}}, line.figures.now.waiting);
  }
  MetricFamily events(out, "pawl_function_events", "gauge",
                      "Asynchronous invocations that were accepted and are not done.");
  for (const FunctionLine& line : lines) events.value({{"function", line.name}}, line.events);
  MetricFamily discarded(out, "pawl_function_discarded_events_total", "counter",
                         "Asynchronous invocations that were given up, since the start.");
  for (const FunctionLine& line : lines)
    discarded.value({{"function", line.name}}, line.figures.discarded_events);
  MetricFamily ended(out, "pawl_function_invocations_total", "counter",
                     "Calls that have ended since the start, by outcome.");
  for (const FunctionLine& line : lines) {
    for (std::size_t i = 0; i < kOutcomeNames.size(); ++i) {
      ended.value({{"function", line.name}, {"outcome", kOutcomeNames[i]}}, line.figures.ended[i]);
    }
  }
  MetricFamily durations(out, "pawl_function_duration_milliseconds", "histogram",
                         "How long calls took that a process was given.");
  for (const FunctionLine& line : lines) append_durations(durations, line);
}

}  // namespace pawl::server

#include "cli/status_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/json_objects.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

constexpr std::size_t kNotesShownMax = 10;  // of a kind; `--json` has all
constexpr std::uint64_t kLongWaitMs =
    5 * 60 * 1000;  // the oldest message of a queue that is kept up with is younger

bool is_wrong(const FunctionNote& note) {
  return note.failed + note.timed_out + note.exited + note.throttled + note.not_run +
             note.discarded >
         0;
}

bool is_wrong(const QueueNote& note) {
  return note.expired > 0 || (note.holds_dead_letters && note.messages > 0) ||
         note.oldest_age_ms >= kLongWaitMs;
}

// One function, or the sum of the others.
Status read_function(item::JsonFields& function, std::string name, WorkPart& work) {
  FunctionNote note;
  note.function = std::move(name);
  item::JsonFields processes(function.object("processes"), "a function's processes");
  item::JsonFields calls(function.object("calls"), "a function's calls");
  item::JsonFields events(function.object("events"), "a function's events");
  item::JsonFields ended(function.object("ended"), "how a function's calls ended");
  PAWL_TRY(function.status());
  for (const auto* const state : {"starting", "idle", "busy", "ending"})
    work.processes += processes.number(state);
  work.under_way += calls.number("under_way");
  work.waiting += calls.number("waiting");
  work.events += events.number("waiting");
  note.discarded = events.number("discarded");
  work.returned += ended.number("returned");
  note.failed = ended.number("failed");
  note.timed_out = ended.number("timed_out");
  note.exited = ended.number("exited");
  note.throttled = ended.number("throttled");
  note.not_run = ended.number("not_run");
  for (item::JsonFields* const part : {&processes, &calls, &events, &ended})
    PAWL_TRY(part->status());
  work.not_returned += note.failed + note.timed_out + note.exited + note.throttled + note.not_run;
  if (function.element("last_failure")) {
    item::JsonFields last(function.object("last_failure"), "a function's last failure");
    PAWL_TRY(function.status());
    note.last_at = printable(last.text("at"));
    note.last_why = printable(last.text("why"));
    PAWL_TRY(last.status());
  }
  if (is_wrong(note)) work.function_notes.push_back(std::move(note));
  return ok();
}

Status read_functions(item::JsonFields& status, WorkPart& work) {
  if (!status.element("functions")) return ok();
  PAWL_ASSIGN_OR_RETURN(const auto functions, objects_of(status, "functions"));
  for (const auto& object : functions) {
    item::JsonFields function(object, "a function of the status");
    std::string name = printable(function.text("function"));
    PAWL_TRY(read_function(function, std::move(name), work));
  }
  item::JsonFields others(status.object("other_functions"), "the status's other functions");
  PAWL_TRY(status.status());
  work.functions = functions.size() + others.number("functions");
  return read_function(others, {}, work);
}

Status read_queues(item::JsonFields& status, WorkPart& work) {
  if (!status.element("queues")) return ok();
  PAWL_ASSIGN_OR_RETURN(const auto queues, objects_of(status, "queues"));
  for (const auto& object : queues) {
    item::JsonFields queue(object, "a queue of the status");
    const std::uint64_t visible = queue.number("visible");
    const std::uint64_t in_flight = queue.number("in_flight");
    const std::uint64_t delayed = queue.number("delayed");
    QueueNote note;
    note.queue = printable(queue.text("queue"));
    note.messages = visible + in_flight + delayed;
    note.oldest_age_ms = queue.optional_number("oldest_age_ms").value_or(0);
    note.retention_s = queue.number("retention_s");
    note.expired = queue.number("expired");
    note.holds_dead_letters = queue.boolean_or("holds_dead_letters", false);
    PAWL_TRY(queue.status());
    work.visible += visible;
    work.in_flight += in_flight;
    work.delayed += delayed;
    if (is_wrong(note)) work.queue_notes.push_back(std::move(note));
  }
  item::JsonFields others(status.object("other_queues"), "the status's other queues");
  PAWL_TRY(status.status());
  work.queues = queues.size() + others.number("queues");
  work.elsewhere = others.number("messages");
  QueueNote note;
  note.expired = others.number("expired");
  if (is_wrong(note)) work.queue_notes.push_back(std::move(note));
  return others.status();
}

Status read_buckets(item::JsonFields& status, WorkPart& work) {
  if (!status.element("buckets")) return ok();
  item::JsonFields buckets(status.object("buckets"), "the status's buckets");
  PAWL_TRY(status.status());
  work.buckets = buckets.number("count");
  return buckets.status();
}

// "2 d", "3.5 h", "12.0 min", "4.0 s"
std::string duration_text(double seconds) {
  if (seconds >= 2 * 86'400) return fmt::format("{:.1f} d", seconds / 86'400);
  if (seconds >= 2 * 3'600) return fmt::format("{:.1f} h", seconds / 3'600);
  if (seconds >= 2 * 60) return fmt::format("{:.1f} min", seconds / 60);
  return fmt::format("{:.1f} s", seconds);
}

std::string joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

void append_note(std::string& out, const FunctionNote& note) {
  std::vector<std::string> parts;
  for (const auto& [count, what] : {std::pair{note.failed, "failed"},
                                    {note.timed_out, "timed out"},
                                    {note.exited, "exited"},
                                    {note.throttled, "throttled"},
                                    {note.not_run, "not run"},
                                    {note.discarded, "discarded for good"}}) {
    if (count > 0) parts.push_back(fmt::format("{} {}", grouped(count), what));
  }
  auto to = std::back_inserter(out);
  fmt::format_to(to, "{} {}",
                 note.function.empty() ? "other functions:" : "function " + note.function + ":",
                 coloured(Colour::kYellow, joined(parts)));
  if (!note.last_at.empty())
    fmt::format_to(to, "; last failure {}: {}", note.last_at, note.last_why);
  out += '\n';
}

void append_note(std::string& out, const QueueNote& note) {
  std::vector<std::string> parts;
  if (note.expired > 0) parts.push_back(grouped(note.expired) + " expired untaken");
  if (note.holds_dead_letters && note.messages > 0) {
    parts.push_back(counted(note.messages, "dead letter"));
  }
  if (note.oldest_age_ms >= kLongWaitMs) {
    parts.push_back(fmt::format("{}, the oldest waits since {} of {}",
                                counted(note.messages, "message"),
                                duration_text(static_cast<double>(note.oldest_age_ms) / 1000),
                                duration_text(static_cast<double>(note.retention_s))));
  }
  fmt::format_to(std::back_inserter(out), "{} {}\n",
                 note.queue.empty() ? "other queues:" : "queue " + note.queue + ":",
                 coloured(Colour::kYellow, joined(parts)));
}

template <typename Note>
void append_notes(std::string& out, const std::vector<Note>& notes, std::string_view kind) {
  for (std::size_t i = 0; i < std::min(notes.size(), kNotesShownMax); ++i)
    append_note(out, notes[i]);
  if (notes.size() <= kNotesShownMax) return;
  fmt::format_to(std::back_inserter(out), "… and {} more with something to see: --json has them\n",
                 counted(notes.size() - kNotesShownMax, kind));
}

}  // namespace

Result<WorkPart> read_work(item::JsonFields& status) {
  WorkPart work;
  PAWL_TRY(read_functions(status, work));
  PAWL_TRY(read_queues(status, work));
  PAWL_TRY(read_buckets(status, work));
  return work;
}

void append_work(std::string& out, const WorkPart& work) {
  auto to = std::back_inserter(out);
  if (work.functions > 0) {
    fmt::format_to(to, "{}: {} process{}, {} under way, {} waiting, {} returned, {} not",
                   counted(work.functions, "function"), grouped(work.processes),
                   work.processes == 1 ? "" : "es", counted(work.under_way, "call"),
                   grouped(work.waiting), grouped(work.returned), grouped(work.not_returned));
    if (work.events > 0) fmt::format_to(to, "; {} to come", counted(work.events, "event"));
    out += '\n';
  }
  append_notes(out, work.function_notes, "function");
  if (work.queues > 0) {
    fmt::format_to(to, "{}: {} to take, {} in flight, {} delayed", counted(work.queues, "queue"),
                   counted(work.visible, "message"), grouped(work.in_flight),
                   grouped(work.delayed));
    if (work.elsewhere > 0) {
      fmt::format_to(to, "; {} in queues that are not listed", grouped(work.elsewhere));
    }
    out += '\n';
  }
  append_notes(out, work.queue_notes, "queue");
  if (work.buckets > 0) fmt::format_to(to, "{}\n", counted(work.buckets, "bucket"));
}

}  // namespace pawl::cli

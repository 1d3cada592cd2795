#include "cli/status_expectations.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "cli/json_objects.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

Colour colour_of(std::string_view state) {
  if (state == "stalled") return Colour::kRed;
  return state == "lagging" || state == "unproven" ? Colour::kYellow : Colour::kGreen;
}

void append_one(std::string& out, const ExpectationLine& one) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "expected of {} in s3://{}: ", one.table, one.bucket);
  if (!one.exists) {
    fmt::format_to(to, "{}\n", coloured(Colour::kDim, "there is no such table yet"));
    return;
  }
  fmt::format_to(to, "{}{}, {} found", coloured(colour_of(one.state), one.state),
                 one.deleted ? ", deleted" : "", grouped(one.found));
  if (one.late > 0) fmt::format_to(to, " ({} late)", grouped(one.late));
  if (one.asked_again > 0) {
    fmt::format_to(to, ", {} asked again ({} came then)", grouped(one.asked_again),
                   grouped(one.redelivered));
  }
  if (one.missing > 0) {
    const auto what = one.written > 0 ? fmt::format("{} written by Pawl", grouped(one.written))
                                      : fmt::format("{} missing", grouped(one.missing));
    fmt::format_to(to, ", {}", coloured(Colour::kYellow, what));
  }
  if (one.kept > 0) {
    fmt::format_to(
        to, ", {}",
        coloured(Colour::kYellow, fmt::format("{} replaced contents kept", grouped(one.kept))));
  }
  fmt::format_to(to, ", lag {}", grouped(one.lag));
  if (one.awaited > 0) fmt::format_to(to, " ({} awaited)", grouped(one.awaited));
  if (one.lag > 0 && one.oldest_age_ms > 0) {
    fmt::format_to(to, ", the oldest since {:.1f} s",
                   static_cast<double>(one.oldest_age_ms) / 1000);
  }
  if (!one.why.empty()) fmt::format_to(to, "; {}", one.why);
  out += '\n';
}

}  // namespace

Result<std::vector<ExpectationLine>> read_expectations(item::JsonFields& fields) {
  std::vector<ExpectationLine> lines;
  if (!fields.element("expectations")) return lines;
  PAWL_ASSIGN_OR_RETURN(const auto objects, objects_of(fields, "expectations"));
  for (const auto& object : objects) {
    item::JsonFields one(object, "an expectation of the status");
    ExpectationLine line;
    line.table = printable(one.text("table"));
    line.bucket = printable(one.text("bucket"));
    line.state = printable(one.text("state"));
    line.why = printable(one.optional_text("why").value_or(""));
    if (line.why.empty()) line.why = printable(one.optional_text("function_why").value_or(""));
    line.exists = one.optional_text("incarnation").has_value();
    line.deleted = one.boolean_or("deleted", false);
    line.entered = one.number("entered");
    line.lag = one.number("lag");
    line.awaited = one.number("awaited");
    line.oldest_age_ms = one.optional_number("oldest_age_ms").value_or(0);
    line.found = one.number("found");
    line.late = one.number("late");
    line.asked_again = one.number("asked_again");
    line.redelivered = one.number("redelivered");
    line.missing = one.number("missing");
    line.written = one.number("written");
    line.kept = one.optional_number("kept").value_or(0);
    PAWL_TRY(one.status());
    lines.push_back(std::move(line));
  }
  return lines;
}

void append_expectations(std::string& out, const std::vector<ExpectationLine>& expectations) {
  for (const auto& one : expectations) append_one(out, one);
}

}  // namespace pawl::cli

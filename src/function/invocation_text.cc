#include "function/invocation_text.h"

#include <fmt/format.h>

#include "base/json_writer.h"

namespace pawl::function {
namespace {

std::string signal_name(int number) {
  switch (number) {
    case 6:
      return "aborted";
    case 9:
      return "killed";
    case 11:
      return "segmentation fault";
    case 15:
      return "terminated";
    default:
      return std::to_string(number);
  }
}

double milliseconds(Duration duration) { return static_cast<double>(duration.count()) / 1000.0; }

}  // namespace

std::string new_request_id(Random& random) {
  const std::uint64_t high = random.next();
  const std::uint64_t low = random.next();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xfff, 0x8000 | ((low >> 48) & 0x3fff), low & 0xffff'ffff'ffff);
}

std::string new_trace_id(Random& random, Instant now) {
  const std::uint64_t first = random.next();
  const std::uint64_t second = random.next();
  return fmt::format("Root=1-{:08x}-{:08x}{:016x};Parent={:016x};Sampled=0",
                     static_cast<std::uint64_t>(now.microseconds / 1'000'000) & 0xffff'ffff,
                     first >> 32, second, random.next());
}

std::string start_line(std::string_view request_id) {
  return fmt::format("START RequestId: {} Version: $LATEST", request_id);
}

std::string end_line(std::string_view request_id) {
  return fmt::format("END RequestId: {}", request_id);
}

std::string report_line(std::string_view request_id, const Report& report) {
  constexpr std::uint64_t kMebibyte = 1024 * 1024;
  const auto whole = (report.took.count() + 999) / 1000;
  auto text = fmt::format(
      "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {} ms\tMemory Size: {} "
      "MB\tMax Memory Used: {} MB",
      request_id, milliseconds(report.took), whole, report.memory_mb,
      (report.memory_peak_bytes + kMebibyte - 1) / kMebibyte);
  if (report.started_in.count() > 0) {
    text += fmt::format("\tInit Duration: {:.2f} ms", milliseconds(report.started_in));
  }
  return text;
}

std::string text_of(const ProcessEnd& end) {
  if (!end.by_signal) return fmt::format("exit status {}", end.number);
  return fmt::format("signal: {}{}", signal_name(end.number),
                     end.out_of_memory ? " (out of memory)" : "");
}

std::string error_document(std::string_view type, std::string_view message) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .field("errorType", type)
      .field("errorMessage", message)
      .end_object();
  return out;
}

}  // namespace pawl::function

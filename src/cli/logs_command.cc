#include <fmt/format.h>
#include <simdjson.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/instant.h"
#include "cli/commands.h"
#include "cli/server_client.h"
#include "cli/stop_signals.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

constexpr std::chrono::milliseconds kFollowInterval{500};

struct LogsArguments {
  std::string function;
  std::string endpoint = "http://127.0.0.1:8000";
  std::string since;
  bool follow = false;
  bool json = false;
};

struct Line {
  std::string_view time;
  std::string_view stream;
  std::string_view request_id;
  std::string_view text;
};

// "10m" back from now, or an instant. Nothing if it is neither.
std::optional<Instant> since_of(const std::string& text) {
  if (const auto instant = Instant::parse(text)) return instant;
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  Duration back{};
  if (unit == "s") {
    back = std::chrono::seconds(number);
  } else if (unit == "m") {
    back = std::chrono::minutes(number);
  } else if (unit == "h") {
    back = std::chrono::hours(number);
  } else if (unit == "d") {
    back = std::chrono::hours(24) * number;
  } else {
    return std::nullopt;
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return Instant{(std::chrono::duration_cast<Duration>(now) - back).count()};
}

void print_line(const Line& line) {
  const auto text = printable(line.text);
  const bool platform = line.stream == "platform";
  fmt::print(
      "{} {} {}\n", coloured(Colour::kDim, line.time),
      coloured(Colour::kDim, line.request_id.empty() ? "--------" : line.request_id.substr(0, 8)),
      platform                  ? coloured(Colour::kDim, text)
      : line.stream == "stderr" ? coloured(Colour::kYellow, text)
                                : text);
}

struct Page {
  std::uint64_t next = 0;
  bool more = false;
};

// Prints the lines of a document. Errors: it is none.
Result<Page> show(const std::string& document, bool json) {
  const Error strange{ErrorCode::kInvalid,
                      "the server's answer is not one that this pawl understands",
                      "is it of the same version?"};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view schema;
  simdjson::dom::array lines;
  Page page;
  if (parser.parse(document).get(root) != simdjson::SUCCESS ||
      root["schema"].get(schema) != simdjson::SUCCESS || schema != "pawl-logs/1" ||
      root["next"].get(page.next) != simdjson::SUCCESS ||
      root["more"].get(page.more) != simdjson::SUCCESS ||
      root["lines"].get(lines) != simdjson::SUCCESS) {
    return strange;
  }
  if (json) {
    if (lines.size() > 0) fmt::print("{}\n", document);
    return page;
  }
  for (const auto& element : lines) {
    Line line;
    if (element["time"].get(line.time) != simdjson::SUCCESS ||
        element["stream"].get(line.stream) != simdjson::SUCCESS ||
        element["request_id"].get(line.request_id) != simdjson::SUCCESS ||
        element["text"].get(line.text) != simdjson::SUCCESS) {
      return strange;
    }
    print_line(line);
  }
  return page;
}

// It answers nothing at all, or that it can't answer now.
bool may_come_back(const Error& error) { return error.code == ErrorCode::kUnavailable; }

void note(const std::string& text) {
  std::fflush(stdout);
  fmt::print(stderr, "pawl logs: {}\n", text);
}

int run_logs(const LogsArguments& arguments) {
  std::string since;
  if (!arguments.since.empty()) {
    const auto instant = since_of(arguments.since);
    if (!instant) {
      return could_not({ErrorCode::kInvalid, fmt::format("\"{}\" is no time", arguments.since),
                        "write 30s, 10m, 2h, 1d, or 2026-11-22T18:00:00Z"});
    }
    since = "&since=" + instant->to_string();
  }
  const StopQuestion stop;
  std::uint64_t after = 0;
  bool was_there = false;
  bool is_gone = false;
  for (;;) {
    const auto document = ask_server(
        arguments.endpoint,
        fmt::format("/pawl/functions/{}/logs?after={}{}", arguments.function, after, since));
    // Who follows outlives the server's restarts. Offsets mean the same lines after them.
    if (!document.ok() && arguments.follow && was_there && may_come_back(document.error())) {
      if (!std::exchange(is_gone, true)) {
        note(fmt::format("the server does not answer ({}); waiting for it",
                         document.error().message));
      }
      std::this_thread::sleep_for(kFollowInterval);
      if (StopQuestion::asked()) return kExitGood;
      continue;
    }
    if (std::exchange(is_gone, false)) note("the server answers again");
    was_there = true;
    if (!document.ok()) {
      if (document.error().code != ErrorCode::kNotFound) return could_not(document.error());
      return could_not({ErrorCode::kNotFound,
                        fmt::format("the server at {} has no function {}", arguments.endpoint,
                                    arguments.function),
                        "`aws lambda list-functions` names those that it has"});
    }
    const auto page = show(*document, arguments.json);
    if (!page.ok()) return could_not(page.error());
    after = page->next;
    if (page->more) continue;
    std::fflush(stdout);
    if (!arguments.follow) return kExitGood;
    std::this_thread::sleep_for(kFollowInterval);
    if (StopQuestion::asked()) return kExitGood;
  }
}

}  // namespace

void add_logs(CLI::App& app, Action& chosen) {
  auto* const command =
      app.add_subcommand("logs", "Show what a function wrote, line by line, with request ids");
  const auto arguments = std::make_shared<LogsArguments>();
  command->add_option("function", arguments->function, "The function's name")
      ->required()
      ->check([](const std::string& name) {
        const bool good = !name.empty() && name.find_first_of("/?#%") == std::string::npos;
        return good ? std::string() : std::string("it is no function's name");
      });
  command
      ->add_option("--endpoint", arguments->endpoint, "What `pawl serve` printed as its endpoint")
      ->envname("AWS_ENDPOINT_URL")
      ->capture_default_str();
  command->add_option("--since", arguments->since,
                      "Only lines from then on: 30s, 10m, 2h, 1d, or an instant");
  command->add_flag("--follow,-f", arguments->follow,
                    "Go on with what comes, until interrupted, also over restarts of the server");
  command->add_flag("--json", arguments->json,
                    "JSON documents, one a line (docs/schemas/logs.schema.json)");
  command->footer(
      "If the server has access keys, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be one of "
      "them.\nExit status: 0 good, 2 no answer, or no such function.");
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_logs(*arguments); }; });
}

}  // namespace pawl::cli

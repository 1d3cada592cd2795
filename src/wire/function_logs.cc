#include "wire/function_logs.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>

#include "base/json_writer.h"
#include "function/function_types.h"
#include "sigv4/signature.h"

namespace pawl::wire {
namespace {

constexpr std::string_view kBefore = "/pawl/functions/";
constexpr std::string_view kBehind = "/logs";

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

HttpResponse refusal(unsigned status, std::string_view code, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  JsonWriter(response.body)
      .begin_object()
      .field("code", code)
      .field("message", message)
      .end_object();
  return response;
}

// Nothing if the query is not of the two parameters, each well written.
std::optional<LogQuestion> question_of(std::string_view target) {
  LogQuestion question;
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return question;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto value = sigv4::percent_decode(pair.substr(equals + 1));
    if (!value) return std::nullopt;
    if (pair.substr(0, equals) == "after") {
      const char* const last = value->data() + value->size();
      const auto [stop, error] = std::from_chars(value->data(), last, question.after);
      if (error != std::errc() || stop != last) return std::nullopt;
    } else if (pair.substr(0, equals) == "since") {
      const auto since = Instant::parse(*value);
      if (!since) return std::nullopt;
      question.since = *since;
    } else {
      return std::nullopt;
    }
  }
  return question;
}

HttpResponse page_response(const std::string& name, const LogPage& page) {
  HttpResponse response;
  response.content_type = "application/json";
  JsonWriter out(response.body);
  out.begin_object().field("schema", "pawl-logs/1").field("function", name);
  out.key("lines").begin_array();
  for (const auto& line : page.lines) out.raw(line);
  out.end_array().field("next", page.next).field("more", page.more).end_object();
  return response;
}

}  // namespace

bool is_function_logs_path(std::string_view target) {
  const std::string_view path = path_of(target);
  return path.starts_with(kBefore) && path.ends_with(kBehind) &&
         path.size() > kBefore.size() + kBehind.size();
}

void FunctionLogs::serve(const HttpRequest& request, Completion completion) {
  const std::string_view path = path_of(request.target);
  const std::string name(
      path.substr(kBefore.size(), path.size() - kBefore.size() - kBehind.size()));
  if (request.method != "GET") {
    return completion.answer(refusal(405, "MethodNotAllowed", "This path is read with GET."));
  }
  const auto question = question_of(request.target);
  if (!question || !function::is_function_name(name)) {
    return completion.answer(
        refusal(400, "InvalidRequest",
                "Ask /pawl/functions/NAME/logs?after=OFFSET&since=2026-11-22T18:00:00Z."));
  }
  run_elsewhere_([this, name, question = *question,
                  to = std::make_shared<Completion>(std::move(completion))]() -> void {
    const auto page = reader_.read(name, question);
    if (page.ok()) return to->answer(page_response(name, *page));
    if (page.error().code != ErrorCode::kNotFound) {
      return to->answer(refusal(500, "InternalError", page.error().to_string()));
    }
    if (is_function_(name)) return to->answer(page_response(name, {}));
    to->answer(refusal(404, "NoSuchFunction", "There is no function " + name + "."));
  });
}

}  // namespace pawl::wire

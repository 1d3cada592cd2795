#include "control.h"

#include <fmt/format.h>

#include <algorithm>

#include "text.h"

namespace scripted {
namespace {

constexpr double kLatencyMaxMs = 600'000;

}  // namespace

Reply Control::run(std::string_view method, std::string_view what, const Request& request) {
  Reply reply;
  if (method == "GET") {
    reply.body = get(what, request);
  } else if (method == "POST") {
    reply.body = post(what, parse_json(request.body.empty() ? "{}" : request.body));
  } else if (method == "DELETE" && what == "faults") {
    world_->faults.clear();
    reply.body = "{}";
  } else if (method == "DELETE" && what.starts_with("faults/")) {
    world_->faults.remove(parse_number(what.substr(7)).value_or(0));
    reply.body = "{}";
  } else {
    throw Refusal{404, "Control", fmt::format("no {} of {}", method, what), {}};
  }
  return reply;
}

std::string Control::get(std::string_view what, const Request& request) {
  if (what == "clock") return clock();
  if (what == "settings") return settings();
  if (what == "faults") return "{\"faults\":" + world_->faults.to_json() + '}';
  if (what == "counters") return world_->counters.to_json();
  if (what.starts_with("streams/")) return shards_of(what.substr(8));
  if (what.starts_with("puts/")) return puts_of(what.substr(5), request.query == "overwritten=1");
  throw Refusal{404, "Control", fmt::format("there is no {}", what), {}};
}

std::string Control::post(std::string_view what, const Json& body) {
  if (what == "advance") {
    // Only forward: a service's clock doesn't go back.
    const double seconds = number_or(body, "seconds", 0);
    if (seconds < 0 || seconds > 1e9) throw bad_control("seconds: from 0 to 1e9");
    world_->clock.advance(static_cast<std::int64_t>(seconds * 1000));
    return clock();
  }
  if (what == "settings") {
    change_settings(body);
    return settings();
  }
  if (what == "faults") return fmt::format("{{\"id\":{}}}", world_->faults.add(body));
  if (what == "reset") {
    reset(body);
    return "{}";
  }
  if (what == "tables") return make_table(body);
  if (what == "write") return write(body);
  if (what == "stream") return switch_stream(body);
  if (what == "roll-over" || what == "split" || what == "trim" || what == "forget")
    return shard(what, body);
  if (what == "buckets") return make_bucket(body);
  throw Refusal{404, "Control", fmt::format("there is no {}", what), {}};
}

std::string Control::clock() const {
  return fmt::format(R"({{"now":{:.3f},"advanced_s":{:.3f},"date_skew_s":{}}})",
                     static_cast<double>(world_->clock.now_ms()) / 1000,
                     static_cast<double>(world_->clock.advanced_ms()) / 1000,
                     world_->clock.skew_s());
}

std::string Control::settings() const {
  const Settings& now = world_->settings;
  return fmt::format(
      R"({{"latency_ms":{},"skew_s":{},"refuse_skewed":{},"readers_max":{},"reader_error":{},"describes_per_s":{},)"
      R"("empty_pages":{},"page_records":{},"puts_max":{}}})",
      now.latency_ms, world_->clock.skew_s(), now.refuse_skewed, now.readers_max,
      json_string(now.reader_error), now.describes_per_s, now.empty_pages, now.page_records,
      now.puts_max);
}

void Control::change_settings(const Json& body) {
  Settings& now = world_->settings;
  now.latency_ms = std::clamp(number_or(body, "latency_ms", now.latency_ms), 0.0, kLatencyMaxMs);
  now.refuse_skewed = truth_or(body, "refuse_skewed", now.refuse_skewed);
  now.readers_max = static_cast<std::uint32_t>(count_or(body, "readers_max", now.readers_max));
  now.reader_error = text_or(body, "reader_error", now.reader_error);
  now.describes_per_s =
      static_cast<std::uint32_t>(count_or(body, "describes_per_s", now.describes_per_s));
  now.empty_pages = number_or(body, "empty_pages", now.empty_pages);
  now.page_records = std::max<std::size_t>(1, count_or(body, "page_records", now.page_records));
  now.puts_max = count_or(body, "puts_max", now.puts_max);
  if (member(body, "skew_s")) {
    const double skew_s = number_or(body, "skew_s", 0);
    if (skew_s < -1e9 || skew_s > 1e9) throw bad_control("skew_s: out of range");
    world_->clock.set_skew_s(static_cast<std::int64_t>(skew_s));
  }
}

// {"what":"counters"|"faults"|"settings"|"all"}: "all" is also every table, stream and bucket. The clock is never put back.
void Control::reset(const Json& body) {
  const std::string_view what = text_or(body, "what", "all");
  const bool all = what == "all";
  if (!all && what != "counters" && what != "faults" && what != "settings")
    throw bad_control("what: counters, faults, settings or all");
  if (all || what == "counters") world_->counters.reset();
  if (all || what == "faults") world_->faults.clear();
  if (all || what == "settings") {
    world_->settings = Settings();
    world_->clock.set_skew_s(0);
  }
  if (!all) return;
  world_->dynamodb.clear();
  world_->streams.clear();
  world_->s3.clear();
}

}  // namespace scripted

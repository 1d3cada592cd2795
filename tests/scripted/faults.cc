#include "faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "exchange.h"

namespace scripted {
namespace {

constexpr std::array<std::string_view, 11> kKinds = {
    "500-applied", "500-not-applied",   "503",         "409",   "throttle", "drop-before",
    "drop-after",  "ignore-conditions", "unprocessed", "error", "slow"};
constexpr std::size_t kRulesMax = 1000;

}  // namespace

std::uint64_t Faults::add(const Json& json) {
  Rule rule;
  rule.json = to_text(json);
  rule.kind = text_of(json, "kind");
  if (std::find(kKinds.begin(), kKinds.end(), rule.kind) == kKinds.end())
    throw bad_control("there is no kind of fault " + rule.kind);
  if (rules_.size() >= kRulesMax) throw bad_control("too many rules");
  rule.operation = text_or(json, "operation", "*");
  rule.prefix = text_or(json, "prefix", "");
  if (const auto name = text_or(json, "name", ""); !name.empty()) {
    try {
      rule.name.emplace(name.begin(), name.end(), std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& error) {
      throw bad_control(std::string("name: ") + error.what());
    }
  }
  rule.access_key = text_or(json, "access_key", "");
  rule.probability = number_or(json, "probability", 1);
  rule.skip = count_or(json, "skip", 0);
  rule.count = count_or(json, "count", 0);
  rule.status = static_cast<int>(count_or(json, "status", 400));
  rule.code = text_or(json, "code", "");
  if (rule.kind == "error" && (rule.code.empty() || rule.status < 400 || rule.status > 599))
    throw bad_control("an error needs a code, and a status from 400 to 599");
  rule.ms = number_or(json, "ms", 0);
  rule.number = next_number_++;
  rule.draw = Draw(mix(count_or(json, "seed", seed_ + rule.number)));
  rules_.push_back(std::move(rule));
  return rules_.back().number;
}

void Faults::remove(std::uint64_t number) {
  const auto found = std::find_if(rules_.begin(), rules_.end(),
                                  [number](const Rule& rule) { return rule.number == number; });
  if (found == rules_.end()) throw bad_control("there is no such rule");
  rules_.erase(found);
}

bool Faults::matches(const Rule& rule, const Target& target) {
  if (rule.operation != "*" && rule.operation != target.operation) return false;
  if (!rule.access_key.empty() && rule.access_key != target.access_key) return false;
  if (!target.name.starts_with(rule.prefix)) return false;
  return !rule.name || std::regex_search(target.name.begin(), target.name.end(), *rule.name);
}

void Faults::apply(const Rule& rule, Effects& effects) {
  if (rule.kind == "slow") {
    effects.delay_ms += rule.ms;
  } else if (rule.kind == "ignore-conditions") {
    effects.ignore_conditions = true;
  } else if (rule.kind == "unprocessed") {
    effects.unprocessed = true;
  } else if (effects.outcome != Outcome::kSound) {
    return;
  } else if (rule.kind == "500-applied") {
    effects.outcome = Outcome::kAppliedError;
    effects.status = 500;
  } else if (rule.kind == "drop-before") {
    effects.outcome = Outcome::kDropBefore;
  } else if (rule.kind == "drop-after") {
    effects.outcome = Outcome::kDropAfter;
  } else {
    effects.outcome = Outcome::kNotApplied;
    effects.code = rule.code;
    effects.throttled = rule.kind == "throttle";
    if (rule.kind == "500-not-applied") effects.status = 500;
    if (rule.kind == "503") effects.status = 503;
    if (rule.kind == "409") effects.status = 409;
    if (rule.kind == "error") effects.status = rule.status;
  }
}

Effects Faults::draw(const Target& target) {
  Effects effects;
  for (Rule& rule : rules_) {
    if (!matches(rule, target)) continue;
    ++rule.matched;
    if (rule.matched <= rule.skip || (rule.count != 0 && rule.fired >= rule.count)) continue;
    if (!rule.draw.happens(rule.probability)) continue;
    ++rule.fired;
    apply(rule, effects);
  }
  return effects;
}

std::string Faults::to_json() const {
  std::string out = "[";
  for (const Rule& rule : rules_) {
    if (out.size() > 1) out += ',';
    out += fmt::format("{{\"id\":{},\"rule\":{},\"matched\":{},\"fired\":{}}}", rule.number,
                       rule.json, rule.matched, rule.fired);
  }
  return out + "]";
}

}  // namespace scripted

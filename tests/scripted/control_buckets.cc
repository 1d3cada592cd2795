// Of the control API: buckets, and what was put into them.
#include <fmt/format.h>

#include "control.h"
#include "text.h"

namespace scripted {

// {"bucket":…,"generate":{…},"keep_bodies":true}. A bucket of that name is replaced.
std::string Control::make_bucket(const Json& body) {
  const std::string name(text_of(body, "bucket"));
  std::unique_ptr<const NameFormula> formula;
  if (const auto generate = member(body, "generate"))
    formula = std::make_unique<const NameFormula>(*generate, world_->clock.now_ms());
  world_->s3.create_bucket(name, std::move(formula), truth_or(body, "keep_bodies", true));
  return "{\"bucket\":" + json_string(name) + '}';
}

// The PUTs in the order in which they were done; with ?overwritten=1 those that replaced another content.
std::string Control::puts_of(std::string_view name, bool overwritten) {
  const Bucket& bucket = world_->s3.bucket(std::string(name));
  std::string out;
  for (const PutEntry& put : bucket.puts) {
    if (overwritten && (put.status != 200 || !put.existed || put.before == put.sha256)) continue;
    out += fmt::format(
        R"({}{{"key":{},"size":{},"sha256":"{}","condition":"{}","status":{},"existed":{},"before":"{}","at":{:.3f}}})",
        out.empty() ? "" : ",", json_string(put.key), put.size, to_hex(put.sha256), put.condition,
        put.status, put.existed, to_hex(put.before), static_cast<double>(put.at_ms) / 1000);
  }
  return fmt::format(R"({{"all":{},"overwritten":{},"puts":[{}]}})", bucket.puts_all,
                     bucket.overwritten, out);
}

}  // namespace scripted

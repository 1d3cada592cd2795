// Faults on purpose: rules that say which requests meet what. Each kind stands for something that the services really do:
//   500-applied, 500-not-applied  FACTS: "A 500 on PUT is ambiguous: a later GET may show the old or the new object"
//   503                           FACTS: "503 SlowDown while it scales"; DynamoDB, "Error handling": ServiceUnavailable
//   409                           FACTS: "409 on a conflicting write in flight (retry; 409 does not mean that it exists)"; S3 only
//   throttle                      FACTS: "throttling"; DynamoDB, "Error handling": ProvisionedThroughputExceededException
//   drop-before, drop-after       FACTS: "A lost response plus the SDK's own retry gives 412 for one's own write"
//   ignore-conditions             FACTS: "Compatible stores may silently ignore conditions"
//   unprocessed                   BatchGetItem: "If DynamoDB returns any unprocessed items, you should retry"
//   error                         any other answer: `status` and `code` (AccessDenied, ExpiredToken, …), not applied
//   slow                          `ms` more before anything is done
// A request may be slow and have its conditions ignored beside one of the others; of those, the first rule that fires wins.
#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "json.h"
#include "mix.h"

namespace scripted {

enum class Outcome : std::uint8_t {
  kSound,
  kAppliedError,  // done, and then 500
  kNotApplied,    // `status` and `code`, nothing done
  kDropBefore,
  kDropAfter,
};

// What a request meets.
struct Effects {
  Outcome outcome = Outcome::kSound;
  int status = 0;
  std::string code;  // "" = the service's usual word for `status`
  bool throttled = false;
  bool ignore_conditions = false;
  bool unprocessed = false;
  double delay_ms = 0;
};

// What rules choose by. `name` is the object's key in S3, the table's name in DynamoDB, and of the streams' API the shard's id
// (GetShardIterator, GetRecords) or the stream's ARN.
struct Target {
  std::string_view operation;  // as in the API reference: PutObject, GetRecords, …
  std::string_view name;
  std::string_view access_key;
};

class Faults {
 public:
  explicit Faults(std::uint64_t seed) : seed_(seed) {}

  // A rule from its JSON; returns its number. Throws Refusal where it makes no sense.
  std::uint64_t add(const Json& rule);
  void remove(std::uint64_t number);
  void clear() { rules_.clear(); }
  bool empty() const { return rules_.empty(); }
  // Draws for each rule that the request matches, in the order of the rules.
  Effects draw(const Target& target);
  std::string to_json() const;

 private:
  struct Rule {
    std::uint64_t number = 0;
    std::string json;  // as it was given
    std::string kind;
    std::string operation;  // "*" = every one
    std::string prefix;
    std::optional<std::regex> name;
    std::string access_key;
    double probability = 1;
    std::uint64_t skip = 0;   // so many matching requests pass first
    std::uint64_t count = 0;  // fires at most so often; 0 = without end
    int status = 0;
    std::string code;
    double ms = 0;
    std::uint64_t matched = 0;
    std::uint64_t fired = 0;
    Draw draw;
  };
  static bool matches(const Rule& rule, const Target& target);
  static void apply(const Rule& rule, Effects& effects);

  std::uint64_t seed_;
  std::uint64_t next_number_ = 1;
  std::vector<Rule> rules_;
};

}  // namespace scripted

#include "trigger/batch_answer.h"

#include <simdjson.h>

#include <algorithm>

#include "stream/sequence_text.h"

namespace pawl::trigger {
namespace {

using Outcome = Invoked::Outcome;

constexpr std::size_t kDepthMax = 64;

}  // namespace

Invoked read_batch_answer(std::string_view payload, bool reports_items,
                          const std::function<bool(SequenceNumber)>& is_of_batch) {
  const Invoked done{Outcome::kDone, {}};
  const Invoked failed{Outcome::kFailed, {}};
  if (!reports_items || payload.empty()) return done;
  if (payload.size() > kAnswerBytesMax) return failed;
  simdjson::dom::parser parser;
  if (parser.allocate(payload.size(), kDepthMax) != simdjson::SUCCESS) return failed;
  simdjson::dom::element root;
  if (parser.parse(payload.data(), payload.size(), true).get(root) != simdjson::SUCCESS) {
    return failed;
  }
  if (root.is_null()) return done;
  simdjson::dom::object answer;
  if (root.get(answer) != simdjson::SUCCESS) return failed;
  simdjson::dom::element items;
  if (answer.at_key("batchItemFailures").get(items) != simdjson::SUCCESS) return done;
  if (items.is_null()) return done;
  simdjson::dom::array list;
  if (items.get(list) != simdjson::SUCCESS) return failed;
  std::optional<SequenceNumber> lowest;
  for (const simdjson::dom::element item : list) {
    std::string_view identifier;
    if (item.at_key("itemIdentifier").get(identifier) != simdjson::SUCCESS) return failed;
    const auto sequence = stream::parse_sequence(identifier);
    if (!sequence || !is_of_batch(*sequence)) return failed;
    lowest = lowest ? std::min(*lowest, *sequence) : *sequence;
  }
  if (!lowest) return done;
  return {Outcome::kPartly, *lowest};
}

}  // namespace pawl::trigger

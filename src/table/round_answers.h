// The stored answers that one commit round needs and makes: a command that comes again gets the
// answer it got before, also from within the same round, and also after a restart. See
// answer_format.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "port/key_value_store.h"
#include "table/answer_format.h"

namespace pawl::table {

class RoundAnswers {
 public:
  explicit RoundAnswers(Instant now) : now_(now) {}

  // Asks for a guard's answer, to be read by load(). Returns the guard's id for the calls below.
  std::string want(const RepeatGuard& guard);
  Status load(KeyValueStore& store);

  // What was answered to `id` in the last ten minutes.
  const StoredAnswer* find(std::string_view id) const;
  // Remembers an answer, and writes it with the batch.
  void put(std::string_view id, const Digest& request, const std::string& answer,
           WriteBatch& batch);

 private:
  Instant now_;
  std::vector<std::string> wanted_;  // ids
  std::map<std::string, StoredAnswer, std::less<>> answers_;
};

// Removes the slots that are all too old, if the present slot is another than at the last call.
class AnswerExpiry {
 public:
  Status expire(KeyValueStore& store, Instant now);

 private:
  std::optional<std::uint32_t> done_;
};

}  // namespace pawl::table

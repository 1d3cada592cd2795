#include "table/round_answers.h"

#include "base/assert.h"

namespace pawl::table {

std::string RoundAnswers::want(const RepeatGuard& guard) {
  std::string id = answer_id(guard);
  wanted_.push_back(id);
  return id;
}

Status RoundAnswers::load(KeyValueStore& store) {
  if (wanted_.empty()) return ok();
  const std::uint32_t slot = answer_slot(now_);
  std::vector<std::string> keys;
  keys.reserve(wanted_.size() * 2);
  for (const std::string& id : wanted_) {
    keys.push_back(answer_key(slot, id));
    keys.push_back(answer_key(slot == 0 ? 0 : slot - 1, id));
  }
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  PAWL_ASSIGN_OR_RETURN(const auto values, store.multi_get(KeySpace::kAnswers, views));
  PAWL_ASSERT(values.size() == keys.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    PAWL_ASSIGN_OR_RETURN(StoredAnswer stored, decode_answer(*values[i]));
    if (now_.microseconds - stored.instant.microseconds >= kAnswerLifetime.count()) continue;
    answers_.try_emplace(wanted_[i / 2], std::move(stored));
  }
  wanted_.clear();
  return ok();
}

const StoredAnswer* RoundAnswers::find(std::string_view id) const {
  const auto found = answers_.find(id);
  return found == answers_.end() ? nullptr : &found->second;
}

void RoundAnswers::put(std::string_view id, const Digest& request, const std::string& answer,
                       WriteBatch& batch) {
  batch.put(KeySpace::kAnswers, answer_key(answer_slot(now_), id),
            encode_answer(now_, request, answer));
  answers_.insert_or_assign(std::string(id),
                            StoredAnswer{.instant = now_, .request = request, .answer = answer});
}

Status AnswerExpiry::expire(KeyValueStore& store, Instant now) {
  const std::uint32_t slot = answer_slot(now);
  if (slot < 2 || done_ == slot) return ok();
  done_ = slot;  // also if it fails: the next slot's turn removes what is left
  const std::string from = answer_key(0, "");
  const std::string to = answer_key(slot - 1, "");
  // A range that is removed costs the reads after it, so only where there is something to remove.
  const auto cursor = store.cursor(KeySpace::kAnswers);
  cursor->seek(from);
  PAWL_TRY(cursor->status());
  if (!cursor->valid() || cursor->key() >= to) return ok();
  return store.remove_range(KeySpace::kAnswers, from, to);
}

}  // namespace pawl::table

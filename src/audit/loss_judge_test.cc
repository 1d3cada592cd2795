// What is missing between two states of an item, against a model that knows what happened in between.
#include "audit/loss_judge.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/digest.h"

namespace pawl::audit {
namespace {

enum class Write : std::uint8_t { kPut, kRemove };

struct History {
  std::vector<ItemState> states;  // the first is what is known before
  bool removed = false;           // in between
};

Digest image_of(const std::string& text) { return sha256(text); }

// What an item that counts its versions comes to by these writes; begins anew at `start` after a removal.
History history(bool existed, std::uint64_t version, const std::vector<Write>& writes,
                std::uint64_t start, bool versions, bool images) {
  History history;
  const auto state = [&](std::size_t turn) {
    ItemState now{true, {}, {}};
    if (versions) now.version = version;
    if (images) now.image = image_of(std::to_string(turn));
    return now;
  };
  history.states.push_back(existed ? state(0) : ItemState{});
  bool exists = existed;
  for (std::size_t turn = 1; turn <= writes.size(); ++turn) {
    if (writes[turn - 1] == Write::kRemove) {
      if (!exists) continue;  // no change
      exists = false;
      history.removed = true;
      history.states.push_back({});
      continue;
    }
    version = exists ? version + 1 : start;
    exists = true;
    history.states.push_back(state(turn));
  }
  return history;
}

void check(const History& history, const std::string& what) {
  const auto& known = history.states.front();
  const auto& next = history.states.back();
  const auto loss = judge_loss(known, next);
  const bool missing = history.states.size() > 1;
  if (!loss) {
    // Nothing tells of the changes in between: the states are the same as far as they are known.
    const bool same = known.exists == next.exists && known.version == next.version &&
                      (!known.image || !next.image || known.image == next.image);
    EXPECT_TRUE(!missing || same) << what;
    return;
  }
  ASSERT_TRUE(missing) << what << ": nothing happened";
  EXPECT_TRUE(loss->put_back || loss->lost) << what;
  EXPECT_EQ(loss->put_back, next.exists && next.image.has_value()) << what;
  if (loss->removed) {
    EXPECT_TRUE(loss->lost && history.removed) << what;
  }
  if (!loss->lost) {
    // All that was in between is the state that is put back.
    EXPECT_TRUE(loss->put_back && !loss->from && !loss->to) << what;
    // (An item that began anew and came to the very next version looks the same.)
    EXPECT_TRUE(history.states.size() == 2 || (history.removed && next.version)) << what;
    return;
  }
  if (!loss->to) return;  // something; that is always so here
  std::set<std::uint64_t> lost;
  for (std::size_t i = 1; i < history.states.size(); ++i) {
    const bool there = loss->put_back && i + 1 == history.states.size();
    if (history.states[i].version && !there) lost.insert(*history.states[i].version);
  }
  if (loss->from) {
    EXPECT_LE(*loss->from, *loss->to) << what;
    // No version is called lost that never was or is there, unless the item began anew meanwhile (and reached a greater one).
    if (!history.removed) {
      std::set<std::uint64_t> said;
      for (auto version = *loss->from; version <= *loss->to; ++version) said.insert(version);
      EXPECT_EQ(said, lost) << what;
    }
  } else {
    EXPECT_FALSE(known.exists) << what;
    EXPECT_EQ(*loss->to, *next.version - (loss->put_back ? 1 : 0)) << what;
  }
}

// Every sequence of up to five writes, from every beginning, with and without versions and images.
TEST(LossJudge, AgreesWithWhatHappened) {
  std::size_t cases = 0;
  for (unsigned length = 0; length <= 5; ++length) {
    for (unsigned bits = 0; bits < 1U << length; ++bits) {
      std::vector<Write> writes;
      for (unsigned i = 0; i < length; ++i)
        writes.push_back((bits >> i & 1) != 0 ? Write::kRemove : Write::kPut);
      for (const bool existed : {false, true}) {
        for (const std::uint64_t version : {0U, 1U, 3U}) {
          for (const std::uint64_t start : {0U, 1U, 4U}) {
            for (const bool versions : {false, true}) {
              for (const bool images : {false, true}) {
                check(history(existed, version, writes, start, versions, images),
                      "length " + std::to_string(length) + " bits " + std::to_string(bits) +
                          " existed " + std::to_string(existed) + " version " +
                          std::to_string(version) + " start " + std::to_string(start) +
                          " versions " + std::to_string(versions) + " images " +
                          std::to_string(images));
                ++cases;
              }
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(cases, 63U * 2 * 3 * 3 * 2 * 2);
}

ItemState at(std::uint64_t version, const std::string& image = "") {
  ItemState state{true, version, {}};
  if (!image.empty()) state.image = image_of(image);
  return state;
}

TEST(LossJudge, NamesWhatIsLost) {
  const auto loss = judge_loss(at(2), at(8, "w"));
  ASSERT_TRUE(loss && loss->put_back && loss->lost);
  EXPECT_EQ(loss->from, 3U);
  EXPECT_EQ(loss->to, 7U);
  // The next alone is missing, and at hand.
  const auto one = judge_loss(at(2), at(3, "w"));
  ASSERT_TRUE(one && one->put_back);
  EXPECT_FALSE(one->lost);
  // Without an image it is lost with the rest.
  const auto without = judge_loss(at(2), at(3));
  ASSERT_TRUE(without && without->lost && !without->put_back);
  EXPECT_EQ(without->from, 3U);
  EXPECT_EQ(without->to, 3U);
  // The same version with another image: somebody did not count, or the item began anew.
  const auto anew = judge_loss(at(2, "x"), at(2, "y"));
  ASSERT_TRUE(anew && anew->put_back && anew->lost);
  EXPECT_FALSE(anew->from || anew->to || anew->removed);
  EXPECT_FALSE(judge_loss(at(2), at(2, "y")));
  // Back: likewise.
  const auto back = judge_loss(at(5), at(2, "y"));
  ASSERT_TRUE(back && back->put_back && back->lost);
  EXPECT_FALSE(back->from || back->to || back->removed);
  const auto removed = judge_loss(at(5), {});
  ASSERT_TRUE(removed && removed->lost && removed->removed);
  EXPECT_FALSE(removed->put_back);
}

}  // namespace
}  // namespace pawl::audit

// What every KeyValueStore must do. A test file of an implementation includes this and
// instantiates:
//   INSTANTIATE_TEST_SUITE_P(Memory, KeyValueStoreConformance,
//   testing::Values(make_memory_harness));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "port/key_value_store.h"

namespace pawl {

class KeyValueStoreHarness {
 public:
  virtual ~KeyValueStoreHarness() = default;
  virtual KeyValueStore& store() = 0;
  // Ends the process without warning and starts it again, as far as the implementation can:
  // unsynced writes may or may not survive. No cursor is open.
  virtual void restart() = 0;
};

using KeyValueStoreHarnessFactory = std::unique_ptr<KeyValueStoreHarness> (*)();

class KeyValueStoreConformance : public testing::TestWithParam<KeyValueStoreHarnessFactory> {
 protected:
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  KeyValueStore& store() { return harness_->store(); }
  void restart() { harness_->restart(); }

  void put(KeySpace space, std::string key, std::string value, Sync sync = Sync::kYes) {
    WriteBatch batch;
    batch.put(space, std::move(key), std::move(value));
    write(batch, sync);
  }
  void erase(KeySpace space, std::string key) {
    WriteBatch batch;
    batch.erase(space, std::move(key));
    write(batch, Sync::kYes);
  }
  void write(const WriteBatch& batch, Sync sync) {
    const WriteResult result = store().write(batch, sync);
    ASSERT_EQ(result.outcome, WriteOutcome::kDone) << result.why;
  }
  std::optional<std::string> get(KeySpace space, std::string_view key) {
    auto value = store().get(space, key);
    EXPECT_TRUE(value.ok()) << value.error().to_string();
    return value.ok() ? *value : std::nullopt;
  }
  Pairs forward(KeySpace space, std::string_view from = {}) {
    auto cursor = store().cursor(space);
    cursor->seek(from);
    return rest(*cursor);
  }
  static Pairs rest(Cursor& cursor) {
    Pairs pairs;
    for (; cursor.valid(); cursor.next()) pairs.emplace_back(cursor.key(), cursor.value());
    EXPECT_TRUE(cursor.status().ok());
    return pairs;
  }

  std::unique_ptr<KeyValueStoreHarness> harness_ = GetParam()();
};

inline constexpr KeySpace kEveryKeySpace[] = {KeySpace::kCatalog, KeySpace::kItems,
                                              KeySpace::kDeletedVersions, KeySpace::kChanges,
                                              KeySpace::kAnswers};

TEST_P(KeyValueStoreConformance, AnEmptyStoreHasNothing) {
  for (const KeySpace space : kEveryKeySpace) {
    EXPECT_EQ(get(space, "a"), std::nullopt);
    EXPECT_TRUE(forward(space).empty());
    auto cursor = store().cursor(space);
    EXPECT_FALSE(cursor->valid());
    cursor->seek_for_prev("\xff");
    EXPECT_FALSE(cursor->valid());
    EXPECT_TRUE(cursor->status().ok());
  }
}

TEST_P(KeyValueStoreConformance, KeySpacesAreApart) {
  for (const KeySpace space : kEveryKeySpace) {
    put(space, "k", std::to_string(static_cast<int>(space)));
  }
  for (const KeySpace space : kEveryKeySpace) {
    EXPECT_EQ(get(space, "k"), std::to_string(static_cast<int>(space)));
  }
}

TEST_P(KeyValueStoreConformance, KeysAndValuesAreAnyBytes) {
  const std::string key("\0a\xff\0", 4);
  const std::string value("\0\xff\n", 3);
  put(KeySpace::kItems, key, value);
  put(KeySpace::kItems, "empty", "");
  EXPECT_EQ(get(KeySpace::kItems, key), value);
  EXPECT_EQ(get(KeySpace::kItems, "empty"), "");
  EXPECT_EQ(get(KeySpace::kItems, std::string("\0a\xff", 3)), std::nullopt);
}

TEST_P(KeyValueStoreConformance, LargeValues) {
  const std::string large(3 << 20, 'x');
  const std::string blob(5000, 'b');
  for (const KeySpace space : kEveryKeySpace) {
    put(space, "blob", blob);
    put(space, "large", large);
  }
  restart();
  for (const KeySpace space : kEveryKeySpace) {
    EXPECT_EQ(get(space, "blob"), blob);
    EXPECT_EQ(get(space, "large"), large);
  }
}

TEST_P(KeyValueStoreConformance, ALaterEntryOfABatchWins) {
  WriteBatch batch;
  batch.put(KeySpace::kItems, "a", "1");
  batch.put(KeySpace::kItems, "a", "2");
  batch.put(KeySpace::kItems, "b", "1");
  batch.erase(KeySpace::kItems, "b");
  batch.erase(KeySpace::kItems, "c");
  batch.put(KeySpace::kItems, "c", "3");
  write(batch, Sync::kYes);
  EXPECT_EQ(forward(KeySpace::kItems), (Pairs{{"a", "2"}, {"c", "3"}}));
}

TEST_P(KeyValueStoreConformance, AnEmptyBatchIsDone) {
  EXPECT_EQ(store().write({}, Sync::kYes).outcome, WriteOutcome::kDone);
  EXPECT_EQ(store().write({}, Sync::kNo).outcome, WriteOutcome::kDone);
}

TEST_P(KeyValueStoreConformance, MultiGetAnswersInOrder) {
  put(KeySpace::kItems, "a", "1");
  put(KeySpace::kItems, "c", "3");
  auto values = store().multi_get(KeySpace::kItems, {"c", "b", "a", "c"});
  ASSERT_TRUE(values.ok());
  EXPECT_THAT(*values, testing::ElementsAre("3", std::nullopt, "1", "3"));
  EXPECT_TRUE(store().multi_get(KeySpace::kItems, {})->empty());
}

TEST_P(KeyValueStoreConformance, KeysAreInByteOrder) {
  for (const std::string key : {"b", "\xc3\xa9", "", "a", "aa", "B", "\x7f"}) {
    if (!key.empty()) put(KeySpace::kChanges, key, "v");
  }
  std::vector<std::string> keys;
  for (const auto& [key, value] : forward(KeySpace::kChanges)) keys.push_back(key);
  EXPECT_THAT(keys, testing::ElementsAre("B", "a", "aa", "b", "\x7f", "\xc3\xa9"));
}

TEST_P(KeyValueStoreConformance, CursorsMoveBothWays) {
  for (const char* key : {"b", "d", "f"}) put(KeySpace::kItems, key, key);
  auto cursor = store().cursor(KeySpace::kItems);
  cursor->seek("c");
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key(), "d");
  cursor->prev();
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key(), "b");
  cursor->prev();
  EXPECT_FALSE(cursor->valid());
  cursor->seek_for_prev("e");
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key(), "d");
  cursor->seek_for_prev("d");
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key(), "d");
  cursor->next();
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key(), "f");
  EXPECT_EQ(cursor->value(), "f");
  cursor->next();
  EXPECT_FALSE(cursor->valid());
  EXPECT_TRUE(cursor->status().ok());
  cursor->seek_for_prev("a");
  EXPECT_FALSE(cursor->valid());
  cursor->seek("g");
  EXPECT_FALSE(cursor->valid());
}

TEST_P(KeyValueStoreConformance, ACursorKeepsSeeingItsSnapshot) {
  for (const char* key : {"a", "b", "c"}) put(KeySpace::kItems, key, "old");
  auto cursor = store().cursor(KeySpace::kItems);
  put(KeySpace::kItems, "a", "new");
  erase(KeySpace::kItems, "b");
  put(KeySpace::kItems, "d", "new");
  ASSERT_TRUE(store().remove_range(KeySpace::kItems, "c", "d").ok());
  auto later = store().cursor(KeySpace::kItems);
  put(KeySpace::kItems, "b", "newest");

  cursor->seek("");
  EXPECT_EQ(rest(*cursor), (Pairs{{"a", "old"}, {"b", "old"}, {"c", "old"}}));
  later->seek("");
  EXPECT_EQ(rest(*later), (Pairs{{"a", "new"}, {"d", "new"}}));
  EXPECT_EQ(get(KeySpace::kItems, "b"), "newest");
  cursor.reset();
  later.reset();
  put(KeySpace::kItems, "e", "1");
  EXPECT_EQ(forward(KeySpace::kItems),
            (Pairs{{"a", "new"}, {"b", "newest"}, {"d", "new"}, {"e", "1"}}));
}

TEST_P(KeyValueStoreConformance, RemoveRangeTakesItsStartAndLeavesItsEnd) {
  for (const char* key : {"a", "b", "bb", "c", "d"}) put(KeySpace::kChanges, key, "v");
  put(KeySpace::kItems, "b", "kept");
  ASSERT_TRUE(store().remove_range(KeySpace::kChanges, "b", "c").ok());
  EXPECT_EQ(forward(KeySpace::kChanges), (Pairs{{"a", "v"}, {"c", "v"}, {"d", "v"}}));
  EXPECT_EQ(get(KeySpace::kItems, "b"), "kept");
  ASSERT_TRUE(store().remove_range(KeySpace::kChanges, "x", "z").ok());
  put(KeySpace::kChanges, "b", "again");
  EXPECT_EQ(get(KeySpace::kChanges, "b"), "again");
}

TEST_P(KeyValueStoreConformance, SyncedBatchesSurviveARestart) {
  put(KeySpace::kItems, "a", "1", Sync::kNo);
  put(KeySpace::kItems, "b", "2", Sync::kYes);
  erase(KeySpace::kItems, "a");
  restart();
  EXPECT_EQ(forward(KeySpace::kItems), (Pairs{{"b", "2"}}));
  put(KeySpace::kItems, "c", "3");
  restart();
  EXPECT_EQ(forward(KeySpace::kItems), (Pairs{{"b", "2"}, {"c", "3"}}));
}

TEST_P(KeyValueStoreConformance, UnsyncedBatchesSurviveAsAPrefixOfWholes) {
  for (int i = 0; i < 10; ++i) {
    WriteBatch batch;
    batch.put(KeySpace::kItems, "i" + std::to_string(i), "v");
    batch.put(KeySpace::kChanges, "c" + std::to_string(i), "v");
    write(batch, i == 4 ? Sync::kYes : Sync::kNo);
  }
  restart();
  const std::size_t kept = forward(KeySpace::kItems).size();
  EXPECT_GE(kept, 5U);
  EXPECT_EQ(forward(KeySpace::kChanges).size(), kept);
  for (std::size_t i = 0; i < kept; ++i) {
    EXPECT_EQ(get(KeySpace::kItems, "i" + std::to_string(i)), "v");
    EXPECT_EQ(get(KeySpace::kChanges, "c" + std::to_string(i)), "v");
  }
}

TEST_P(KeyValueStoreConformance, TellsItsRoom) {
  auto room = store().room();
  ASSERT_TRUE(room.ok());
  EXPECT_GT(room->free_bytes, 0U);
  EXPECT_GT(room->free_inodes, 0U);
}

}  // namespace pawl

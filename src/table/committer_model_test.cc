// Random commands, faults and crashes against a plain map: what was answered is there, what was refused is not,
// and the change log tells the whole story of every item.
#include <map>
#include <set>

#include "table/committer_fixture_test.h"

namespace pawl::table {
namespace {

constexpr int kSeeds = 150;
constexpr int kStepsPerSeed = 120;
constexpr std::array<const char*, 4> kKeys{"A", "B", "C", "D"};

class CommitterModelTest : public CommitterTest {
 protected:
  using Model = std::map<std::string, std::string>;  // key -> value

  // What one command would make of the model; nothing if its conditions fail.
  struct Planned {
    ReplyPtr reply;
    std::vector<std::pair<std::string, std::optional<std::string>>> writes;
    bool must_exist = false;
  };

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(dice.next() % bound); }
  std::string key_json(const std::string& key) { return R"({"id":{"S":")" + key + R"("}})"; }
  std::string item_json(const std::string& key, const std::string& value) {
    return R"({"id":{"S":")" + key + R"("},"v":{"S":")" + value + R"("}})";
  }

  Planned submit_one() {
    Planned planned;
    std::vector<Mutation> mutations;
    std::set<std::size_t> used;
    const std::size_t count = 1 + below(3);
    planned.must_exist = below(3) == 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t index = below(kKeys.size());
      if (!used.insert(index).second) continue;
      const std::string key = kKeys[index];
      Mutation mutation;
      if (below(4) == 0) {
        mutation = remove(key_json(key));
        planned.writes.emplace_back(key, std::nullopt);
      } else {
        const std::string value = std::to_string(below(5));
        mutation = put(item_json(key, value));
        planned.writes.emplace_back(key, value);
      }
      if (planned.must_exist)
        mutation = with_condition(std::move(mutation), "attribute_exists(id)");
      mutations.push_back(std::move(mutation));
    }
    planned.reply = submit_action(all(std::move(mutations)));
    return planned;
  }

  // As the committer should do it. Returns whether its conditions held.
  static bool apply(const Planned& planned, Model& model) {
    for (const auto& [key, value] : planned.writes) {
      if (planned.must_exist && !model.contains(key)) return false;
    }
    for (const auto& [key, value] : planned.writes) {
      if (value) {
        model[key] = *value;
      } else {
        model.erase(key);
      }
    }
    return true;
  }

  Model stored() {
    Model found;
    for (const char* key : kKeys) {
      const auto result = tables.reader->get("users", item_of(key_json(key)));
      const auto* item = std::get_if<std::optional<item::Item>>(&result);
      if (item != nullptr && *item) found[key] = (**item).at("v").as<item::String>().text;
    }
    return found;
  }

  // The promises that the change log carries, over all shards: dense versions, chained images, and an end that
  // is what the table holds.
  void check_log(const Model& model) {
    std::map<std::string, std::optional<item::Item>> last;
    std::map<std::string, std::uint64_t> versions;
    for (std::uint16_t number = 0; number < 2; ++number) {
      Instant instant;
      for (const item::Change& change : changes(shard(number))) {
        const std::string key = change.key.at("id").as<item::String>().text;
        ASSERT_EQ(change.version->value, versions[key]++) << key;
        ASSERT_EQ(change.old_image, last[key]) << key;
        ASSERT_NE(change.old_image, change.new_image) << key;
        ASSERT_LE(instant, change.instant);
        last[key] = change.new_image;
        instant = change.instant;
      }
    }
    for (const char* key : kKeys) {
      const auto expected = model.find(key);
      ASSERT_EQ(last[key].has_value(), expected != model.end()) << key;
      if (last[key]) {
        ASSERT_EQ(last[key]->at("v").as<item::String>().text, expected->second);
      }
    }
    const auto described = std::get<TableDescription>(tables.reader->describe("users"));
    ASSERT_EQ(described.item_count, model.size());
    ASSERT_EQ(described.size_bytes, model.size() * 5) << "id, one letter, v, one digit";
  }

  // One round of a few commands, whose write may fail in any way.
  void round(Model& model) {
    std::vector<Planned> planned(1 + below(4));
    for (Planned& one : planned) one = submit_one();
    run();
    Model after = model;
    std::vector<bool> held;
    for (const Planned& one : planned) held.push_back(apply(one, after));
    const bool unknown = !listener.failures.empty();
    if (unknown) {
      listener.failures.clear();
      for (const Planned& one : planned) ASSERT_FALSE(one.reply->answer);
      crash();
      const Model found = stored();
      ASSERT_TRUE(found == model || found == after) << "whole or not at all";
      model = found;
      return;
    }
    const bool refused = planned[0].reply->refusal() == Refusal::kStorage;
    for (std::size_t i = 0; i < planned.size(); ++i) {
      ASSERT_EQ(planned[i].reply->calls, 1);
      if (refused) {
        ASSERT_EQ(planned[i].reply->refusal(), Refusal::kStorage);
      } else {
        ASSERT_EQ(planned[i].reply->done(), held[i]) << planned[i].reply->message();
      }
    }
    if (!refused) model = std::move(after);
    ASSERT_EQ(stored(), model);
  }

  SeededRandom dice{0};
};

TEST_F(CommitterModelTest, AgreesWithAPlainMapOverFaultsAndCrashes) {
  std::uint64_t faults = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    dice = SeededRandom(static_cast<std::uint64_t>(seed));
    SeededFaultPlan plan(static_cast<std::uint64_t>(seed));
    plan.set(FaultPoint::kStoreWrite, 60).set(FaultPoint::kStoreCrash, 300);
    create("users", false, 2);
    store.set_fault_plan(&plan);
    Model model;
    for (int step = 0; step < kStepsPerSeed; ++step) {
      clock.advance(std::chrono::milliseconds(below(3)));
      round(model);
      if (HasFatalFailure()) return;
      if (below(20) == 0) {
        crash();
        ASSERT_EQ(stored(), model) << "what was answered is there";
      }
    }
    check_log(model);
    if (HasFatalFailure()) return;
    faults += plan.given(FaultPoint::kStoreWrite);
    store.set_fault_plan(nullptr);
    ASSERT_TRUE(do_action(DeleteTable{"users"})->done());
  }
  EXPECT_GT(faults, 100U) << "a run without faults has tested nothing";
}

}  // namespace
}  // namespace pawl::table

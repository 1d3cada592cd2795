#include "function/function_catalog.h"

#include <gtest/gtest.h>

#include "fault/manual_clock.h"
#include "fault/memory_key_value_store.h"
#include "function/function_fixture_test.h"
#include "function/function_format.h"

namespace pawl::function {
namespace {

class Catalog : public testing::Test {
 protected:
  void open() {
    auto opened = FunctionCatalog::open(
        {store_, clock_, random_, [this](const std::string&) { unknown_ = true; }}, {});
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    catalog_ = *std::move(opened);
    catalog_->set_listener([this](const std::string& name) { changed_.push_back(name); });
  }
  void SetUp() override { open(); }

  MemoryKeyValueStore store_;
  ManualClock clock_;
  TestRandom random_;
  bool unknown_ = false;
  std::vector<std::string> changed_;
  std::unique_ptr<FunctionCatalog> catalog_;
};

TEST_F(Catalog, KeepsAFunctionOverACrash) {
  const auto made = catalog_->create(record_named("archive"), "zip bytes");
  ASSERT_TRUE(made.ok());
  const FunctionRecord before = **made;
  store_.crash();
  open();
  const auto found = catalog_->find("archive");
  ASSERT_TRUE(found);
  EXPECT_EQ(encode_function(*found), encode_function(before));
  EXPECT_EQ(*catalog_->code_of(*found), "zip bytes");
  EXPECT_EQ(found->settings, record_named("archive").settings);
  EXPECT_EQ(catalog_->create(record_named("archive"), "other").error().code, ErrorCode::kExists);
}

TEST_F(Catalog, NewCodeTakesThePlaceOfTheOld) {
  const auto first = *catalog_->create(record_named("archive"), "one");
  const auto second = *catalog_->replace_code("archive", first->revision, "two");
  EXPECT_EQ(second->id, first->id);
  EXPECT_NE(second->revision, first->revision);
  EXPECT_EQ(*catalog_->code_of(*second), "two");
  EXPECT_EQ(catalog_->code_of(*first).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->replace_code("archive", first->revision, "three").error().code,
            ErrorCode::kConflict);
  EXPECT_EQ(catalog_->replace_code("other", {}, "three").error().code, ErrorCode::kNotFound);
}

TEST_F(Catalog, ChangesSettingsAlone) {
  const auto first = *catalog_->create(record_named("archive"), "one");
  const auto changed = *catalog_->change("archive", {}, [](FunctionSettings& settings) {
    settings.timeout = std::chrono::seconds(900);
    settings.concurrency = 0;
  });
  EXPECT_EQ(changed->code, first->code);
  store_.crash();
  open();
  EXPECT_EQ(catalog_->find("archive")->settings.timeout, std::chrono::seconds(900));
  EXPECT_EQ(catalog_->find("archive")->settings.concurrency, 0U);
}

TEST_F(Catalog, ANamesakeIsAnother) {
  const auto first = *catalog_->create(record_named("archive"), "one");
  ASSERT_TRUE(catalog_->remove("archive").ok());
  EXPECT_EQ(catalog_->remove("archive").error().code, ErrorCode::kNotFound);
  const auto second = *catalog_->create(record_named("archive"), "two");
  EXPECT_NE(second->id, first->id);
  EXPECT_EQ(catalog_->code_of(*first).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(changed_, (std::vector<std::string>{"archive", "archive", "archive"}));
}

TEST_F(Catalog, ListsByNameInPages) {
  for (const char* const name : {"c", "a", "b"}) {
    ASSERT_TRUE(catalog_->create(record_named(name), "zip").ok());
  }
  const auto page = catalog_->list("", 2);
  ASSERT_EQ(page.functions.size(), 2U);
  EXPECT_EQ(page.functions[1]->name, "b");
  EXPECT_TRUE(page.more);
  const auto rest = catalog_->list("b", 2);
  ASSERT_EQ(rest.functions.size(), 1U);
  EXPECT_FALSE(rest.more);
}

TEST_F(Catalog, RefusesWhatItDidNotWrite) {
  const auto made = *catalog_->create(record_named("archive"), "one");
  const std::string whole = encode_function(*made);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_function(whole.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(decode_function(whole + "x").ok());
  WriteBatch batch;
  batch.put(kCode, code_key(*made), "something else");
  ASSERT_EQ(store_.write(batch, Sync::kYes).outcome, WriteOutcome::kDone);
  EXPECT_EQ(catalog_->code_of(*made).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace pawl::function

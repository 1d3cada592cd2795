#include "adapter/log_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "adapter/temporary_directory.h"

namespace pawl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LogFilesTest : public testing::Test {
 protected:
  void open(const LogFilesOptions& options = {}) {
    auto opened = LogFiles::open(directory_ / "logs", options);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    files_ = *std::move(opened);
  }
  void write(std::string text, std::int64_t second = 0) {
    files_->write("archive",
                  {{1'800'000'000'000'000 + second * 1'000'000}, "stdout", "id", std::move(text)});
  }
  std::vector<std::string> texts(const LogQuestion& question = {}) {
    const auto page = files_->read("archive", question);
    EXPECT_TRUE(page.ok());
    std::vector<std::string> found;
    for (const auto& line : page->lines) {
      const auto at = line.find("\"text\":\"") + 8;
      found.push_back(line.substr(at, line.size() - at - 2));
    }
    next_ = page->next;
    return found;
  }
  std::size_t files() const {
    const std::filesystem::directory_iterator all(directory_ / "logs/archive");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  TemporaryDirectory directory_;
  std::unique_ptr<LogFiles> files_;
  std::uint64_t next_ = 0;
};

TEST_F(LogFilesTest, ReadsWhatWasWrittenAndThenWhatComes) {
  open();
  EXPECT_EQ(files_->read("archive", {}).error().code, ErrorCode::kNotFound);
  write("one");
  write("t\"w\no");
  EXPECT_THAT(texts(), ElementsAre("one", "t\\\"w\\no"));
  EXPECT_TRUE(texts({next_, {}}).empty());
  const auto at = next_;
  open();  // another server
  write("three");
  EXPECT_THAT(texts({at, {}}), ElementsAre("three"));
}

TEST_F(LogFilesTest, LinesFromATimeOn) {
  open();
  write("early", 1);
  write("late", 5);
  EXPECT_THAT(texts({0, {1'800'000'000'000'000 + 5'000'000}}), ElementsAre("late"));
}

TEST_F(LogFilesTest, KeepsTheNewestFilesAlone) {
  LogFilesOptions options;
  options.file_bytes_max = 1'000;
  options.files_max = 3;
  open(options);
  for (int i = 0; i < 100; ++i) write("line " + std::to_string(i));
  EXPECT_EQ(files(), 3U);
  const auto kept = texts();
  ASSERT_FALSE(kept.empty());
  EXPECT_LT(kept.size(), 50U);
  EXPECT_EQ(kept.back(), "line 99");
  for (std::size_t i = 1; i < kept.size(); ++i) {
    EXPECT_EQ(std::stoi(kept[i].substr(5)), std::stoi(kept[i - 1].substr(5)) + 1);
  }
}

TEST_F(LogFilesTest, PagesAreBounded) {
  LogFilesOptions options;
  options.page_bytes_max = 500;
  open(options);
  for (int i = 0; i < 20; ++i) write("line " + std::to_string(i));
  LogQuestion question;
  std::size_t lines = 0;
  for (bool more = true; more;) {
    const auto page = *files_->read("archive", question);
    ASSERT_FALSE(page.lines.empty());
    lines += page.lines.size();
    more = page.more;
    question.after = page.next;
  }
  EXPECT_EQ(lines, 20U);
}

TEST_F(LogFilesTest, ALineWithoutItsEndIsPassedOver) {
  open();
  write("one");
  std::ofstream(directory_ / "logs/archive/00000000000000000000.log", std::ios::app)
      << R"({"time":"2027-01-15T08:00:00.000000Z","str)";
  open();
  write("two");
  EXPECT_THAT(texts(), ElementsAre("one", "two"));
}

TEST_F(LogFilesTest, BytesThatAreNoTextAreReplaced) {
  open();
  write(
      "a\xff\xc3z\xed\xa0\x80"
      "\xf0\x9f\x98\x80");
  EXPECT_THAT(
      texts(),
      ElementsAre(
          "a\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80"));
}

TEST_F(LogFilesTest, LinesThatAreHeldComeTogetherAndInOrder) {
  LogFilesOptions options;
  options.file_bytes_max = 100'000;
  options.files_max = 100;
  open(options);
  files_->hold();
  for (int i = 0; i < 5'000; ++i) {
    write(std::to_string(i));
    if (i % 1'000 == 0) files_->write("other", {{1'800'000'000'000'000}, "stdout", "", "x"});
  }
  EXPECT_LT(texts().size(), 5'000U) << "the last are held";
  files_->release();
  std::vector<std::string> all;
  for (std::uint64_t at = 0; all.size() < 5'000;) {
    const auto some = texts({at, {}});
    ASSERT_FALSE(some.empty());
    all.insert(all.end(), some.begin(), some.end());
    at = next_;
  }
  for (int i = 0; i < 5'000; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_EQ(files_->read("other", {})->lines.size(), 5U);
  write("after");
  EXPECT_EQ(texts({next_, {}}).back(), "after");
}

TEST_F(LogFilesTest, WithoutRoomLinesAreLostAndCounted) {
  LogFilesOptions options;
  options.reserve_bytes = ~std::uint64_t{0};
  open(options);
  write("lost");
  EXPECT_FALSE(files_->read("archive", {}).ok());
}

}  // namespace
}  // namespace pawl

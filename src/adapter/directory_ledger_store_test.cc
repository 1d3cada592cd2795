#include "adapter/directory_ledger_store.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "adapter/system_random.h"
#include "adapter/temporary_directory.h"
#include "port/conformance/ledger_store_conformance.h"

namespace pawl {
namespace {

using testing::HasSubstr;

class FailingSyncs final : public DurabilityCalls {
 public:
  bool fail_next = false;
  int syncfs(int fd) override { return fails() ? -1 : DurabilityCalls::syncfs(fd); }
  int fsync(int fd) override { return fails() ? -1 : DurabilityCalls::fsync(fd); }

 private:
  bool fails() {
    errno = EIO;
    return std::exchange(fail_next, false);
  }
};

class DirectoryHarness final : public LedgerStoreHarness {
 public:
  DirectoryHarness() { open(); }
  LedgerStore& store() override { return *store_; }
  void restart() override { open(); }
  std::uint64_t tear(const std::string& chain, const std::string& bytes) override {
    std::filesystem::path last;
    for (const auto& entry : std::filesystem::directory_iterator(path("ledger/" + chain))) {
      last = std::max(last, entry.path());
    }
    std::ofstream(last, std::ios::app) << bytes;
    open();
    return bytes.size();
  }
  void fail_next_sync() override { syncs_.fail_next = true; }

  std::string path(const std::string& name) const { return directory_ / ("archive/.pawl/" + name); }
  void write(const std::string& name, std::string_view text) {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name)) << text;
    open();
  }

 private:
  void open() {
    store_.reset();
    archive_.reset();
    SystemRandom random;
    auto archive = ArchiveDirectory::open(directory_ / "archive", random, Instant{});
    ASSERT_TRUE(archive.ok()) << archive.error().to_string();
    archive_.emplace(std::move(archive).value());
    auto store = DirectoryLedgerStore::open(*archive_, syncs_);
    ASSERT_TRUE(store.ok()) << store.error().to_string();
    store_ = std::move(store).value();
  }

  TemporaryDirectory directory_;
  FailingSyncs syncs_;
  std::optional<ArchiveDirectory> archive_;
  std::unique_ptr<DirectoryLedgerStore> store_;
};

std::unique_ptr<LedgerStoreHarness> make_directory_harness() {
  return std::make_unique<DirectoryHarness>();
}

INSTANTIATE_TEST_SUITE_P(Directory, LedgerStoreConformance,
                         testing::Values(make_directory_harness));

class DirectoryLedgerStoreTest : public testing::Test {
 protected:
  Status append(std::string_view chain, std::string_view line) {
    const PageAppend page{chain, line};
    return run_awaitable(harness_.store().append({&page, 1}));
  }
  Status sync() { return run_awaitable(harness_.store().sync()); }
  Result<ChainEnd> end_of(std::string_view chain) {
    return run_awaitable(harness_.store().end_of(chain));
  }

  DirectoryHarness harness_;
};

TEST_F(DirectoryLedgerStoreTest, ATornFirstPageOfAVolumeLeavesTheLastOneInTheVolumeBefore) {
  harness_.write("ledger/a/00000000.pages", "1\n2\n");
  harness_.write("ledger/a/00000001.pages", "tor");
  auto end = end_of("a");
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->last_line, "2\n");
  EXPECT_EQ(end->torn_bytes, 3U);
  EXPECT_EQ(end->volume_bytes, 3U);
  ASSERT_TRUE(run_awaitable(harness_.store().cut("a")).ok());
  ASSERT_TRUE(append("a", "3\n").ok());
  ASSERT_TRUE(sync().ok());
  EXPECT_EQ(std::filesystem::file_size(harness_.path("ledger/a/00000001.pages")), 2U);
}

TEST_F(DirectoryLedgerStoreTest, AHoleInTheVolumesIsDamage) {
  harness_.write("ledger/a/00000000.pages", "1\n");
  harness_.write("ledger/a/00000002.pages", "3\n");
  auto end = end_of("a");
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(end.error().message, HasSubstr("00000001.pages is missing"));
  EXPECT_FALSE(append("a", "4\n").ok());
}

TEST_F(DirectoryLedgerStoreTest, ATornPageBeforeTheLastVolumeIsDamage) {
  harness_.write("ledger/a/00000000.pages", "1\nhalf");
  harness_.write("ledger/a/00000001.pages", "2\n");
  EXPECT_EQ(
      run_awaitable(harness_.store().read("a", [](std::string_view) { return true; })).error().code,
      ErrorCode::kCorrupt);
  harness_.write("ledger/a/00000001.pages", "");
  EXPECT_EQ(end_of("a").error().code, ErrorCode::kCorrupt);
}

TEST_F(DirectoryLedgerStoreTest, AVolumeThatSomebodyElseChangedIsNotWrittenTo) {
  ASSERT_TRUE(append("a", "1\n").ok());
  ASSERT_TRUE(sync().ok());
  std::ofstream(harness_.path("ledger/a/00000000.pages"), std::ios::app) << "intruder\n";
  const Status appended = append("a", "2\n");
  ASSERT_FALSE(appended.ok());
  EXPECT_EQ(appended.error().code, ErrorCode::kConflict);
  EXPECT_EQ(std::filesystem::file_size(harness_.path("ledger/a/00000000.pages")), 11U);
}

TEST_F(DirectoryLedgerStoreTest, ReopeningMayBeRepeatedUntilItSucceeds) {
  ASSERT_TRUE(append("a", "1\n").ok());
  ASSERT_TRUE(sync().ok());
  ASSERT_TRUE(append("a", "2\n").ok());
  harness_.fail_next_sync();
  ASSERT_FALSE(sync().ok());
  harness_.fail_next_sync();
  EXPECT_FALSE(run_awaitable(harness_.store().reopen()).ok());
  EXPECT_FALSE(append("a", "2\n").ok());
  ASSERT_TRUE(run_awaitable(harness_.store().reopen()).ok());
  ASSERT_TRUE(append("a", "2\n").ok());
  EXPECT_TRUE(sync().ok());
}

TEST_F(DirectoryLedgerStoreTest, ChainsWithNamesThatAreNoneAreRefused) {
  for (const char* name : {"", "..", "a/b", "A", "x.y"}) {
    EXPECT_FALSE(append(name, "1\n").ok()) << name;
    ASSERT_TRUE(run_awaitable(harness_.store().reopen()).ok());
  }
}

TEST_F(DirectoryLedgerStoreTest, AnUnusableLedgerFailsUntilItIsBack) {
  ASSERT_TRUE(append("a", "1\n").ok());
  ASSERT_TRUE(sync().ok());
  std::filesystem::rename(harness_.path("ledger"), harness_.path("away"));
  EXPECT_FALSE(append("a", "2\n").ok());
  EXPECT_FALSE(run_awaitable(harness_.store().reopen()).ok());
  std::filesystem::rename(harness_.path("away"), harness_.path("ledger"));
  ASSERT_TRUE(run_awaitable(harness_.store().reopen()).ok());
  ASSERT_TRUE(append("a", "2\n").ok());
  EXPECT_TRUE(sync().ok());
}

}  // namespace
}  // namespace pawl

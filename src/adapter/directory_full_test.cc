// Both stores of an archive directory on a disk, or under a quota, that is full: nothing is half there, what was refused
// can be put again when there is room, and the reason is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "adapter/directory_ledger_store.h"
#include "adapter/directory_object_store.h"
#include "adapter/system_random.h"
#include "adapter/temporary_directory.h"
#include "port/conformance/run_awaitable.h"

namespace pawl {
namespace {

using testing::HasSubstr;

// Delayed allocation and network file systems tell of a full disk at the sync.
class FullAtSync final : public DurabilityCalls {
 public:
  int error = 0;     // errno of what fails; 0: nothing fails
  int skip = 0;      // calls that succeed before
  bool once = true;  // or all from then on

  int syncfs(int fd) override { return fails() ? -1 : DurabilityCalls::syncfs(fd); }
  int fsync(int fd) override { return fails() ? -1 : DurabilityCalls::fsync(fd); }

 private:
  bool fails() {
    if (error == 0 || skip-- > 0) return false;
    errno = error;
    if (once) error = 0;
    return true;
  }
};

class FullStores {
 public:
  explicit FullStores(std::string path) : path_(std::move(path)) { open(); }

  void open() {
    ledger.reset();
    objects.reset();
    archive_.reset();
    SystemRandom random;
    auto archive = ArchiveDirectory::open(path_, random, Instant{1});
    ASSERT_TRUE(archive.ok()) << archive.error().to_string();
    archive_.emplace(std::move(archive).value());
    auto object_store = DirectoryObjectStore::open(*archive_, calls);
    ASSERT_TRUE(object_store.ok());
    objects = std::move(object_store).value();
    auto ledger_store = DirectoryLedgerStore::open(*archive_, calls);
    ASSERT_TRUE(ledger_store.ok());
    ledger = std::move(ledger_store).value();
  }
  PutResult put(const std::string& name, const std::string& body) {
    const PutRequest request{name, body, sha256(body)};
    return run_awaitable(objects->put_if_absent({&request, 1})).at(0);
  }
  std::optional<std::string> get(const std::string& name) {
    auto body = run_awaitable(objects->get(name, 1 << 24));
    EXPECT_TRUE(body.ok());
    return body.ok() ? *body : std::nullopt;
  }
  Status append(std::string_view line) {
    const PageAppend page{"a", line};
    auto status = run_awaitable(ledger->append({&page, 1}));
    return status.ok() ? run_awaitable(ledger->sync()) : status;
  }
  std::vector<std::string> pages() {
    std::vector<std::string> lines;
    const auto read = run_awaitable(ledger->read("a", [&](std::string_view line) {
      lines.emplace_back(line);
      return true;
    }));
    EXPECT_TRUE(read.ok()) << read.error().to_string();
    return lines;
  }

  FullAtSync calls;
  std::unique_ptr<DirectoryObjectStore> objects;
  std::unique_ptr<DirectoryLedgerStore> ledger;

 private:
  const std::string path_;
  std::optional<ArchiveDirectory> archive_;
};

class FullAtSyncTest : public testing::TestWithParam<int> {
 protected:
  TemporaryDirectory directory_;
};

TEST_P(FullAtSyncTest, BodiesThatFindNoRoomAreRefusedAndLeaveNothing) {
  FullStores stores(directory_ / "archive");
  stores.calls.error = GetParam();
  const PutResult refused = stores.put("logs/a", "body");
  EXPECT_EQ(refused.outcome, PutOutcome::kRefused);
  EXPECT_THAT(refused.why, HasSubstr(std::strerror(GetParam())));
  EXPECT_EQ(stores.get("logs/a"), std::nullopt);
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "archive/.pawl/tmp"));
  EXPECT_EQ(stores.put("logs/a", "body").outcome, PutOutcome::kStored);
}

TEST_P(FullAtSyncTest, NamesThatFindNoRoomAreInDoubtUntilSetAside) {
  FullStores stores(directory_ / "archive");
  stores.calls.error = GetParam();
  stores.calls.skip = 1;  // the bodies are there, the directory is not
  EXPECT_EQ(stores.put("a", "body").outcome, PutOutcome::kUnknown);
  EXPECT_EQ(stores.put("a", "body").outcome, PutOutcome::kUnknown) << "a cache proves nothing";
  const std::vector<std::string> names = {"a"};
  ASSERT_TRUE(run_awaitable(stores.objects->set_aside(names)).ok());
  EXPECT_EQ(stores.put("a", "body").outcome, PutOutcome::kStored);
}

TEST_P(FullAtSyncTest, APageThatFindsNoRoomIsCutOffAndWrittenAgain) {
  FullStores stores(directory_ / "archive");
  ASSERT_TRUE(stores.append("1\n").ok());
  stores.calls.error = GetParam();
  const auto full = stores.append("2\n");
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::kExhausted) << full.error().to_string();
  EXPECT_FALSE(stores.append("2\n").ok()) << "not before reopen()";
  ASSERT_TRUE(run_awaitable(stores.ledger->reopen()).ok());
  EXPECT_EQ(stores.pages(), std::vector<std::string>{"1\n"});
  ASSERT_TRUE(stores.append("2\n").ok());
  stores.open();
  EXPECT_EQ(stores.pages(), (std::vector<std::string>{"1\n", "2\n"}));
}

INSTANTIATE_TEST_SUITE_P(Errors, FullAtSyncTest, testing::Values(ENOSPC, EDQUOT),
                         [](const auto& error) {
                           return error.param == ENOSPC ? std::string("ENOSPC")
                                                        : std::string("EDQUOT");
                         });

// A file system of its own that is really full. Needs root.
class FullDisk : public testing::Test {
 protected:
  ~FullDisk() override {
    if (mounted_) ::umount2(mount_.c_str(), MNT_DETACH);
  }
  bool mount(const char* options) {
    std::filesystem::create_directory(mount_);
    mounted_ = ::mount("tmpfs", mount_.c_str(), "tmpfs", 0, options) == 0;
    return mounted_;
  }
  // Takes what room there is, all but `bytes_left`.
  void fill(std::uintmax_t bytes_left) {
    std::ofstream filler(mount_ + "/filler", std::ios::binary | std::ios::app);
    const std::string block(4096, 'x');
    while (std::filesystem::space(mount_).available > bytes_left &&
           filler.write(block.data(), 4096).flush()) {
    }
  }
  void empty() { std::filesystem::remove(mount_ + "/filler"); }

  TemporaryDirectory directory_;
  const std::string mount_ = directory_ / "disk";
  bool mounted_ = false;
};

TEST_F(FullDisk, RefusesObjectsAndPagesAndGoesOnWhenThereIsRoom) {
  if (!mount("size=2m")) GTEST_SKIP() << "mounting a tmpfs needs root";
  FullStores stores(mount_ + "/archive");
  const std::string large(64 << 10, 'b');
  ASSERT_EQ(stores.put("before", large).outcome, PutOutcome::kStored);
  ASSERT_TRUE(stores.append("1\n").ok());

  fill(20 << 10);  // less than a body: it finds no room in the middle
  const PutResult refused = stores.put("logs/large", large);
  EXPECT_EQ(refused.outcome, PutOutcome::kRefused);
  EXPECT_THAT(refused.why, HasSubstr("No space left"));
  EXPECT_EQ(stores.get("logs/large"), std::nullopt);
  EXPECT_TRUE(std::filesystem::is_empty(mount_ + "/archive/.pawl/tmp")) << "its part is given back";
  const auto room = stores.objects->free_bytes();
  ASSERT_TRUE(room.ok());
  EXPECT_LT(**room, 64U << 10);

  fill(0);
  const std::string long_page = "2" + std::string(20'000, 'p') + "\n";
  const auto full = stores.append(long_page);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::kExhausted) << full.error().to_string();
  ASSERT_TRUE(run_awaitable(stores.ledger->reopen()).ok()) << "cutting off needs no room";
  EXPECT_EQ(stores.pages(), std::vector<std::string>{"1\n"});

  empty();
  EXPECT_EQ(stores.put("logs/large", large).outcome, PutOutcome::kStored);
  EXPECT_EQ(stores.get("logs/large"), large);
  EXPECT_EQ(stores.put("before", large).outcome, PutOutcome::kAlreadyEqual);
  ASSERT_TRUE(stores.append(long_page).ok());
  stores.open();
  EXPECT_EQ(stores.pages(), (std::vector<std::string>{"1\n", long_page}));
}

TEST_F(FullDisk, RefusesObjectsWhenInodesAreGone) {
  if (!mount("size=8m,nr_inodes=40")) GTEST_SKIP() << "mounting a tmpfs needs root";
  FullStores stores(mount_ + "/archive");
  std::uint64_t stored = 0;
  PutResult last;
  while (stored < 100) {
    last = stores.put("d" + std::to_string(stored) + "/o", "body");
    if (last.outcome != PutOutcome::kStored) break;
    ++stored;
  }
  EXPECT_EQ(last.outcome, PutOutcome::kRefused);
  EXPECT_THAT(last.why, HasSubstr("No space left"));
  ASSERT_GT(stored, 2U);
  const std::string refused = "d" + std::to_string(stored) + "/o";
  EXPECT_EQ(stores.get(refused), std::nullopt);
  ASSERT_GT(std::filesystem::remove_all(mount_ + "/archive/d0"), 0U);
  EXPECT_EQ(stores.put(refused, "body").outcome, PutOutcome::kStored);
  for (std::uint64_t i = 1; i <= stored; ++i)
    EXPECT_EQ(stores.get("d" + std::to_string(i) + "/o"), "body");
}

}  // namespace
}  // namespace pawl

#include "adapter/directory_object_store.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "adapter/system_random.h"
#include "adapter/temporary_directory.h"
#include "port/conformance/object_store_conformance.h"

namespace pawl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ArchiveDirectory open_archive(const std::string& path) {
  SystemRandom random;
  auto archive = ArchiveDirectory::open(path, random, Instant{1'795'000'000'000'000});
  EXPECT_TRUE(archive.ok()) << archive.error().to_string();
  return std::move(archive).value();
}

// Fails the n-th next call, once.
class FailingCalls final : public DurabilityCalls {
 public:
  int fail_syncfs_in = 0;
  int fail_fsync_in = 0;
  int syncfs(int fd) override { return fails(fail_syncfs_in) ? -1 : DurabilityCalls::syncfs(fd); }
  int fsync(int fd) override { return fails(fail_fsync_in) ? -1 : DurabilityCalls::fsync(fd); }

 private:
  static bool fails(int& in) {
    if (in == 0 || --in > 0) return false;
    errno = EIO;
    return true;
  }
};

class DirectoryHarness final : public ObjectStoreHarness {
 public:
  explicit DirectoryHarness(DirectoryStoreOptions options) : options_(options) {}
  ObjectStore& store() override { return *store_; }
  void restart() override {
    store_.reset();
    archive_.reset();
    open();
  }
  void open() {
    archive_.emplace(open_archive(directory_ / "archive"));
    auto store = DirectoryObjectStore::open(*archive_, DurabilityCalls::system(), options_);
    ASSERT_TRUE(store.ok());
    store_ = std::move(store).value();
  }

 private:
  DirectoryStoreOptions options_;
  TemporaryDirectory directory_;
  std::optional<ArchiveDirectory> archive_;
  std::unique_ptr<DirectoryObjectStore> store_;
};

template <bool kNameless>
std::unique_ptr<ObjectStoreHarness> make_directory_harness() {
  auto harness = std::make_unique<DirectoryHarness>(DirectoryStoreOptions{.nameless = kNameless});
  harness->open();
  return harness;
}

INSTANTIATE_TEST_SUITE_P(Directory, ObjectStoreConformance,
                         testing::Values(make_directory_harness<true>));
INSTANTIATE_TEST_SUITE_P(DirectoryWithTemporaries, ObjectStoreConformance,
                         testing::Values(make_directory_harness<false>));

class DirectoryObjectStoreTest : public testing::Test {
 protected:
  DirectoryObjectStoreTest() { open(); }

  void open(DirectoryStoreOptions options = {}) {
    store_.reset();
    archive_.reset();
    archive_.emplace(open_archive(root()));
    auto store = DirectoryObjectStore::open(*archive_, calls_, options);
    ASSERT_TRUE(store.ok()) << store.error().to_string();
    store_ = std::move(store).value();
  }
  std::string root() const { return directory_ / "archive"; }
  std::string path(const std::string& name) const { return root() + "/" + name; }
  PutResult put(const std::string& name, const std::string& body = "body") {
    const PutRequest request{name, body, sha256(body)};
    return run_awaitable(store_->put_if_absent({&request, 1})).at(0);
  }
  std::optional<std::string> get(std::string_view name) {
    auto body = run_awaitable(store_->get(name, 1000));
    EXPECT_TRUE(body.ok()) << body.error().to_string();
    return body.ok() ? *body : std::nullopt;
  }
  Status set_aside(std::vector<std::string> names) {
    return run_awaitable(store_->set_aside(names));
  }
  std::size_t count(const std::string& name) const {
    const std::filesystem::directory_iterator entries(path(name));
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }

  TemporaryDirectory directory_;
  FailingCalls calls_;
  std::optional<ArchiveDirectory> archive_;
  std::unique_ptr<DirectoryObjectStore> store_;
};

TEST_F(DirectoryObjectStoreTest, AnObjectIsTheFileOfItsName) {
  EXPECT_EQ(put("logs/A-0.log").outcome, PutOutcome::kStored);
  struct stat about {};
  ASSERT_EQ(::stat(path("logs/A-0.log").c_str(), &about), 0);
  EXPECT_TRUE(S_ISREG(about.st_mode));
  EXPECT_EQ(about.st_mode & 0222U, 0U);
  EXPECT_EQ(count(".pawl/tmp"), 0U);
  EXPECT_EQ(count(".pawl/hashed"), 0U);
}

TEST_F(DirectoryObjectStoreTest, AClashIsStoredUnderItsHashWithItsName) {
  EXPECT_EQ(put("a").outcome, PutOutcome::kStored);
  EXPECT_EQ(put("a/b", "below").outcome, PutOutcome::kStored);
  const std::string hashed = ".pawl/hashed/" + sha256("a/b").to_hex();
  std::ifstream name(path(hashed + ".name"));
  std::ifstream body(path(hashed));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(name), {}), "a/b");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(body), {}), "below");
}

TEST_F(DirectoryObjectStoreTest, AHashedObjectIsNotStoredASecondTimeAtItsPath) {
  ASSERT_EQ(put("a").outcome, PutOutcome::kStored);
  ASSERT_EQ(put("a/b", "below").outcome, PutOutcome::kStored);
  open();
  ASSERT_TRUE(set_aside({"a"}).ok());
  EXPECT_EQ(put("a/b", "below").outcome, PutOutcome::kAlreadyEqual);
  EXPECT_EQ(put("a/b", "other").outcome, PutOutcome::kAlreadyDifferent);
}

TEST_F(DirectoryObjectStoreTest, AFileInPlaceOfASeenDirectoryIsAnOutage) {
  ASSERT_EQ(put("logs/1").outcome, PutOutcome::kStored);
  std::filesystem::rename(path("logs"), directory_ / "away");
  std::ofstream(path("logs")) << "in the way";
  const PutResult blocked = put("logs/2");
  EXPECT_EQ(blocked.outcome, PutOutcome::kRefused);
  EXPECT_THAT(blocked.why, HasSubstr("logs: Not a directory"));
  EXPECT_THAT(blocked.why, HasSubstr("put it back"));
  EXPECT_EQ(count(".pawl/tmp"), 0U);
  std::filesystem::remove(path("logs"));
  std::filesystem::rename(directory_ / "away", path("logs"));
  EXPECT_EQ(put("logs/2").outcome, PutOutcome::kStored);
  EXPECT_EQ(put("logs/1").outcome, PutOutcome::kAlreadyEqual);
  EXPECT_EQ(count(".pawl/hashed"), 0U);
}

TEST_F(DirectoryObjectStoreTest, TheSameAfterARestartLosesNothingEither) {
  ASSERT_EQ(put("logs/1").outcome, PutOutcome::kStored);
  std::filesystem::rename(path("logs"), directory_ / "away");
  std::ofstream(path("logs")) << "in the way";
  open();
  EXPECT_EQ(put("logs/2").outcome, PutOutcome::kStored);
  std::filesystem::remove(path("logs"));
  std::filesystem::rename(directory_ / "away", path("logs"));
  EXPECT_EQ(get("logs/2"), "body");
  EXPECT_EQ(put("logs/2").outcome, PutOutcome::kAlreadyEqual);
}

TEST_F(DirectoryObjectStoreTest, WithoutItsTemporariesEverythingIsRefusedUntilTheyAreBack) {
  std::filesystem::rename(path(".pawl/tmp"), path(".pawl/tmp.away"));
  EXPECT_EQ(put("a").outcome, PutOutcome::kRefused);
  std::ofstream(path(".pawl/tmp")) << "in the way";
  const PutResult blocked = put("a");
  EXPECT_EQ(blocked.outcome, PutOutcome::kRefused);
  EXPECT_THAT(blocked.why, HasSubstr(".pawl/tmp: Not a directory"));
  std::filesystem::remove(path(".pawl/tmp"));
  std::filesystem::rename(path(".pawl/tmp.away"), path(".pawl/tmp"));
  EXPECT_EQ(put("a").outcome, PutOutcome::kStored);
}

TEST_F(DirectoryObjectStoreTest, SymbolicLinksAreNotFollowed) {
  std::filesystem::create_directory(directory_ / "outside");
  std::filesystem::create_directory_symlink(directory_ / "outside", path("link"));
  std::filesystem::create_symlink(directory_ / "outside/file", path("dangling"));
  EXPECT_EQ(put("link/a").outcome, PutOutcome::kRefused);
  EXPECT_EQ(put("dangling").outcome, PutOutcome::kRefused);
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "outside"));
  std::ofstream(directory_ / "outside/a") << "secret";
  EXPECT_FALSE(run_awaitable(store_->get("link/a", 100)).ok());
}

TEST_F(DirectoryObjectStoreTest, NamesThatLeaveTheArchiveAreRefused) {
  for (const char* name : {"../x", "a/../x", "/x", "a//x", "a/", "", ".", "a/.", ".pawl/tip",
                           ".pawlx", ".suspect/x"}) {
    EXPECT_EQ(put(name).outcome, PutOutcome::kRefused) << name;
    EXPECT_FALSE(run_awaitable(store_->get(name, 100)).ok()) << name;
  }
  EXPECT_EQ(put(std::string(1025, 'x')).outcome, PutOutcome::kRefused);
  EXPECT_EQ(put(std::string("a\0b", 3)).outcome, PutOutcome::kRefused);
}

TEST_F(DirectoryObjectStoreTest, AFailedSyncOfBodiesMeansNotDone) {
  calls_.fail_syncfs_in = 1;
  const PutResult result = put("a");
  EXPECT_EQ(result.outcome, PutOutcome::kRefused);
  EXPECT_THAT(result.why, HasSubstr("Input/output error"));
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_EQ(count(".pawl/tmp"), 0U);
  EXPECT_EQ(put("a").outcome, PutOutcome::kStored);
}

TEST_F(DirectoryObjectStoreTest, AfterAFailedSyncOfADirectoryANameStaysInDoubtUntilSetAside) {
  calls_.fail_fsync_in = 1;
  EXPECT_EQ(put("a").outcome, PutOutcome::kUnknown);
  EXPECT_EQ(put("a").outcome, PutOutcome::kUnknown);
  EXPECT_EQ(put("a", "other").outcome, PutOutcome::kAlreadyDifferent);
  EXPECT_EQ(put("b").outcome, PutOutcome::kStored);
  ASSERT_TRUE(set_aside({"a"}).ok());
  EXPECT_EQ(count(".suspect"), 1U);
  EXPECT_EQ(put("a").outcome, PutOutcome::kStored);
}

TEST_F(DirectoryObjectStoreTest, AFailedSettingAsideLeavesTheDoubt) {
  calls_.fail_fsync_in = 1;
  ASSERT_EQ(put("a").outcome, PutOutcome::kUnknown);
  calls_.fail_fsync_in = 1;
  EXPECT_FALSE(set_aside({"a"}).ok());
  ASSERT_TRUE(set_aside({"a"}).ok());
  EXPECT_EQ(put("a").outcome, PutOutcome::kStored);
}

TEST_F(DirectoryObjectStoreTest, ManyDirectoriesAreSyncedAtOnce) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("d" + std::to_string(i) + "/deep/o");
  std::vector<PutRequest> requests;
  for (const std::string& name : names) requests.push_back({name, "b", sha256("b")});
  calls_.fail_syncfs_in = 2;  // the second one is that of the directories
  for (const PutResult& result : run_awaitable(store_->put_if_absent(requests))) {
    EXPECT_EQ(result.outcome, PutOutcome::kUnknown);
  }
  ASSERT_TRUE(set_aside(names).ok());
  for (const PutResult& result : run_awaitable(store_->put_if_absent(requests))) {
    EXPECT_EQ(result.outcome, PutOutcome::kStored);
  }
}

TEST_F(DirectoryObjectStoreTest, ALargeBatchOnTwoThreadsIsAnsweredOneByOne) {
  for (const bool nameless : {true, false}) {
    open({.nameless = nameless});
    std::vector<std::string> names, bodies;
    for (int i = 0; i < 700; ++i) {
      names.push_back(i % 100 == 99 ? "../out" : fmt::format("{}/{}-{}", nameless, i % 9, i));
      bodies.push_back(std::string(static_cast<std::size_t>(i), 'x'));
    }
    std::vector<PutRequest> requests;
    for (std::size_t i = 0; i < names.size(); ++i)
      requests.push_back({names[i], bodies[i], sha256(bodies[i])});
    const auto results = run_awaitable(store_->put_if_absent(requests));
    for (std::size_t i = 0; i < names.size(); ++i) {
      const bool legal = i % 100 != 99;
      ASSERT_EQ(results[i].outcome, legal ? PutOutcome::kStored : PutOutcome::kRefused) << i;
      EXPECT_EQ(legal ? get(names[i]) : bodies[i], bodies[i]);
    }
    EXPECT_EQ(count(".pawl/tmp"), 0U);
  }
}

TEST_F(DirectoryObjectStoreTest, TemporariesOfACrashAreThrownAway) {
  std::ofstream(path(".pawl/tmp/17")) << "half";
  open();
  EXPECT_EQ(count(".pawl/tmp"), 0U);
}

TEST(ArchiveDirectory, KeepsItsIdentity) {
  TemporaryDirectory directory;
  std::uint64_t id = 0;
  {
    const ArchiveDirectory archive = open_archive(directory / "a");
    EXPECT_TRUE(archive.created());
    id = archive.id();
  }
  std::ifstream file(directory / "a/.pawl/archive.json");
  const std::string json(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(json,
              testing::MatchesRegex("\\{\"format\":\"pawl-archive/1\",\"archive\":\"[0-9a-f]{16}\","
                                    "\"created\":\"2026-11-18T[0-9:.]*Z\"\\}\n"));
  const ArchiveDirectory again = open_archive(directory / "a");
  EXPECT_FALSE(again.created());
  EXPECT_EQ(again.id(), id);
}

class RefusedArchive : public testing::Test {
 protected:
  Error refusal() {
    SystemRandom random;
    auto archive = ArchiveDirectory::open(directory_.path(), random, Instant{});
    EXPECT_FALSE(archive.ok());
    return archive.ok() ? Error{} : archive.error();
  }
  void write(const std::string& name, std::string_view text) {
    std::filesystem::create_directories(std::filesystem::path(directory_ / name).parent_path());
    std::ofstream(directory_ / name) << text;
  }
  TemporaryDirectory directory_;
};

TEST_F(RefusedArchive, ASecondWriter) {
  const ArchiveDirectory first = open_archive(directory_.path());
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::kConflict);
  EXPECT_THAT(error.message, HasSubstr("in use by process"));
}

TEST_F(RefusedArchive, ANewerFormat) {
  write(".pawl/archive.json", "{\"format\":\"pawl-archive/2\",\"whatever\":1}\n");
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::kInvalid);
  EXPECT_THAT(error.message, HasSubstr("pawl-archive/2"));
}

TEST_F(RefusedArchive, DamagedIdentities) {
  for (const char* text :
       {"", "{}", "{\"format\":\"pawl-archive/1\",\"archive\":\"xyz\"}\n",
        "{\"format\":\"pawl-archive/1\",\"archive\":\"0123456789abcdef\",\"created\":\"x\"}\n",
        "{\"format\":\"pawl-archive/1\",\"archive\":\"0123456789abcdef\",\"created\":"
        "\"2026-11-22T18:00:00.123456Z\"}"}) {
    write(".pawl/archive.json", text);
    EXPECT_EQ(refusal().code, ErrorCode::kCorrupt) << text;
  }
}

TEST_F(RefusedArchive, ALostIdentityIsNotReplaced) {
  write(".pawl/ledger/root/00000000.pages", "x");
  EXPECT_EQ(refusal().code, ErrorCode::kCorrupt);
}

TEST_F(RefusedArchive, AForeignDirectory) {
  write("holiday.jpg", "x");
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::kInvalid);
  EXPECT_FALSE(std::filesystem::exists(directory_ / ".pawl"));
}

}  // namespace
}  // namespace pawl

// Both stores of an archive directory in a process that is killed at random instants. What the page cache holds outlives
// SIGKILL, so this is about order, not about disks: what was answered is there, what was not is there whole or not at all,
// and a chain is torn at its end or nowhere. tests/crash kills the whole server.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <random>
#include <set>
#include <thread>

#include "adapter/directory_archive_view.h"
#include "adapter/directory_ledger_store.h"
#include "adapter/directory_object_store.h"
#include "adapter/system_random.h"
#include "adapter/temporary_directory.h"
#include "base/sanitized.h"
#include "port/conformance/run_awaitable.h"

namespace pawl {
namespace {

constexpr std::array<const char*, 3> kChains = {"a", "b", "root"};
constexpr std::uint64_t kKillsDefault = kSanitized ? 15 : 60;
constexpr std::uint64_t kLongestLifeUs = 60'000;
constexpr std::uint64_t kLifeUsMax = 5'000'000;

// Outlives the child: what it began, and what it was answered.
struct Told {
  std::atomic<bool> works;
  std::atomic<bool> nameless;
  std::atomic<bool> failed;  // by itself: the child's own complaint
  std::atomic<std::uint64_t> rounds_begun;
  std::atomic<std::uint64_t> rounds_stored;
  std::array<std::atomic<std::uint64_t>, kChains.size()> pages_synced;
};

// What a round puts is a function of its number, so parent and child need not talk about it.
std::vector<std::string> names_of(std::uint64_t round) {
  const std::string number = std::to_string(round);
  std::vector<std::string> names;
  for (std::uint64_t i = 0; i <= round % 7; ++i)
    names.push_back("logs/" + std::to_string(round % 3) + "/" + number + "-" + std::to_string(i));
  names.push_back("new/" + number + "/deep/object");  // directories of its own
  if (round % 4 == 0) {
    names.push_back("both/" + number);  // file and directory: the second goes under its hash
    names.push_back("both/" + number + "/below");
  }
  return names;
}
std::string body_of(const std::string& name) {
  std::minstd_rand random(static_cast<unsigned>(std::hash<std::string>{}(name)));
  const std::size_t size = random() % 3 == 0 ? random() % 300'000 : random() % 800;
  // All are rendered again after each kill, so each by doubling what is there.
  std::string body = name;
  for (int i = 0; i < 61; ++i) body.push_back(static_cast<char>(random()));
  while (body.size() < size) body.append(body, 0, size - body.size());
  return body;
}
std::string page_of(std::size_t chain, std::uint64_t number) {
  return kChains[chain] + std::to_string(number) + std::string((number * 977) % 9'000, 'x') + "\n";
}

// The stores on a directory, or nothing if they can't be opened.
struct Stores {
  explicit Stores(const std::string& path, bool nameless = true) {
    SystemRandom random;
    auto opened = ArchiveDirectory::open(path, random, Instant{1});
    if (!opened.ok()) return;
    archive.emplace(std::move(opened).value());
    auto object_store =
        DirectoryObjectStore::open(*archive, DurabilityCalls::system(), {.nameless = nameless});
    auto ledger_store = DirectoryLedgerStore::open(*archive);
    if (!object_store.ok() || !ledger_store.ok()) return;
    objects = std::move(object_store).value();
    ledger = std::move(ledger_store).value();
  }
  std::optional<ArchiveDirectory> archive;
  std::unique_ptr<DirectoryObjectStore> objects;
  std::unique_ptr<DirectoryLedgerStore> ledger;
};

bool put_round(DirectoryObjectStore& objects, std::uint64_t round) {
  const auto names = names_of(round);
  std::vector<std::string> bodies;
  for (const auto& name : names) bodies.push_back(body_of(name));
  std::vector<PutRequest> requests;
  for (std::size_t i = 0; i < names.size(); ++i)
    requests.push_back({names[i], bodies[i], sha256(bodies[i])});
  for (const auto& result : run_awaitable(objects.put_if_absent(requests))) {
    if (result.outcome != PutOutcome::kStored && result.outcome != PutOutcome::kAlreadyEqual)
      return false;
  }
  return true;
}

// One page a chain, now and then in a new volume, then one sync for all.
bool append_pages(DirectoryLedgerStore& ledger, std::array<std::uint64_t, kChains.size()>& pages) {
  std::array<std::string, kChains.size()> lines;
  std::vector<PageAppend> batch;
  for (std::size_t i = 0; i < kChains.size(); ++i) {
    lines[i] = page_of(i, ++pages[i]);
    if (pages[i] % 11 == 0 && !run_awaitable(ledger.start_volume(kChains[i])).ok()) return false;
    batch.push_back({kChains[i], lines[i]});
  }
  return run_awaitable(ledger.append(batch)).ok() && run_awaitable(ledger.sync()).ok();
}

// Cuts what is torn, and counts what is there.
bool recover(DirectoryLedgerStore& ledger, std::array<std::uint64_t, kChains.size()>& pages) {
  for (std::size_t i = 0; i < kChains.size(); ++i) {
    const auto end = run_awaitable(ledger.end_of(kChains[i]));
    if (!end.ok() || (end->torn_bytes > 0 && !run_awaitable(ledger.cut(kChains[i])).ok()))
      return false;
    const auto count = [&](std::string_view) { return ++pages[i] > 0; };
    if (!run_awaitable(ledger.read(kChains[i], count)).ok()) return false;
  }
  return true;
}

[[noreturn]] void work_until_killed(const std::string& path, Told& told) {
  Stores stores(path, told.nameless);
  std::array<std::uint64_t, kChains.size()> pages{};
  bool good = stores.ledger != nullptr && recover(*stores.ledger, pages);
  told.works = true;
  for (std::uint64_t round = told.rounds_stored + 1; good; ++round) {
    told.rounds_begun = std::max(told.rounds_begun.load(), round);
    good = put_round(*stores.objects, round);
    if (!good) break;
    told.rounds_stored = round;
    good = append_pages(*stores.ledger, pages);
    if (!good) break;
    for (std::size_t i = 0; i < kChains.size(); ++i) told.pages_synced[i] = pages[i];
  }
  told.failed = true;
  ::_exit(1);
}

class DirectoryCrash : public ::testing::Test {
 protected:
  DirectoryCrash()
      : told_(*new (::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Told{}) {}
  ~DirectoryCrash() override { ::munmap(&told_, sizeof(Told)); }

  std::string path() const { return directory_ / "archive"; }

  void live_and_die(std::chrono::microseconds life) {
    told_.works = false;
    const pid_t child = ::fork();
    ASSERT_NE(child, -1);
    if (child == 0) work_until_killed(path(), told_);
    while (!told_.works && ::waitpid(child, nullptr, WNOHANG) == 0)
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    std::this_thread::sleep_for(life);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ASSERT_FALSE(told_.failed) << "a store refused in the child";
  }

  // What a few rounds take here and now: a machine that is busy, or a build that is checked, does fewer in a life.
  std::chrono::microseconds time_of_rounds(std::uint64_t rounds) {
    const auto started = std::chrono::steady_clock::now();
    const pid_t child = ::fork();
    EXPECT_NE(child, -1);
    if (child == 0) work_until_killed(path(), told_);
    while (told_.rounds_stored < rounds && ::waitpid(child, nullptr, WNOHANG) == 0)
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    const auto took = std::chrono::steady_clock::now() - started;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return std::chrono::duration_cast<std::chrono::microseconds>(took);
  }

  void check_objects(Stores& stores) {
    std::set<std::string> begun;
    for (std::uint64_t round = 1; round <= told_.rounds_begun; ++round) {
      for (const auto& name : names_of(round)) {
        begun.insert(name);
        const auto body = run_awaitable(stores.objects->get(name, 1 << 20));
        ASSERT_TRUE(body.ok()) << body.error().to_string();
        if (round <= told_.rounds_stored) {
          ASSERT_TRUE(body->has_value()) << name << " was answered, and is not there";
        }
        if (body->has_value()) {
          EXPECT_EQ(**body == body_of(name), true) << name << " is not whole";
        }
      }
    }
    auto view = adapter::open_directory_archive(path());
    ASSERT_TRUE(view.ok());
    const auto look = [&](const ArchiveView::Entry& entry) {
      if (entry.name.starts_with(".pawl/")) return true;
      EXPECT_TRUE(begun.contains(std::string(entry.name))) << entry.name;
      return true;
    };
    ASSERT_TRUE((*view)->list("", look).ok());
  }

  void check_chains(Stores& stores, std::uint64_t& torn) {
    for (std::size_t i = 0; i < kChains.size(); ++i) {
      std::uint64_t number = 0;
      const auto read = run_awaitable(stores.ledger->read(kChains[i], [&](std::string_view line) {
        EXPECT_EQ(line == page_of(i, ++number), true) << kChains[i] << " page " << number;
        return true;
      }));
      ASSERT_TRUE(read.ok()) << read.error().to_string();
      EXPECT_GE(number, told_.pages_synced[i]) << "a page that was answered is not there";
      const auto end = run_awaitable(stores.ledger->end_of(kChains[i]));
      ASSERT_TRUE(end.ok());
      torn += end->torn_bytes > 0 ? 1 : 0;
    }
  }

  TemporaryDirectory directory_;
  Told& told_;
};

TEST_F(DirectoryCrash, LosesNothingThatWasAnsweredAndTearsNothing) {
  const char* const wanted = std::getenv("PAWL_KILLS");
  const std::uint64_t kills =
      wanted == nullptr ? kKillsDefault : std::strtoull(wanted, nullptr, 10);
  std::mt19937 random(4711);  // of the instants; what they hit is the machine's
  std::uint64_t torn = 0, unanswered = 0;
  auto longest = std::max<std::uint64_t>(kLongestLifeUs,
                                         static_cast<std::uint64_t>(time_of_rounds(3).count()));
  for (std::uint64_t i = 0; i < kills && !HasFatalFailure(); ++i) {
    told_.nameless = i % 3 != 0;  // both ways of making an object, one after the other
    live_and_die(std::chrono::microseconds(random() % longest));
    if (HasFatalFailure()) break;
    unanswered += told_.rounds_begun > told_.rounds_stored ? 1 : 0;
    // The machine got slower since that was measured.
    if (told_.rounds_stored < i / 2 + 3) longest = std::min(longest + longest / 2, kLifeUsMax);
    Stores stores(path());
    ASSERT_NE(stores.ledger, nullptr) << "it does not open after kill " << i;
    check_objects(stores);
    check_chains(stores, torn);
  }
  std::printf("  %llu kills over %llu rounds: %llu in a put, %llu torn chains\n",
              static_cast<unsigned long long>(kills),
              static_cast<unsigned long long>(told_.rounds_stored.load()),
              static_cast<unsigned long long>(unanswered), static_cast<unsigned long long>(torn));
  // Half of what the lives are lengthened for: on a loaded machine they lag behind that.
  EXPECT_GT(told_.rounds_stored, kills / 4) << "it hardly worked";
  EXPECT_GT(unanswered, 0U) << "no kill hit a put";
}

}  // namespace
}  // namespace pawl

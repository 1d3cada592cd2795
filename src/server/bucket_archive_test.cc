// A bucket of a data directory as an archive: over the real store, files and threads.
#include "server/bucket_archive.h"

#include <gtest/gtest.h>

#include "adapter/reading_clock.h"
#include "adapter/system_random.h"
#include "adapter/temporary_directory.h"
#include "bucket/own_ledger_store.h"
#include "bucket/own_object_store.h"
#include "bucket/own_object_watch.h"
#include "port/conformance/object_store_conformance.h"

namespace pawl::server {
namespace {

class Place {
 public:
  Place() { open(); }
  void open() {
    place.reset();
    auto opened = BucketPlace::open(directory.path(), clock, {},
                                    [](const std::string& why) { ADD_FAILURE() << why; });
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    place = std::move(opened).value();
  }
  bucket::OwnPorts ports() { return own_ports(*place, clock); }
  Result<BucketArchive> open_archive(const std::string& bucket) {
    return run_awaitable(open_bucket_archive(ports(), bucket, random));
  }

  TemporaryDirectory directory;
  adapter::ReadingClock clock;
  SystemRandom random;
  std::unique_ptr<BucketPlace> place;
};

class ObjectsHarness final : public ObjectStoreHarness {
 public:
  ObjectsHarness() {
    EXPECT_TRUE(place_.open_archive("b").ok());
    store_.emplace(place_.ports(), "b");
  }
  ObjectStore& store() override { return *store_; }
  void restart() override {
    place_.open();
    store_.emplace(place_.ports(), "b");
  }

 private:
  Place place_;
  std::optional<bucket::OwnObjectStore> store_;
};
std::unique_ptr<ObjectStoreHarness> make_objects() { return std::make_unique<ObjectsHarness>(); }
INSTANTIATE_TEST_SUITE_P(DataDirectory, ObjectStoreConformance, testing::Values(make_objects));

TEST(BucketArchive, IsMadeOnceAndGoneOnWith) {
  Place place;
  const auto made = place.open_archive("logs");
  ASSERT_TRUE(made.ok()) << made.error().to_string();
  EXPECT_TRUE(made->created);
  place.open();
  const auto found = place.open_archive("logs");
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  EXPECT_FALSE(found->created);
  EXPECT_EQ(found->id, made->id);
  EXPECT_NE(place.open_archive("other")->id, made->id);
}

TEST(BucketArchive, LargePagesAndLooksGoThroughFilesAndOtherThreads) {
  Place place;
  ASSERT_TRUE(place.open_archive("logs").ok());
  const std::string page = std::string(3'000'000, 'p') + "\n";
  {
    bucket::OwnLedgerStore ledger(place.ports(), "logs");
    const std::vector<PageAppend> pages{{"root", "small\n"}, {"root", page}};
    ASSERT_TRUE(run_awaitable(ledger.append(pages)).ok());
    const Status synced = run_awaitable(ledger.sync());
    ASSERT_TRUE(synced.ok()) << synced.error().to_string();
  }
  place.open();
  bucket::OwnLedgerStore ledger(place.ports(), "logs");
  EXPECT_EQ(run_awaitable(ledger.end_of("root"))->last_line, page);
  bucket::OwnObjectWatch watch(place.ports(), "logs");
  const std::vector<ObjectAsk> asks{{".pawl/ledger/root/00000000.pages", {}}, {"none", {}}};
  const auto seen = run_awaitable(watch.look(asks));
  EXPECT_EQ(seen[0].kind, ObjectSeen::Kind::kThere);
  EXPECT_EQ(seen[0].digest, sha256("small\n" + page));
  EXPECT_EQ(seen[1].kind, ObjectSeen::Kind::kAbsent);
}

}  // namespace
}  // namespace pawl::server

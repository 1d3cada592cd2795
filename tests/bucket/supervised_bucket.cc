// Works on a bucket of a data directory whose server does not run, as a supervised mapping would:
//   supervised_bucket DATA BUCKET supervise       makes the bucket, and an archive of it
//   supervised_bucket DATA BUCKET list NAME...    enters these objects, as they are, in a shard's page, as versions 0, 1, … of an item
//   supervised_bucket DATA BUCKET enter           enters what the bucket keeps in its kept chain
// So tests/bucket/test_supervised.py drives what it proves with nothing but S3 and `pawl verify`.
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "adapter/reading_clock.h"
#include "adapter/system_random.h"
#include "bucket/kept_recorder.h"
#include "bucket/own_ledger_store.h"
#include "bucket/own_object_watch.h"
#include "server/bucket_archive.h"
#include "server/run_to_end.h"

namespace pawl {
namespace {

const ShardId kShard{{0xf1}, 1};

class Work {
 public:
  Work(const std::string& data, std::string bucket) : bucket_(std::move(bucket)) {
    auto place =
        server::BucketPlace::open(data, clock_, {}, [](const std::string& why) { fail(why); });
    if (!place.ok()) fail(place.error().to_string());
    place_ = std::move(place).value();
  }

  void supervise() {
    const auto archive =
        server::run_to_end(context_, server::open_bucket_archive(ports(), bucket_, random_));
    if (!archive.ok()) fail(archive.error().to_string());
    archive_ = fmt::format("{:016x}", archive->id);
  }

  void list(const std::vector<std::string>& names) {
    supervise();
    append_root(ledger::ArchiveCreated{});
    append_root(ledger::TableGuarded{
        kShard.incarnation, "users", "arn:t",
        R"({"partition_key":{"name":"hashid","type":"S"},"template":"{hashid}","version_attribute":"_version","objects":"foreign"})"});
    ledger::ShardOpened opened;
    opened.incarnation = kShard.incarnation;
    opened.shard = kShard;
    opened.stream = "arn:s";
    opened.source = "shard-1";
    append_root(opened);
    bucket::OwnObjectWatch watch(ports(), bucket_);
    std::vector<ObjectAsk> asks;
    asks.reserve(names.size());
    for (const std::string& name : names) asks.push_back({name, {}});
    const auto seen = server::run_to_end(context_, watch.look(asks));
    std::vector<std::string> entries;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (seen[i].kind != ObjectSeen::Kind::kThere) fail(names[i] + " is not there");
      ledger::PageEntry entry;
      entry.sequence = {i + 1};
      entry.source = std::to_string(i + 1);
      entry.key.emplace("hashid", item::String{"A"});
      entry.version = Version{i};
      entry.kind = i == 0 ? item::ChangeKind::kInsert : item::ChangeKind::kModify;
      entry.instant = seen[i].written_at;
      entry.object = names[i];
      entry.size = seen[i].size;
      entry.sha256 = seen[i].digest;
      entry.foreign = true;
      entries.push_back(ledger::encode_entry(entry));
    }
    const auto page =
        ledger::next_shard_page({}, archive_, kShard, entries, clock_.now(), clock_.now(), nullptr);
    append(kShard.to_string(), page.value().line.text);
  }

  void enter() {
    supervise();
    bucket::KeptRecorder recorder(
        ports(), [this] { return std::make_unique<bucket::OwnLedgerStore>(ports(), bucket_); },
        {bucket_, archive_});
    const Status status = server::run_to_end(context_, recorder.catch_up());
    if (!status.ok()) fail(status.error().to_string());
    const auto counts = recorder.status();
    fmt::print("{{\"kept\":{},\"kept_bytes\":{},\"entered\":{}}}\n", counts.kept, counts.kept_bytes,
               counts.entered);
  }

 private:
  [[noreturn]] static void fail(const std::string& why) {
    fmt::print(stderr, "supervised_bucket: {}\n", why);
    std::exit(1);
  }
  bucket::OwnPorts ports() { return server::own_ports(*place_, clock_); }

  void append_root(ledger::RootEvent event) {
    const auto page =
        ledger::next_root_page(root_, archive_, std::move(event), clock_.now(), nullptr);
    append("root", page.value().line.text);
    root_ = page.value().after;
  }
  void append(const std::string& chain, const std::string& line) {
    bucket::OwnLedgerStore ledger(ports(), bucket_);
    const PageAppend page{chain, line};
    Status status = server::run_to_end(context_, ledger.append({&page, 1}));
    if (status.ok()) status = server::run_to_end(context_, ledger.sync());
    if (!status.ok()) fail(status.error().to_string());
  }

  std::string bucket_;
  std::string archive_;
  adapter::ReadingClock clock_;
  SystemRandom random_;
  boost::asio::io_context context_;
  std::unique_ptr<server::BucketPlace> place_;
  ledger::ChainEndState root_;
};

}  // namespace
}  // namespace pawl

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 3) return 2;
  pawl::Work work(arguments[0], arguments[1]);
  if (arguments[2] == "supervise") {
    work.supervise();
  } else if (arguments[2] == "list") {
    work.list({arguments.begin() + 3, arguments.end()});
  } else if (arguments[2] == "enter") {
    work.enter();
  } else {
    return 2;
  }
  return 0;
}

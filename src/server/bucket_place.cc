#include "server/bucket_place.h"

#include "adapter/posix_file.h"

namespace pawl::server {
namespace {

// Less than the tables': what is large is in files.
RocksDbSettings settings() {
  RocksDbSettings settings;
  settings.cache_bytes_max = 16ULL << 20;
  settings.memtable_bytes_max = 32ULL << 20;
  settings.open_files_max = 256;
  return settings;
}

}  // namespace

Result<std::unique_ptr<BucketPlace>> BucketPlace::open(
    const std::string& data, Clock& clock, table::RoomReserve reserve,
    std::function<void(const std::string& why)> on_unknown) {
  std::unique_ptr<BucketPlace> place(new BucketPlace());
  const std::string path = data + "/buckets";
  PAWL_TRY(create_directories(path, 0700));
  PAWL_ASSIGN_OR_RETURN(place->records_, RocksDbStore::open(path + "/store", settings()));
  PAWL_ASSIGN_OR_RETURN(place->files_, DirectoryBodyFiles::open(path + "/bodies"));
  bucket::BucketCommitterOptions options;
  options.reserve = reserve;
  PAWL_ASSIGN_OR_RETURN(place->store_, bucket::BucketStore::open({*place->records_, *place->files_,
                                                                  clock, std::move(on_unknown)},
                                                                 options));
  place->commit_thread_ =
      std::make_unique<RoundThread<bucket::BucketCommitter>>(place->store_->committer());
  return place;
}

std::optional<std::uint64_t> BucketPlace::count() {
  const auto buckets = store_->buckets();
  if (!buckets.ok()) return std::nullopt;
  return buckets->size();
}

void BucketPlace::stop() {
  workers_.stop();
  if (commit_thread_) commit_thread_->stop();
}

}  // namespace pawl::server

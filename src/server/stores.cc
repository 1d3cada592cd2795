#include "server/stores.h"

#include <fmt/format.h>
#include <unistd.h>

#include "adapter/directory_ledger_store.h"
#include "adapter/directory_object_store.h"
#include "adapter/ed25519_signer.h"
#include "adapter/s3_archive.h"
#include "adapter/s3_ledger_store.h"
#include "adapter/s3_object_store.h"
#include "server/run_to_end.h"

namespace pawl::server {
namespace {

// docs/internals/archive-format.md: a page of a bucket is an object, which costs a request to write and one to read.
constexpr Duration kBucketPageInterval = std::chrono::seconds(1);

}  // namespace

Status Stores::open(const std::string& data_path, const ArchivePlace& place, Use use) {
  PAWL_ASSIGN_OR_RETURN(data, DataDirectory::open(data_path));
  PAWL_ASSIGN_OR_RETURN(clock, SystemClock::open(data->descriptor()));
  PAWL_ASSIGN_OR_RETURN(signer, open_signer(data->descriptor()));
  PAWL_TRY(place.in_bucket() ? open_bucket(place, use) : open_directory(place.where));
  PAWL_ASSIGN_OR_RETURN(store, RocksDbStore::open(data->store_path()));
  return ok();
}

Status Stores::open_directory(const std::string& path) {
  PAWL_ASSIGN_OR_RETURN(directory, ArchiveDirectory::open(path, random, clock->now()));
  archive_number = directory->id();
  PAWL_ASSIGN_OR_RETURN(objects, DirectoryObjectStore::open(*directory));
  PAWL_ASSIGN_OR_RETURN(ledger, DirectoryLedgerStore::open(*directory));
  return ok();
}

Status Stores::open_bucket(const ArchivePlace& place, Use use) {
  PAWL_ASSIGN_OR_RETURN(const auto location, parse_s3_url(place.where));
  PAWL_ASSIGN_OR_RETURN(bucket, S3Client::open(location, place.s3_endpoint,
                                               AwsSurroundings::of_process(), *clock, random));
  boost::asio::io_context context;
  PAWL_ASSIGN_OR_RETURN(
      const auto archive,
      run_to_end(context, use == Use::kRecord ? open_s3_archive(*bucket, random, clock->now())
                                              : find_s3_archive(*bucket)));
  archive_number = archive.id;
  objects = std::make_unique<S3ObjectStore>(*bucket);
  ledger = std::make_unique<S3LedgerStore>(*bucket, archive.etag_form);
  return ok();
}

std::string Stores::archive_id() const { return fmt::format("{:016x}", archive_number); }

Status check_data_exists(const std::string& data_path) {
  if (::access((data_path + "/FORMAT").c_str(), F_OK) == 0) return ok();
  return Error{ErrorCode::kNotFound, fmt::format("{} is no data directory of Pawl's", data_path),
               "give with --data, or in the configuration, the one that `pawl serve` uses"};
}

Status check_archive_exists(const ArchivePlace& place) {
  if (place.in_bucket()) {
    PAWL_TRY(open_archive_view(place));
    return ok();
  }
  if (::access((place.where + "/.pawl/archive.json").c_str(), F_OK) == 0) return ok();
  return Error{ErrorCode::kNotFound, fmt::format("{} is no archive of Pawl's", place.where),
               "give the folder that `pawl serve` names as its archive"};
}

std::unique_ptr<pipeline::Recorder> make_recorder(Stores& stores, table::TableStore& tables,
                                                  pipeline::CatalogTables& recorded,
                                                  pipeline::CommitBoard& board,
                                                  PageIntervals page_intervals) {
  pipeline::tell_backlog(*tables.log, board);
  pipeline::RecorderOptions options;
  options.archive = stores.archive_id();
  options.data = fmt::format("{:016x}", tables.catalog->data_id());
  options.software = "pawl " PAWL_VERSION;
  if (stores.bucket) options.page_interval = kBucketPageInterval;
  options.page_intervals = std::move(page_intervals);
  return std::make_unique<pipeline::Recorder>(
      pipeline::RecorderPorts{*tables.log, *stores.objects, *stores.ledger, recorded, board,
                              *stores.clock, stores.signer.get()},
      options);
}

}  // namespace pawl::server

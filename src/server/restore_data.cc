#include "server/restore_data.h"

#include <fmt/format.h>

#include "pipeline/restore_writer.h"
#include "pipeline/unsealed.h"
#include "server/run_to_end.h"
#include "server/stores.h"

namespace pawl::server {
namespace {

Error data_is_used(const std::string& data_path) {
  return Error{ErrorCode::kExists,
               fmt::format("restoring into {}: it is a data directory already", data_path),
               "name a directory that is empty or does not exist; a restore that did not end "
               "leaves one that can be removed"};
}

// Before anything is made: a directory begun in vain would have to be removed by hand.
// A bucket has no lock to try.
Status check_archive_is_free(const ArchivePlace& place) {
  if (place.in_bucket()) return ok();
  SystemRandom random;
  PAWL_TRY(ArchiveDirectory::open(place.where, random, Instant{}));
  return ok();
}

}  // namespace

Result<Restored> restore_data(const ArchivePlace& place, const std::string& data_path,
                              const std::function<void(const pipeline::RestoreReport&)>& progress) {
  PAWL_TRY(check_archive_exists(place));
  if (check_data_exists(data_path).ok()) return data_is_used(data_path);
  PAWL_TRY(check_archive_is_free(place));
  Stores stores;
  PAWL_TRY(stores.open(data_path, place, Stores::Use::kRead));
  if (!stores.data->created()) return data_is_used(data_path);
  PAWL_ASSIGN_OR_RETURN(auto writer, pipeline::RestoreWriter::begin(*stores.store, stores.random));
  boost::asio::io_context context;
  PAWL_ASSIGN_OR_RETURN(
      const auto report,
      run_to_end(context, pipeline::restore(*stores.objects, *stores.ledger, writer, progress)));
  std::uint64_t set_aside = 0;
  if (!place
           .in_bucket()) {  // there nothing is moved, and another may be writing: no lock was taken
    PAWL_ASSIGN_OR_RETURN(const auto names, open_archive_view(place));
    PAWL_ASSIGN_OR_RETURN(
        set_aside,
        run_to_end(context, pipeline::set_unsealed_aside(*names, *stores.ledger, *stores.objects)));
  }
  PAWL_TRY(stores.clock->persist());
  return Restored{stores.archive_id(), report, set_aside};
}

}  // namespace pawl::server

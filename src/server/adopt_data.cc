#include "server/adopt_data.h"

#include <utility>

#include "pipeline/commit_board.h"
#include "server/commit_events.h"
#include "server/round_thread.h"
#include "server/run_to_end.h"
#include "server/stores.h"
#include "server/unknown_outcome.h"

namespace pawl::server {

// In the order in which they stand on each other; destroyed in the reverse.
struct Adoption::Parts {
  Status open(const ServerConfig& config);
  Status compare();
  Status adopt();

  Stores stores;
  pipeline::CommitBoard board;
  CommitEvents events{board, end_with_unknown_outcome};
  table::TableStore tables;
  std::unique_ptr<pipeline::CatalogTables> recorded;
  std::unique_ptr<pipeline::Recorder> recorder;
  boost::asio::io_context context;
  std::unique_ptr<RoundThread<table::Committer>> commit_thread;
  std::vector<pipeline::Disagreement> disagreements;
};

Status Adoption::Parts::open(const ServerConfig& config) {
  PAWL_TRY(check_data_exists(config.data));
  PAWL_TRY(check_archive_exists(config.archive_place()));
  PAWL_TRY(stores.open(config.data, config.archive_place()));
  table::CommitterOptions options;
  options.reserve = {config.reserve.bytes, config.reserve.inodes};
  PAWL_ASSIGN_OR_RETURN(tables, table::TableStore::open(*stores.store, *stores.clock, stores.random,
                                                        events, options));
  recorded = std::make_unique<pipeline::CatalogTables>(*tables.catalog, *tables.committer);
  return compare();
}

Status Adoption::Parts::compare() {
  recorder.reset();  // gives up the board, which the next one takes
  recorder = make_recorder(stores, tables, *recorded, board);
  PAWL_ASSIGN_OR_RETURN(auto opening, run_to_end(context, recorder->open()));
  disagreements = std::move(opening.disagreements);
  return ok();
}

Status Adoption::Parts::adopt() {
  if (!commit_thread)
    commit_thread = std::make_unique<RoundThread<table::Committer>>(*tables.committer);
  pipeline::CommandAdopt target(*tables.committer, *stores.clock);
  PAWL_TRY(run_to_end(context, recorder->adopt(target)));
  PAWL_TRY(compare());
  commit_thread->stop();
  PAWL_TRY(stores.clock->persist());
  if (disagreements.empty()) return ok();
  return Error{ErrorCode::kConflict,
               "adopting: data directory and ledger still disagree: " + disagreements.front().text,
               "run `pawl verify` on the archive, or build the tables anew with `pawl restore`"};
}

Adoption::Adoption(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Adoption::~Adoption() = default;

Result<std::unique_ptr<Adoption>> Adoption::open(const ServerConfig& config) {
  auto parts = std::make_unique<Parts>();
  PAWL_TRY(parts->open(config));
  return std::unique_ptr<Adoption>(new Adoption(std::move(parts)));
}

const std::vector<pipeline::Disagreement>& Adoption::disagreements() const {
  return parts_->disagreements;
}
std::string Adoption::archive_id() const { return parts_->stores.archive_id(); }
Status Adoption::adopt() { return parts_->adopt(); }

}  // namespace pawl::server

// From suspects to entries of the repair chain: fetches the images that decide, judges (audit/loss_judge.h), puts what can be put
// back, and enters it. The part of `pawl guard repair` that writes.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/object_naming.h"
#include "audit/loss_finder.h"
#include "audit/loss_judge.h"
#include "port/object_store.h"
#include "port/source_table.h"
#include "server/repair_ledger.h"

namespace pawl::server {

struct RepairedTable {
  archive::NamedTable named;
  archive::NameTemplate names;
  std::string version_attribute;  // "" = it has none
  Incarnation incarnation;
  Instant looked_at;  // when the table had been scanned
};

// One thread: take() blocks on `context`, which nobody else runs meanwhile.
class RepairHoles {
 public:
  struct Ports {
    boost::asio::io_context& context;
    ObjectStore& objects;  // its answers are durable; calls may overlap
    SourceTable& table;
    RepairChain* chain;  // null: nothing is put and entered, only told
  };
  static constexpr std::size_t kSuspectsMax = 32;  // at once: each may bring two images

  RepairHoles(Ports ports, RepairedTable table,
              std::function<void(const ledger::RepairEntry&)> tell)
      : ports_(ports), table_(std::move(table)), tell_(std::move(tell)) {}

  // At most kSuspectsMax. Ok: what they came to is durable, all entries in one page.
  Status take(const std::vector<audit::LossSuspect>& suspects);

  std::uint64_t holes() const { return holes_; }
  std::uint64_t changing() const { return changing_; }

 private:
  struct Hole {
    const audit::LossSuspect* suspect = nullptr;
    std::optional<std::string> image;  // of the later state, DynamoDB JSON
    std::optional<audit::Loss> loss;
    bool changing = false;
  };
  struct Put {
    std::size_t entry = 0;  // of the batch's
    std::string name;       // that the template gives it
    std::string body;
  };

  Awaitable<Status> read_table(std::vector<Hole>& holes);
  bool is_as_scanned(const Hole& hole) const;
  Awaitable<Status> judge(Hole& hole);
  Awaitable<Result<audit::ItemState>> state_before(Hole& hole);
  Awaitable<Result<std::optional<Digest>>> known_image(const audit::LossSuspect& suspect);
  Awaitable<Result<std::string>> read(std::string name);
  Status add_entries(const Hole& hole, std::vector<ledger::RepairEntry>& entries,
                     std::vector<Put>& puts) const;
  Awaitable<Status> put(std::vector<Put> puts, std::vector<ledger::RepairEntry>& entries);
  std::optional<std::uint64_t> version_of(std::string_view image) const;

  Ports ports_;
  RepairedTable table_;
  std::function<void(const ledger::RepairEntry&)> tell_;
  std::uint64_t holes_ = 0;
  std::uint64_t changing_ = 0;
};

}  // namespace pawl::server

// All functions by name, and the store under them. What is answered here is durable: a record and its code are one synced batch.
//
// Thread-safe: changes are made one after the other and wait for the disk, so not on an I/O thread; reads don't.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "function/function_types.h"
#include "port/clock.h"
#include "port/key_value_store.h"
#include "port/random.h"

namespace pawl::function {

// All must outlive the catalog.
struct CatalogPorts {
  KeyValueStore& store;
  Clock& clock;
  Random& random;
  // Nobody knows whether the last batch is durable: the process must end.
  std::function<void(const std::string& why)> on_unknown;
};

struct CatalogOptions {
  // Below these, code is not taken.
  std::uint64_t reserve_bytes = 0;
  std::uint64_t reserve_inodes = 0;
};

class FunctionCatalog {
 public:
  // Errors: kCorrupt; kInvalid if a newer Pawl wrote the store; the store's.
  static Result<std::unique_ptr<FunctionCatalog>> open(CatalogPorts ports,
                                                       const CatalogOptions& options);

  FunctionPtr find(std::string_view name) const;  // null if there is none
  // By name, those behind `after`.
  struct Page {
    std::vector<FunctionPtr> functions;
    bool more = false;
  };
  Page list(std::string_view after, std::size_t limit) const;

  // Errors of all: kExists or kNotFound; kConflict (it has another revision than `revision`, where that is not empty);
  // kExhausted (no room, too many functions); kUnavailable; kUnknown, after which the process ends.
  Result<FunctionPtr> create(FunctionRecord function, std::string_view zip);
  Result<FunctionPtr> replace_code(std::string_view name, std::string_view revision,
                                   std::string_view zip);
  using Edit = std::function<void(FunctionSettings& settings)>;
  Result<FunctionPtr> change(std::string_view name, std::string_view revision, const Edit& edit);
  Status remove(std::string_view name);

  // The zip file. Errors: kNotFound if the function was changed meanwhile; kCorrupt; the store's.
  Result<std::string> code_of(const FunctionRecord& function) const;

  // Called after every change, from the thread that made it. Set before anything is changed.
  void set_listener(std::function<void(const std::string& name)> listener) {
    listener_ = std::move(listener);
  }

 private:
  FunctionCatalog(CatalogPorts ports, const CatalogOptions& options)
      : ports_(std::move(ports)), options_(options) {}

  Status load();
  Status check_room();
  std::uint64_t next_number();
  Status write(const WriteBatch& batch);
  // Durable, then visible.
  Result<FunctionPtr> keep(FunctionRecord function, WriteBatch batch);
  Result<FunctionRecord> present(std::string_view name, std::string_view revision) const;

  CatalogPorts ports_;
  CatalogOptions options_;
  std::function<void(const std::string& name)> listener_;
  std::mutex changing_;  // held over a whole change
  std::uint64_t newest_number_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, FunctionPtr, std::less<>> by_name_;  // guarded by mutex_
};

}  // namespace pawl::function

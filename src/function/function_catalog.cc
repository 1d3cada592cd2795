#include "function/function_catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/coding.h"
#include "function/function_format.h"
#include "function/invocation_text.h"

namespace pawl::function {
namespace {

Error no_such(std::string_view name) {
  return {ErrorCode::kNotFound, fmt::format("there is no function {}", name), ""};
}

Status check_format(KeyValueStore& store) {
  std::string format;
  append_varint(format, kFunctionFormat);
  PAWL_ASSIGN_OR_RETURN(const auto stored, store.get(kFunctions, kFormatKey));
  if (stored && *stored != format) {
    return Error{ErrorCode::kInvalid, "the functions were written by a newer Pawl",
                 "use the newer Pawl that wrote them"};
  }
  if (stored) return ok();
  WriteBatch batch;
  batch.put(kFunctions, std::string(kFormatKey), format);
  const WriteResult result = store.write(batch, Sync::kYes);
  if (result.outcome == WriteOutcome::kDone) return ok();
  return Error{ErrorCode::kUnavailable, "making the store of functions: " + result.why, ""};
}

}  // namespace

Result<std::unique_ptr<FunctionCatalog>> FunctionCatalog::open(CatalogPorts ports,
                                                               const CatalogOptions& options) {
  std::unique_ptr<FunctionCatalog> catalog(new FunctionCatalog(std::move(ports), options));
  PAWL_TRY(check_format(catalog->ports_.store));
  PAWL_TRY(catalog->load());
  return catalog;
}

Status FunctionCatalog::load() {
  const auto cursor = ports_.store.cursor(kFunctions);
  for (cursor->seek(kFunctionPrefix); cursor->valid() && cursor->key().starts_with(kFunctionPrefix);
       cursor->next()) {
    PAWL_ASSIGN_OR_RETURN(FunctionRecord function, decode_function(cursor->value()));
    newest_number_ = std::max({newest_number_, function.id, function.code});
    auto name = function.name;
    by_name_[std::move(name)] = std::make_shared<const FunctionRecord>(std::move(function));
  }
  return cursor->status();
}

FunctionPtr FunctionCatalog::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

FunctionCatalog::Page FunctionCatalog::list(std::string_view after, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  Page page;
  for (auto at = by_name_.upper_bound(after); at != by_name_.end(); ++at) {
    if (page.functions.size() == limit) {
      page.more = true;
      break;
    }
    page.functions.push_back(at->second);
  }
  return page;
}

// About the microseconds since 1970, one more at least at each call: no number comes twice, nor after a restart.
std::uint64_t FunctionCatalog::next_number() {
  const auto now =
      static_cast<std::uint64_t>(std::max<std::int64_t>(ports_.clock.now().microseconds, 1));
  newest_number_ = std::max(newest_number_ + 1, now);
  return newest_number_;
}

Status FunctionCatalog::check_room() {
  PAWL_ASSIGN_OR_RETURN(const Room room, ports_.store.room());
  if (room.free_bytes >= options_.reserve_bytes && room.free_inodes >= options_.reserve_inodes) {
    return ok();
  }
  return Error{ErrorCode::kExhausted, "storing a function: no room is left",
               "free some disk space"};
}

Status FunctionCatalog::write(const WriteBatch& batch) {
  const WriteResult result = ports_.store.write(batch, Sync::kYes);
  if (result.outcome == WriteOutcome::kDone) return ok();
  if (result.outcome == WriteOutcome::kNotDone) {
    return Error{ErrorCode::kUnavailable, "storing a function: " + result.why, "try again"};
  }
  if (ports_.on_unknown) ports_.on_unknown("storing a function: " + result.why);
  return Error{ErrorCode::kUnknown, "storing a function: " + result.why, ""};
}

Result<FunctionPtr> FunctionCatalog::keep(FunctionRecord function, WriteBatch batch) {
  function.modified = ports_.clock.now();
  function.revision = new_request_id(ports_.random);
  batch.put(kFunctions, function_key(function.name), encode_function(function));
  PAWL_TRY(write(batch));
  auto kept = std::make_shared<const FunctionRecord>(std::move(function));
  {
    const std::lock_guard lock(mutex_);
    by_name_[kept->name] = kept;
  }
  if (listener_) listener_(kept->name);
  return FunctionPtr(kept);
}

Result<FunctionRecord> FunctionCatalog::present(std::string_view name,
                                                std::string_view revision) const {
  const FunctionPtr found = find(name);
  if (!found) return no_such(name);
  if (!revision.empty() && revision != found->revision) {
    return Error{
        ErrorCode::kConflict,
        fmt::format("function {} has revision {}, not {}", name, found->revision, revision),
        "read it again"};
  }
  return *found;
}

Result<FunctionPtr> FunctionCatalog::create(FunctionRecord function, std::string_view zip) {
  const std::lock_guard changing(changing_);
  if (find(function.name)) {
    return Error{ErrorCode::kExists, fmt::format("there is a function {} already", function.name),
                 ""};
  }
  if (by_name_.size() >= kFunctionsMax) {
    return Error{ErrorCode::kExhausted,
                 fmt::format("there are {} functions already", kFunctionsMax), ""};
  }
  PAWL_TRY(check_room());
  function.id = next_number();
  function.code = next_number();
  function.code_sha256 = sha256(zip);
  function.code_size = zip.size();
  WriteBatch batch;
  batch.put(kCode, code_key(function), std::string(zip));
  return keep(std::move(function), std::move(batch));
}

Result<FunctionPtr> FunctionCatalog::replace_code(std::string_view name, std::string_view revision,
                                                  std::string_view zip) {
  const std::lock_guard changing(changing_);
  PAWL_ASSIGN_OR_RETURN(FunctionRecord function, present(name, revision));
  PAWL_TRY(check_room());
  WriteBatch batch;
  batch.erase(kCode, code_key(function));
  function.code = next_number();
  function.code_sha256 = sha256(zip);
  function.code_size = zip.size();
  batch.put(kCode, code_key(function), std::string(zip));
  return keep(std::move(function), std::move(batch));
}

Result<FunctionPtr> FunctionCatalog::change(std::string_view name, std::string_view revision,
                                            const Edit& edit) {
  const std::lock_guard changing(changing_);
  PAWL_ASSIGN_OR_RETURN(FunctionRecord function, present(name, revision));
  edit(function.settings);
  return keep(std::move(function), {});
}

Status FunctionCatalog::remove(std::string_view name) {
  const std::lock_guard changing(changing_);
  PAWL_ASSIGN_OR_RETURN(const FunctionRecord function, present(name, {}));
  WriteBatch batch;
  batch.erase(kCode, code_key(function));
  batch.erase(kFunctions, function_key(function.name));
  PAWL_TRY(write(batch));
  {
    const std::lock_guard lock(mutex_);
    by_name_.erase(function.name);
  }
  if (listener_) listener_(function.name);
  return ok();
}

Result<std::string> FunctionCatalog::code_of(const FunctionRecord& function) const {
  PAWL_ASSIGN_OR_RETURN(auto zip, ports_.store.get(kCode, code_key(function)));
  if (!zip) {
    return Error{ErrorCode::kNotFound, fmt::format("the code of {} was replaced", function.name),
                 ""};
  }
  if (sha256(*zip) != function.code_sha256) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("the stored code of {} is not what was uploaded", function.name),
                 "upload it again"};
  }
  return *std::move(zip);
}

}  // namespace pawl::function

// Reads the fields of a stored JSON document (object bodies, ledger pages), with errors that name the field. For
// documents that Pawl wrote: whatever does not fit is kCorrupt. Requests of clients have readers of their own.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/ids.h"
#include "base/instant.h"
#include "base/result.h"

namespace pawl::item {

// One JSON object, valid as long as its parser's document. After the first field that is missing or wrong every
// getter returns an empty value and status() tells which it was; so fields are read in a row and checked once.
// Duplicate names: the first counts. Unknown fields are ignored. One thread at a time.
class JsonFields {
 public:
  // `what` names the document in errors ("page"); it must outlive this.
  JsonFields(simdjson::dom::object object, std::string_view what) : object_(object), what_(what) {}

  std::string_view text(std::string_view name);
  std::optional<std::string_view> optional_text(std::string_view name);
  std::uint64_t number(std::string_view name);
  std::optional<std::uint64_t> optional_number(std::string_view name);
  bool boolean_or(std::string_view name, bool otherwise);
  Instant instant(std::string_view name);
  Digest digest(std::string_view name);
  ShardId shard(std::string_view name);
  Incarnation incarnation(std::string_view name);
  simdjson::dom::object object(std::string_view name);
  simdjson::dom::array array(std::string_view name);
  std::optional<simdjson::dom::element> element(
      std::string_view name);  // nothing if absent; null counts
  // The field must be this very text.
  void expect(std::string_view name, std::string_view value);

  void fail(std::string_view name);
  bool ok() const { return !failed_; }
  Status status() const;

 private:
  simdjson::dom::object object_;
  std::string_view what_;
  std::optional<std::string> failed_;
};

// Parses one JSON object of at most `size_max` bytes. The object lives until the parser's next use.
Result<simdjson::dom::object> parse_stored_object(simdjson::dom::parser& parser,
                                                  std::string_view json, std::size_t size_max,
                                                  std::string_view what);

}  // namespace pawl::item

// One table of pawl.toml as it is read: values of their types, and which keys were known, so that a misspelt one is an error.
#pragma once

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/instant.h"
#include "base/result.h"

namespace pawl::server {

// All errors: kInvalid, naming the line and the key. What is not there leaves `value` as it is.
class Section {
 public:
  // `name` is what stands before the keys: "server.".
  Section(const toml::table& table, std::string name) : table_(table), name_(std::move(name)) {}

  bool has(std::string_view key) const { return table_.contains(key); }
  template <typename T>
  Status read(std::string_view key, T& value) {
    known_.emplace(key);
    const auto node = table_[key];
    if (!node) return ok();
    const auto found = node.template value_exact<T>();
    if (!found) return wrong(key, "has the wrong type");
    value = *found;
    return ok();
  }
  Status read_number(std::string_view key, std::int64_t least, std::int64_t most, auto& value) {
    auto number = static_cast<std::int64_t>(value);
    PAWL_TRY(read(key, number));
    if (number < least || number > most)
      return wrong(key, fmt::format("must be {} to {}", least, most));
    value = static_cast<std::remove_reference_t<decltype(value)>>(number);
    return ok();
  }
  // One that stands there must say something. System calls end at a NUL: the path would be another one.
  Status read_path(std::string_view key, std::string& value);
  // "250ms" or "2s": a number alone would leave its unit to guessing.
  Status read_duration(std::string_view key, Duration most, std::optional<Duration>& value);
  // Of what lasts: "24h", "30m" or "60s". `bounds` are its words for the error: "\"1s\" to \"168h\"".
  Status read_long_duration(std::string_view key, Duration least, Duration most,
                            std::string_view bounds, Duration& value);
  // A table within the table: `key = { … }`. Null where there is none.
  Result<const toml::table*> read_table(std::string_view key);

  // What stands before its keys.
  std::string name_of(std::string_view key) const { return name_ + std::string(key) + "."; }

  void knows(std::string_view key) { known_.emplace(key); }
  Status check_unknown() const;
  Error wrong(std::string_view key, std::string_view why) const;

 private:
  const toml::table& table_;
  std::string name_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace pawl::server

// Writes compact JSON into a string. Its bytes are part of promises (object bodies and ledger pages are
// pure functions of what they record), so it is our own and escapes in exactly one way: `"` and `\` with
// a backslash, \b \f \n \r \t, other control characters as \u00xx in lower case, everything else as it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pawl {

// Appends `text` (valid UTF-8) as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

// Appends values in order; commas are put where they belong. The caller keeps objects and arrays
// balanced. Does not own `out`, which must outlive it. One thread at a time.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view text);
  JsonWriter& number(std::uint64_t value);
  JsonWriter& number_signed(std::int64_t value);
  JsonWriter& number(double value) = delete;  // no floating point in stored documents
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // `json` is one complete JSON value.
  JsonWriter& raw(std::string_view json);

  // The common pairs.
  JsonWriter& field(std::string_view name, std::string_view text) { return key(name).string(text); }
  JsonWriter& field(std::string_view name, const char* text) { return key(name).string(text); }
  JsonWriter& field(std::string_view name, std::uint64_t value) { return key(name).number(value); }
  JsonWriter& field(std::string_view name, bool value) { return key(name).boolean(value); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string& out_;
  bool first_ = true;  // nothing stands before the next value in its object or array
};

}  // namespace pawl

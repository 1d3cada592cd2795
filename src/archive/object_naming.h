// How objects are named: a template a table, rendered for each change. The rules are those of
// docs/internals/archive-format.md, "Object names"; names in the ledger never change, so neither do these.
//
// Templates are the user's and may well give two changes the same name (a counter that was reset). What protects
// history then is not the name but the store (put if absent) and the body (which carries shard and sequence, so no
// two changes have equal ones): the second change goes to fallback_name().
//
// Everything here is pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "item/change.h"
#include "item/key.h"

namespace pawl::archive {

inline constexpr std::string_view kDefaultTemplate = "{table}/{key}-{version}.json";

inline constexpr std::size_t kTemplateBytesMax = 512;
inline constexpr std::size_t kPlaceholdersMax = 16;
// A component that is longer becomes kComponentPrefix bytes, `~` and a digest; 255 bytes is what file systems take,
// and what a fallback appends (50 bytes at most) must fit too.
inline constexpr std::size_t kComponentBytesMax = 200;
inline constexpr std::size_t kComponentPrefix = 120;
// A name that is longer becomes its components within kNamePrefix bytes, `~` and a digest; S3 takes 1,024 bytes.
inline constexpr std::size_t kNameBytesMax = 900;
inline constexpr std::size_t kNamePrefix = 700;
inline constexpr std::size_t kStoreNameBytesMax = 1024;
// How often a taken name is evaded. One evasion is enough unless somebody chose values to foil it.
inline constexpr std::uint32_t kFallbacksMax = 16;

// What a name needs to know of the table.
struct NamedTable {
  std::string name;
  item::KeySchema schema;
};

// A parsed template. Immutable value; thread-safe.
class NameTemplate {
 public:
  // Errors: kInvalid, with what is wrong and where.
  static Result<NameTemplate> parse(std::string_view text);

  const std::string& text() const { return text_; }
  // The attribute that the last pair of braces names; nothing where that is none.
  std::optional<std::string> last_attribute() const;

  // The name that the template gives to a change: a legal object name (port/object_store.h) of at most
  // kNameBytesMax bytes that leaves neither its directory nor its components, whatever the item's values.
  std::string render(const NamedTable& table, const item::Change& change) const;

  // The name that somebody else's function gives by the same template: with the values as they are, nothing escaped or
  // shortened. Nothing where that is no path (empty components, `.` or `..`, control bytes, more than kStoreNameBytesMax), or is
  // Pawl's own. Two changes may share one.
  std::optional<std::string> render_as_it_is(const NamedTable& table,
                                             const item::Change& change) const;

  enum class Values : std::uint8_t { kEscaped, kAsTheyAre };

 private:
  enum class Kind : std::uint8_t {
    kLiteral,
    kTable,
    kKey,
    kVersion,
    kSequence,
    kSource,
    kShard,
    kChangeKind,
    kAttribute
  };
  struct Part {
    Kind kind;
    std::string text;  // of a literal, or the attribute's name (of {source} too)
  };

  static Result<Part> parse_placeholder(std::string_view name);
  Status add_literal(std::string_view literal);
  void append_part(std::string& out, const Part& part, const NamedTable& table,
                   const item::Change& change, Values values) const;
  std::string render_all(const NamedTable& table, const item::Change& change, Values values) const;

  std::string text_;
  std::vector<Part> parts_;
};

// Where Pawl puts a change into a bucket that somebody else's function fills, because the function's own object did not come:
// beside it, under a name that no template gives but by a value that ends so. Put if absent, as everything of Pawl's.
std::string repaired_name(std::string_view name);

// Where a change goes whose `name` is taken by other content: attempt 1 is "{name}~{shard}-{sequence}", which no
// other change's fallback can be; later ones append "~{attempt}". Attempt 0 is the name itself.
std::string fallback_name(std::string_view name, ShardId shard, SequenceNumber sequence,
                          std::uint32_t attempt);

}  // namespace pawl::archive

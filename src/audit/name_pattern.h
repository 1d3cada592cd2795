// How somebody's own function names its objects: 'logs/{hashid}-{_version}.log' for Python's "logs/%s-%s.log". One
// placeholder is the version, written in decimal digits; the others are the key, written as they are: no escaping, so a
// key may hold whatever the template holds ('logs/A-1-0.log' is version 0 of item A-1).
//
// An item is known by what stands around its version in the name, never by a guess about where one part of its key ends
// and the next begins. So only the place of the version must be certain: a template that leaves it open is refused, a
// name that leaves it open is said to be ambiguous. Matching takes time in proportion to the name's length.
//
// Everything here is pure, and immutable once parsed: thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pawl::audit {

inline constexpr std::size_t kNamePatternBytesMax = 512;
inline constexpr std::size_t kNamePlaceholdersMax = 16;
inline constexpr std::size_t kVersionDigitsMax = 38;  // the precision of a DynamoDB number

// What stands before and after the version in a name. Views into that name.
struct ItemName {
  std::string_view head;
  std::string_view tail;
};

struct NameMatch {
  enum class Kind : std::uint8_t {
    kVersion,    // one version of one item
    kOther,      // the template gives no such name
    kAmbiguous,  // it gives this name to more than one version
    kTooLarge,   // the version is longer than kVersionDigitsMax, or beyond 64 bits
  };
  Kind kind = Kind::kOther;
  ItemName item;  // of kVersion only, as all that follows
  std::uint64_t version = 0;
  std::uint8_t digits = 0;  // that it is written with
  bool zero_led = false;    // "007"; a lone "0" is not
};

class NamePattern {
 public:
  // `version_attribute` says which placeholder is the version. Where it is "": the one that is not among `key_attributes`
  // (those of the table's key), or the last where these are empty. Errors: kInvalid, with the reason.
  static Result<NamePattern> parse(std::string_view text, std::string_view version_attribute = {},
                                   const std::vector<std::string>& key_attributes = {});

  NameMatch match(std::string_view name) const;

  const std::string& text() const { return text_; }
  const std::string& version_attribute() const { return placeholders_[version_]; }
  // All of them, each once, in order.
  std::vector<std::string> attributes() const;
  // What every name begins with.
  std::string_view literal_head() const { return literals_.front(); }
  // What every name ends with.
  std::string_view literal_tail() const { return literals_.back(); }
  // No other placeholder stands behind the version: all names of an item then have the same tail, and in byte order
  // nothing but names that begin with its head and a digit stands between them.
  bool version_is_last() const { return version_ + 1 == placeholders_.size(); }

  // For people: the key's value where the template has one place for it, else the name with the placeholder instead of
  // the version ("logs/A-{_version}.log").
  std::string label(ItemName item) const;
  // Placeholder and value of each part of the key, in order; nothing where a name can be divided in more than one way.
  std::optional<std::vector<std::pair<std::string, std::string>>> key_of(ItemName item) const;
  // Head and tail that an item with these values gets; nothing if one is missing. `value_of` gets a placeholder's name.
  std::optional<std::pair<std::string, std::string>> name_of(
      const std::function<std::optional<std::string>(const std::string&)>& value_of) const;

 private:
  struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  Status split(std::string_view text);
  Status choose_version(std::string_view version_attribute,
                        const std::vector<std::string>& key_attributes);
  Status check_version_place() const;
  std::optional<std::size_t> head_end(std::string_view name) const;
  std::optional<std::size_t> tail_begin(std::string_view name) const;
  bool head_fits(std::string_view name, std::size_t end, std::size_t earliest) const;
  bool tail_fits(std::string_view name, std::size_t begin, std::size_t latest) const;

  std::string text_;
  std::vector<std::string> literals_;      // one more than placeholders; may be empty
  std::vector<std::string> placeholders_;  // the names in braces
  std::size_t version_ = 0;                // which of them
};

// Names that Pawl's own archives have beside those of a template (docs/internals/archive-format.md, "Object names").
struct PawlName {
  enum class Kind : std::uint8_t {
    kNone,
    kLedger,     // below `.pawl/`
    kRemoval,    // "NAME.removed-N": the item's deletion, which is version N of it
    kFallback,   // "NAME~SHARD-SEQUENCE": the second change that the template gave NAME to
    kShortened,  // "…~DIGEST": what was too long for a name
    kRepaired,   // "NAME~repaired": what Pawl put where somebody else's function did not put NAME
    kProbe,  // ".pawl/probe": what was put to see whether the store honours conditions; says nothing
  };
  Kind kind = Kind::kNone;
  std::string_view base;     // NAME
  std::uint64_t number = 0;  // N of kRemoval
};
PawlName pawl_name_of(std::string_view name);

inline constexpr std::string_view kRepairedSuffix = "~repaired";

// A template that all of `names` match, for a message; "" where none comes to mind. A guess.
std::string suggest_template(const std::vector<std::string>& names);

}  // namespace pawl::audit

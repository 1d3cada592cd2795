// The names of a generated bucket: what an archive of `items` times `versions` objects would hold, without holding it. Names
// follow a template with one or two numbers, "logs/A%07d-%d.log": the item's, zero-padded so that its order as text is its
// order as a number, and the version's, not padded: "-10.log" stands between "-1.log" and "-2.log", as it does in S3
// (ListObjectsV2: "Objects are returned sorted in an ascending order of the respective key names").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json.h"

namespace scripted {

class NameFormula {
 public:
  struct Place {
    std::uint64_t item = 0;
    std::uint64_t version = 0;
  };

  // {"template":…,"items":…,"versions":…,"hole_every":…,"hole_offset":…,"vary":…,"body_bytes":…}. Name number
  // item * versions + version is a hole where it leaves `hole_offset` when divided by `hole_every`. With `vary` an item has
  // 1 + mix(item) % versions versions, not all of them. Throws Refusal.
  NameFormula(const Json& parameters, std::int64_t modified_ms);

  // Whether there is an object of that name, and which.
  std::optional<Place> find(std::string_view name) const;
  std::string body(const Place& place) const;
  std::size_t body_bytes() const { return body_bytes_; }
  std::string etag(const Place& place) const;  // 32 hexadecimal digits, of nothing in particular
  std::int64_t modified_ms() const { return modified_ms_; }

  // Walks the names in order. Cheap to step and to print; a formula outlives its cursors.
  class Cursor {
   public:
    // At the first name that is not less than `from`.
    Cursor(const NameFormula& formula, std::string_view from);
    bool done() const { return position_ >= formula_->positions_; }
    std::string_view name() const { return name_; }
    void next();
    // A whole <Contents> element. The alphabet of templates needs no escapes, so it serves encoding-type=url, too.
    void append_contents(std::string& out) const;

   private:
    void settle();  // onto the first place that exists, from position_ on, and prints its name

    const NameFormula* formula_;
    std::uint64_t position_ = 0;  // item * versions + rank among the item's names
    std::uint64_t printed_item_ = 0;
    std::string name_;
  };

 private:
  bool exists(std::uint64_t item, std::uint64_t version) const;
  void print(std::string& out, std::uint64_t position) const;  // instead of what it holds
  void order_versions();

  std::string head_;    // before the item's number
  unsigned width_ = 0;  // digits of the item's number
  std::string middle_;  // between the numbers
  std::string end_;     // after the version's; without a second number all of it is in middle_
  bool has_version_ = false;
  std::uint64_t items_ = 0;
  std::uint64_t versions_ = 1;
  std::uint64_t positions_ = 0;
  std::uint64_t hole_every_ = 0;
  std::uint64_t hole_offset_ = 0;
  bool vary_ = false;
  std::size_t body_bytes_ = 0;
  std::int64_t modified_ms_ = 0;
  std::vector<std::uint64_t> by_rank_;  // the version at a rank
  std::vector<std::string> tails_;      // what a name ends with, by rank
  std::string contents_middle_;         // between a name and its ETag
  std::string contents_end_;            // after the ETag
};

}  // namespace scripted

#include "name_formula.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "exchange.h"
#include "mix.h"
#include "text.h"

namespace scripted {
namespace {

constexpr std::uint64_t kVersionsMax = 100'000;
constexpr std::uint64_t kNamesMax = 1'000'000'000'000;
constexpr std::string_view kContentsStart = "<Contents><Key>";

bool plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

NameFormula::NameFormula(const Json& parameters, std::int64_t modified_ms)
    : modified_ms_(modified_ms) {
  const std::string pattern(text_or(parameters, "template", "logs/A%07d-%d.log"));
  const std::size_t first = pattern.find("%0");
  const std::size_t d = pattern.find('d', first);
  const auto width = first == std::string::npos || d == std::string::npos
                         ? std::nullopt
                         : parse_number(std::string_view(pattern).substr(first + 2, d - first - 2));
  if (!width || *width < 1 || *width > 18)
    throw bad_control("template: its first number must be %01d to %018d, padded");
  head_ = pattern.substr(0, first);
  width_ = static_cast<unsigned>(*width);
  middle_ = pattern.substr(d + 1);
  if (const std::size_t second = middle_.find("%d"); second != std::string::npos) {
    has_version_ = true;
    end_ = middle_.substr(second + 2);
    middle_.resize(second);
  }
  if (!plain(head_) || !plain(middle_) || !plain(end_))
    throw bad_control("template: only letters, digits and /-_. beside the two numbers");
  if (!end_.empty() && end_[0] >= '0' && end_[0] <= '9')
    throw bad_control("template: a digit may not follow the version's number");
  items_ = count_or(parameters, "items", 1000);
  versions_ = count_or(parameters, "versions", 1);
  if (versions_ < 1 || versions_ > (has_version_ ? kVersionsMax : 1))
    throw bad_control("versions: out of range");
  if (items_ < 1 || items_ > kNamesMax / versions_ || std::to_string(items_ - 1).size() > width_)
    throw bad_control("items: out of range, or more than the template has digits for");
  positions_ = items_ * versions_;
  hole_every_ = count_or(parameters, "hole_every", 0);
  hole_offset_ = count_or(parameters, "hole_offset", 0);
  vary_ = truth_or(parameters, "vary", false);
  body_bytes_ = std::min<std::uint64_t>(count_or(parameters, "body_bytes", 100), 1 << 20);
  order_versions();
  contents_middle_ = "</Key><LastModified>" + iso_date(modified_ms) + "</LastModified><ETag>&quot;";
  contents_end_ =
      fmt::format("&quot;</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                  body({0, 0}).size());
}

void NameFormula::order_versions() {
  by_rank_.resize(versions_);
  std::iota(by_rank_.begin(), by_rank_.end(), 0);
  const auto tail = [this](std::uint64_t version) {
    return has_version_ ? middle_ + std::to_string(version) + end_ : middle_;
  };
  std::sort(by_rank_.begin(), by_rank_.end(),
            [&tail](std::uint64_t a, std::uint64_t b) { return tail(a) < tail(b); });
  for (const std::uint64_t version : by_rank_) tails_.push_back(tail(version));
}

bool NameFormula::exists(std::uint64_t item, std::uint64_t version) const {
  if (vary_ && version >= 1 + mix(item) % versions_) return false;
  return hole_every_ == 0 || (item * versions_ + version) % hole_every_ != hole_offset_;
}

void NameFormula::print(std::string& out, std::uint64_t position) const {
  out = head_;
  append_padded(out, position / versions_, width_);
  out += tails_[position % versions_];
}

std::optional<NameFormula::Place> NameFormula::find(std::string_view name) const {
  if (!name.starts_with(head_) || name.size() < head_.size() + width_) return std::nullopt;
  const auto item = parse_number(name.substr(head_.size(), width_));
  if (!item || *item >= items_) return std::nullopt;
  const std::string_view tail = name.substr(head_.size() + width_);
  const auto found = std::lower_bound(tails_.begin(), tails_.end(), tail);
  if (found == tails_.end() || *found != tail) return std::nullopt;
  const Place place{*item, by_rank_[static_cast<std::size_t>(found - tails_.begin())]};
  if (!exists(place.item, place.version)) return std::nullopt;
  return place;
}

std::string NameFormula::etag(const Place& place) const {
  std::string out;
  const std::uint64_t first = mix(place.item * versions_ + place.version);
  append_hex(out, first);
  append_hex(out, first * 0x9E3779B97F4A7C15U);
  return out;
}

std::string NameFormula::body(const Place& place) const {
  std::string out = "{\"item\":\"";
  append_padded(out, place.item, width_);
  out += "\",\"version\":\"";
  append_padded(out, place.version, 6);  // padded, so that every body has one size
  out += "\",\"pad\":\"";
  if (out.size() + 2 < body_bytes_) out.append(body_bytes_ - out.size() - 2, 'x');
  return out + "\"}";
}

NameFormula::Cursor::Cursor(const NameFormula& formula, std::string_view from)
    : formula_(&formula) {
  std::uint64_t low = 0;
  std::uint64_t high = formula.positions_;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    formula.print(name_, middle);
    if (std::string_view(name_) < from)
      low = middle + 1;
    else
      high = middle;
  }
  position_ = low;
  printed_item_ = formula.items_;  // none
  settle();
}

void NameFormula::Cursor::next() {
  ++position_;
  settle();
}

void NameFormula::Cursor::settle() {
  const NameFormula& formula = *formula_;
  while (position_ < formula.positions_ &&
         !formula.exists(position_ / formula.versions_,
                         formula.by_rank_[position_ % formula.versions_]))
    ++position_;
  if (done()) return;
  const std::uint64_t item = position_ / formula.versions_;
  if (item != printed_item_) {
    formula.print(name_, position_);
    printed_item_ = item;
  } else {
    name_.resize(formula.head_.size() + formula.width_);
    name_ += formula.tails_[position_ % formula.versions_];
  }
}

void NameFormula::Cursor::append_contents(std::string& out) const {
  const NameFormula& formula = *formula_;
  const std::uint64_t number = position_ / formula.versions_ * formula.versions_ +
                               formula.by_rank_[position_ % formula.versions_];
  out += kContentsStart;
  out += name_;
  out += formula.contents_middle_;
  const std::uint64_t first = mix(number);
  append_hex(out, first);
  append_hex(out, first * 0x9E3779B97F4A7C15U);
  out += formula.contents_end_;
}

}  // namespace scripted

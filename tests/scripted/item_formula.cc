#include "item_formula.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "exchange.h"
#include "text.h"

namespace scripted {
namespace {

// Products of an instant and a number of writes need more than 64 bits.
__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kWritesMax =
    100'000'000'000'000;  // leaves room for sequence numbers, see generated_shard.cc
constexpr std::uint64_t kItemBytesMax = 400 * 1024;  // "Maximum item size: 400 KB" (Quotas)
constexpr std::int64_t kSpanMaxS = 10LL * 365 * 86400;

// The inverse of a modulo m, which are coprime, by Euclid.
std::uint64_t inverse(std::uint64_t a, std::uint64_t m) {
  std::int64_t before = 0;
  std::int64_t now = 1;
  auto dividend = static_cast<std::int64_t>(m);
  auto divisor = static_cast<std::int64_t>(a % m);
  while (divisor > 1) {
    const std::int64_t quotient = dividend / divisor;
    before = std::exchange(now, before - quotient * now);
    dividend = std::exchange(divisor, dividend - quotient * divisor);
  }
  const auto modulus = static_cast<std::int64_t>(m);
  return static_cast<std::uint64_t>((now % modulus + modulus) % modulus);
}

std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t m) {
  return static_cast<std::uint64_t>(Wide{a} * b % m);
}

}  // namespace

ItemFormula::ItemFormula(const Json& parameters, std::string partition_name, std::int64_t now_ms)
    : partition_name_(std::move(partition_name)) {
  items_ = count_or(parameters, "items", 1000);
  versions_ = count_or(parameters, "versions", 1);
  lineages_ = count_or(parameters, "shards", 0);
  const std::uint64_t ago_s = count_or(parameters, "ago_s", 0);
  const std::uint64_t span_s = count_or(parameters, "span_s", 0);
  if (items_ < 1 || versions_ < 1 || items_ > kWritesMax / versions_)
    throw bad_control("items, versions: out of range");
  if (lineages_ > items_) throw bad_control("shards: more than items");
  if (std::max(ago_s, span_s) > kSpanMaxS) throw bad_control("ago_s, span_s: at most ten years");
  start_ms_ = now_ms - static_cast<std::int64_t>(ago_s) * 1000;
  span_ms_ = static_cast<std::int64_t>(span_s) * 1000;
  key_prefix_ = text_or(parameters, "key_prefix", "A");
  const std::uint64_t digits = count_or(parameters, "key_digits", 7);
  if (digits > 18 || std::to_string(items_ - 1).size() > digits)
    throw bad_control("key_digits: too few or too many");
  key_digits_ = static_cast<unsigned>(digits);
  version_name_ = text_or(parameters, "version_attribute", "version");
  image_start_ = "{" + json_string(partition_name_) + ":{\"S\":" + json_string(key_prefix_);
  image_start_.pop_back();
  // DynamoDB's measure of an item: the bytes of names and values.
  const std::size_t bare =
      partition_name_.size() + key_prefix_.size() + digits + version_name_.size() + 4;
  const std::uint64_t wanted = count_or(parameters, "item_size", 100);
  if (wanted > kItemBytesMax) throw bad_control("item_size: at most 400 KB");
  item_size_ = std::max<std::size_t>(bare, wanted);
  pad_ = "{\"S\":\"" + std::string(item_size_ - bare, 'x') + "\"}";
  image_middle_ = "\"},\"pad\":" + pad_ + ',' + json_string(version_name_) + ":{\"N\":\"";
  step_ = 0x9E3779B97F4A7C15U % items_;
  while (std::gcd(step_, items_) != 1) ++step_;
  unstep_ = inverse(step_, items_);
}

std::optional<std::uint64_t> ItemFormula::find(std::string_view value) const {
  const std::string start = "{\"S\":\"" + key_prefix_;
  if (value.size() != start.size() + key_digits_ + 2 || !value.starts_with(start))
    return std::nullopt;
  const auto item = parse_number(value.substr(start.size(), key_digits_));
  return item && *item < items_ ? item : std::nullopt;
}

std::optional<std::uint64_t> ItemFormula::version_at(std::uint64_t item,
                                                     std::int64_t now_ms) const {
  if (lineages_ == 0) return versions_ - 1;
  const std::uint64_t lineage = item % lineages_;
  const std::uint64_t index = item / lineages_;
  const std::uint64_t written = written_at(lineage, now_ms);
  if (written <= index) return std::nullopt;
  return (written - 1 - index) / items_of(lineage);
}

std::optional<Item> ItemFormula::item_at(std::uint64_t item, std::int64_t now_ms) const {
  const auto version = version_at(item, now_ms);
  if (!version) return std::nullopt;
  Item found = key(item);
  found.emplace("pad", pad_);
  found.emplace(version_name_, "{\"N\":\"" + std::to_string(*version) + "\"}");
  return found;
}

Item ItemFormula::key(std::uint64_t item) const {
  std::string value = "{\"S\":\"" + key_prefix_;
  append_padded(value, item, key_digits_);
  return {{partition_name_, value + "\"}"}};
}

void ItemFormula::append_key(std::string& out, std::uint64_t item) const {
  out += image_start_;
  append_padded(out, item, key_digits_);
  out += "\"}}";
}

void ItemFormula::append_image(std::string& out, std::uint64_t item, std::uint64_t version) const {
  out += image_start_;
  append_padded(out, item, key_digits_);
  out += image_middle_;
  out += std::to_string(version);
  out += "\"}}";
}

std::uint64_t ItemFormula::item_at_position(std::uint64_t position) const {
  return multiply(position, step_, items_);
}
std::uint64_t ItemFormula::position_of(std::uint64_t item) const {
  return multiply(item, unstep_, items_);
}

std::uint64_t ItemFormula::items_of(std::uint64_t lineage) const {
  return items_ / lineages_ + (lineage < items_ % lineages_ ? 1 : 0);
}

std::int64_t ItemFormula::created_ms(std::uint64_t lineage, std::uint64_t k) const {
  return start_ms_ + static_cast<std::int64_t>(Wide(static_cast<std::uint64_t>(span_ms_)) * k /
                                               writes_of(lineage));
}

// The number of k with created_ms(k) <= now_ms: span * k / writes < now - start + 1.
std::uint64_t ItemFormula::written_at(std::uint64_t lineage, std::int64_t now_ms) const {
  const std::uint64_t writes = writes_of(lineage);
  if (now_ms < start_ms_) return 0;
  if (now_ms >= start_ms_ + span_ms_) return writes;
  const auto since = static_cast<std::uint64_t>(now_ms - start_ms_) + 1;
  const auto span = static_cast<std::uint64_t>(span_ms_);
  return static_cast<std::uint64_t>(
      std::min<Wide>(writes, (Wide{since} * writes + span - 1) / span));
}

}  // namespace scripted

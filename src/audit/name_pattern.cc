#include "audit/name_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/ids.h"

namespace pawl::audit {
namespace {

constexpr auto kNone = std::string_view::npos;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Error wrong_template(std::string_view text, std::string_view why) {
  return Error{ErrorCode::kInvalid,
               fmt::format("the template '{}' {}", text.substr(0, kNamePatternBytesMax), why),
               "write it as your function writes names, with attributes in braces: "
               "'logs/{hashid}-{_version}.log' for Python's \"logs/%s-%s.log\""};
}

// Nothing where it is beyond 64 bits.
std::optional<std::uint64_t> to_number(std::string_view digits) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace

Status NamePattern::split(std::string_view text) {
  text_ = text;
  if (text.empty()) return wrong_template(text, "is empty");
  if (text.size() > kNamePatternBytesMax) return wrong_template(text, "is longer than 512 bytes");
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      return wrong_template(text, "contains a control character");
  }
  std::string_view rest = text;
  for (;;) {
    const auto open = rest.find('{');
    const auto literal = rest.substr(0, open);
    if (literal.find('}') != kNone) return wrong_template(text, "has a '}' without its '{'");
    literals_.emplace_back(literal);
    if (open == kNone) break;
    rest.remove_prefix(open + 1);
    const auto close = rest.find('}');
    if (close == kNone) return wrong_template(text, "has a '{' without its '}'");
    const auto name = rest.substr(0, close);
    if (name.empty()) return wrong_template(text, "has empty braces");
    if (name.find('{') != kNone) return wrong_template(text, "has a '{' inside of braces");
    if (placeholders_.size() == kNamePlaceholdersMax)
      return wrong_template(text, "has more than 16 pairs of braces");
    placeholders_.emplace_back(name);
    rest.remove_prefix(close + 1);
  }
  if (placeholders_.empty()) return wrong_template(text, "has no braces, so it tells no versions");
  return ok();
}

Status NamePattern::choose_version(std::string_view version_attribute,
                                   const std::vector<std::string>& key_attributes) {
  const auto is_key = [&](const std::string& name) {
    return std::find(key_attributes.begin(), key_attributes.end(), name) != key_attributes.end();
  };
  if (!version_attribute.empty()) {
    const auto found = std::find(placeholders_.begin(), placeholders_.end(), version_attribute);
    if (found == placeholders_.end()) {
      return wrong_template(
          text_, fmt::format("has no {{{}}}, which is to be the version", version_attribute));
    }
    version_ = static_cast<std::size_t>(found - placeholders_.begin());
  } else if (key_attributes.empty()) {
    version_ = placeholders_.size() - 1;
  } else {
    const auto found = std::find_if_not(placeholders_.begin(), placeholders_.end(), is_key);
    if (found == placeholders_.end())
      return wrong_template(text_,
                            "has no other attributes than the table's key: where is the version?");
    for (const auto& name : placeholders_) {
      if (!is_key(name) && name != *found) {
        return wrong_template(
            text_, fmt::format("has {{{}}} and {{{}}} beside the table's key: say which is the "
                               "version with --version-attribute",
                               *found, name));
      }
    }
    version_ = static_cast<std::size_t>(found - placeholders_.begin());
  }
  if (std::count(placeholders_.begin(), placeholders_.end(), placeholders_[version_]) > 1) {
    return wrong_template(
        text_, fmt::format("has the version {{{}}} more than once", placeholders_[version_]));
  }
  return ok();
}

// Where a literal is all that parts the version from a key, its digits must end at that literal.
Status NamePattern::check_version_place() const {
  const auto refuse = [this](std::size_t key, std::string_view why) {
    return wrong_template(text_,
                          fmt::format("does not tell where {{{}}} ends and {{{}}} begins: {}",
                                      placeholders_[std::min(key, version_)],
                                      placeholders_[std::max(key, version_)], why));
  };
  if (version_ > 0) {
    const auto& before = literals_[version_];
    if (before.empty()) return refuse(version_ - 1, "nothing stands between them");
    if (is_digit(before.back())) return refuse(version_ - 1, "a digit stands before the version");
  }
  if (!version_is_last()) {
    const auto& after = literals_[version_ + 1];
    if (after.empty()) return refuse(version_ + 1, "nothing stands between them");
    if (is_digit(after.front())) return refuse(version_ + 1, "a digit stands behind the version");
  }
  return ok();
}

Result<NamePattern> NamePattern::parse(std::string_view text, std::string_view version_attribute,
                                       const std::vector<std::string>& key_attributes) {
  NamePattern pattern;
  PAWL_TRY(pattern.split(text));
  PAWL_TRY(pattern.choose_version(version_attribute, key_attributes));
  PAWL_TRY(pattern.check_version_place());
  return pattern;
}

std::vector<std::string> NamePattern::attributes() const {
  std::vector<std::string> names;
  for (const auto& name : placeholders_) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

// The earliest place where the literals before the last one in front of the version can have ended. Every placeholder
// holds at least one byte.
std::optional<std::size_t> NamePattern::head_end(std::string_view name) const {
  if (!name.starts_with(literals_.front())) return std::nullopt;
  std::size_t at = literals_.front().size();
  for (std::size_t i = 1; i < version_; ++i) {
    at = name.find(literals_[i], at + 1);
    if (at == kNone) return std::nullopt;
    at += literals_[i].size();
  }
  return at;
}

// Likewise from behind: the latest place where the literals after the first one behind the version can begin.
std::optional<std::size_t> NamePattern::tail_begin(std::string_view name) const {
  if (!name.ends_with(literals_.back())) return std::nullopt;
  std::size_t at = name.size() - literals_.back().size();
  for (std::size_t i = literals_.size() - 2; i > version_ + 1; --i) {
    if (at < literals_[i].size() + 1) return std::nullopt;
    at = name.rfind(literals_[i], at - 1 - literals_[i].size());
    if (at == kNone) return std::nullopt;
  }
  return at;
}

// Whether the version's digits may begin at `end`.
bool NamePattern::head_fits(std::string_view name, std::size_t end, std::size_t earliest) const {
  if (version_ == 0) return end == earliest;
  const auto& literal = literals_[version_];
  return end >= earliest + 1 + literal.size() &&
         name.substr(end - literal.size(), literal.size()) == literal;
}

// Whether they may end at `begin`.
bool NamePattern::tail_fits(std::string_view name, std::size_t begin, std::size_t latest) const {
  if (version_is_last()) return begin == latest;
  const auto& literal = literals_[version_ + 1];
  return begin + literal.size() + 1 <= latest && name.substr(begin, literal.size()) == literal;
}

NameMatch NamePattern::match(std::string_view name) const {
  NameMatch result;
  const auto earliest = head_end(name);
  const auto latest = tail_begin(name);
  if (!earliest || !latest || *earliest >= *latest) return result;
  // Where the digits stand: at a fixed end of the name, or in any run of digits between two literals.
  std::optional<Span> found;
  const auto consider = [&](std::size_t begin, std::size_t end) {
    if (begin >= end || !head_fits(name, begin, *earliest) || !tail_fits(name, end, *latest))
      return;
    if (found) result.kind = NameMatch::Kind::kAmbiguous;
    found = Span{begin, end};
  };
  if (version_is_last()) {
    std::size_t begin = *latest;
    while (begin > *earliest && is_digit(name[begin - 1])) --begin;
    consider(begin, *latest);
  } else {
    for (std::size_t begin = *earliest; begin < *latest;) {
      std::size_t end = begin;
      while (end < *latest && is_digit(name[end])) ++end;
      consider(begin, end);
      if (version_ == 0) break;
      begin = end + 1;
    }
  }
  if (!found || result.kind == NameMatch::Kind::kAmbiguous) return result;
  const auto digits = name.substr(found->begin, found->end - found->begin);
  const auto version = digits.size() <= kVersionDigitsMax ? to_number(digits) : std::nullopt;
  if (!version) {
    result.kind = NameMatch::Kind::kTooLarge;
    return result;
  }
  return {NameMatch::Kind::kVersion,
          {name.substr(0, found->begin), name.substr(found->end)},
          *version,
          static_cast<std::uint8_t>(digits.size()),
          digits.size() > 1 && digits.front() == '0'};
}

std::string NamePattern::label(ItemName item) const {
  if (placeholders_.size() == 2) {
    const auto key = key_of(item);
    if (key) return key->front().second;
  }
  return fmt::format("{}{{{}}}{}", item.head, version_attribute(), item.tail);
}

namespace {

// Divides `text` into literal, value, literal, value, …, literal: each value as short as possible from the left, or from
// the right. Nothing if it doesn't fit.
std::optional<std::vector<std::string_view>> divide(std::string_view text,
                                                    const std::vector<std::string_view>& literals,
                                                    bool from_left) {
  if (!text.starts_with(literals.front())) return std::nullopt;
  if (text.size() < literals.front().size() + (literals.size() > 1 ? literals.back().size() : 0))
    return std::nullopt;
  if (literals.size() == 1)
    return text == literals.front() ? std::optional(std::vector<std::string_view>{}) : std::nullopt;
  if (!text.ends_with(literals.back())) return std::nullopt;
  text.remove_prefix(literals.front().size());
  text.remove_suffix(literals.back().size());
  std::vector<std::string_view> values;
  for (std::size_t i = 1; i + 1 < literals.size(); ++i) {
    const auto& literal = from_left ? literals[i] : literals[literals.size() - 1 - i];
    if (text.size() < literal.size() + 1) return std::nullopt;
    const auto at =
        from_left ? text.find(literal, 1) : text.rfind(literal, text.size() - 1 - literal.size());
    if (at == kNone) return std::nullopt;
    values.push_back(from_left ? text.substr(0, at) : text.substr(at + literal.size()));
    text = from_left ? text.substr(at + literal.size()) : text.substr(0, at);
  }
  if (text.empty()) return std::nullopt;
  values.push_back(text);
  if (!from_left) std::reverse(values.begin(), values.end());
  return values;
}

}  // namespace

std::optional<std::vector<std::pair<std::string, std::string>>> NamePattern::key_of(
    ItemName item) const {
  std::vector<std::pair<std::string, std::string>> key;
  const auto add = [&](std::string_view text, std::size_t begin, std::size_t end) {
    const std::vector<std::string_view> literals(
        literals_.begin() + static_cast<std::ptrdiff_t>(begin),
        literals_.begin() + static_cast<std::ptrdiff_t>(end) + 1);
    const auto values = divide(text, literals, true);
    if (!values || values != divide(text, literals, false)) return false;
    for (std::size_t i = 0; i < values->size(); ++i)
      key.emplace_back(placeholders_[begin + i], (*values)[i]);
    return true;
  };
  if (!add(item.head, 0, version_) || !add(item.tail, version_ + 1, literals_.size() - 1))
    return std::nullopt;
  return key;
}

std::optional<std::pair<std::string, std::string>> NamePattern::name_of(
    const std::function<std::optional<std::string>(const std::string&)>& value_of) const {
  std::pair<std::string, std::string> name;
  for (std::size_t i = 0; i < literals_.size(); ++i) {
    auto& part = i <= version_ ? name.first : name.second;
    part += literals_[i];
    if (i == placeholders_.size() || i == version_) continue;
    const auto value = value_of(placeholders_[i]);
    if (!value) return std::nullopt;
    part += *value;
  }
  return name;
}

namespace {

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

// NAME of "NAME~SHARD-SEQUENCE"; "" of any other name.
std::string_view fallback_base(std::string_view name) {
  const auto dash = name.rfind('-');
  const auto tilde = name.rfind('~');
  if (dash == kNone || tilde == kNone || tilde > dash || !is_number(name.substr(dash + 1)))
    return {};
  return ShardId::parse(name.substr(tilde + 1, dash - tilde - 1)) ? name.substr(0, tilde)
                                                                  : std::string_view();
}

}  // namespace

PawlName pawl_name_of(std::string_view name) {
  using Kind = PawlName::Kind;
  constexpr std::string_view kFolder = ".pawl/";
  constexpr std::string_view kRemoved = ".removed-";
  constexpr std::size_t kDigestDigits = 64;
  const auto folder = name.find(kFolder);
  if (folder == 0 || (folder != kNone && name[folder - 1] == '/')) {
    const bool probe = name.substr(folder + kFolder.size()) == "probe";
    return {probe ? Kind::kProbe : Kind::kLedger, {}, 0};
  }
  if (name.ends_with(kRepairedSuffix) && name.size() > kRepairedSuffix.size())
    return {Kind::kRepaired, name.substr(0, name.size() - kRepairedSuffix.size()), 0};
  if (name.empty() || !is_hex(name.back())) return {};
  if (name.size() > kDigestDigits && name[name.size() - kDigestDigits - 1] == '~' &&
      std::all_of(name.end() - kDigestDigits, name.end(), is_hex))
    return {Kind::kShortened, {}, 0};
  const auto begin = name.find_last_not_of("0123456789") + 1;
  const auto number = to_number(name.substr(begin));
  if (!number || begin == 0) return {};
  if (name.substr(0, begin).ends_with(kRemoved) && begin > kRemoved.size())
    return {Kind::kRemoval, name.substr(0, begin - kRemoved.size()), *number};
  // The first evasion, or a later one: "…~ATTEMPT".
  const auto base = fallback_base(name[begin - 1] == '~' ? name.substr(0, begin - 1) : name);
  if (base.empty()) return {};
  return {Kind::kFallback, base, 0};
}

std::string suggest_template(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  const std::string_view first = names.front();
  if (first.find_first_of("{}") != kNone) return {};
  const auto end = first.find_last_of("0123456789");
  if (end == kNone) return {};
  auto begin = end;
  while (begin > 0 && is_digit(first[begin - 1])) --begin;
  if (begin < 2) return {};
  // What parts the version from the key: one byte, then the key back to the folder before it.
  const auto separator = first[begin - 1];
  auto key = first.rfind('/', begin - 2);
  key = key == kNone ? 0 : key + 1;
  if (key >= begin - 1) return {};
  const auto text = fmt::format("{}{{key}}{}{{version}}{}", first.substr(0, key), separator,
                                first.substr(end + 1));
  const auto pattern = NamePattern::parse(text);
  if (!pattern.ok()) return {};
  const auto fits = [&](const std::string& name) {
    return pattern->match(name).kind == NameMatch::Kind::kVersion;
  };
  return std::all_of(names.begin(), names.end(), fits) ? text : std::string();
}

}  // namespace pawl::audit

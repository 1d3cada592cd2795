#include "adapter/aws_profile_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace pawl {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// "profile  p" and "default" with one blank inside.
std::string section_name(std::string_view text) {
  std::string name;
  for (const char c : trimmed(text)) {
    const bool blank = c == ' ' || c == '\t';
    if (blank && name.ends_with(' ')) continue;
    name.push_back(blank ? ' ' : c);
  }
  return name == "profile default" ? "default" : name;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace

Result<AwsProfileFile> parse_aws_profile_file(std::string_view text, std::string_view name) {
  AwsProfileFile file;
  AwsSection* section = nullptr;
  std::string parent;  // the setting whose nested ones may follow
  std::size_t number = 0;
  const auto failed = [&](std::string_view why) {
    return Error{ErrorCode::kInvalid, fmt::format("{}, line {}: {}", name, number, why),
                 "see `aws configure`"};
  };
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto whole = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const auto line = trimmed(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    const bool indented = whole.front() == ' ' || whole.front() == '\t';
    if (!indented && line.front() == '[') {
      if (line.back() != ']') return failed("a section's name that does not end with ]");
      section = &file[section_name(line.substr(1, line.size() - 2))];
      parent.clear();
      continue;
    }
    if (section == nullptr) return failed("a setting before the first [section]");
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) {
      if (indented && !parent.empty())
        continue;  // goes on with a value over several lines: none of ours
      return failed("neither a [section] nor a setting");
    }
    const auto setting = lower(trimmed(line.substr(0, equals)));
    const auto value = trimmed(line.substr(equals + 1));
    if (setting.empty()) return failed("a value without a name");
    if (indented && !parent.empty()) {
      std::string full = parent;
      full.append(".").append(setting);
      (*section)[std::move(full)] = value;
    } else {
      (*section)[setting] = value;
      parent = value.empty() ? setting : std::string();
    }
  }
  return file;
}

}  // namespace pawl

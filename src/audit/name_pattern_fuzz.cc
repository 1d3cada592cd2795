// Fuzzes templates and names: the first line is the template, the second the version's attribute, the rest a name. What is
// matched is put together from its parts again, and a name that a template writes is read as it was written.
#include "audit/name_pattern.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pawl::audit;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto take_line = [&input] {
    const auto end = input.find('\n');
    const auto line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    return line;
  };
  const auto text = take_line();
  const auto version_attribute = take_line();
  const auto own = pawl_name_of(input);
  if (own.kind == PawlName::Kind::kRepaired) {
    PAWL_ASSERT(!own.base.empty() && std::string(own.base) + std::string(kRepairedSuffix) == input);
  }
  const auto suggested = suggest_template({std::string(input)});
  if (!suggested.empty()) {
    PAWL_ASSERT(NamePattern::parse(suggested)->match(input).kind == NameMatch::Kind::kVersion);
  }
  const auto pattern = NamePattern::parse(text, version_attribute);
  if (!pattern.ok()) return 0;
  const auto match = pattern->match(input);
  if (match.kind == NameMatch::Kind::kVersion) {
    const auto digits = input.substr(match.item.head.size(), match.digits);
    PAWL_ASSERT(std::string(match.item.head) + std::string(digits) + std::string(match.item.tail) ==
                input);
    PAWL_ASSERT(digits.find_first_not_of("0123456789") == std::string_view::npos);
    PAWL_ASSERT(match.item.head.starts_with(pattern->literal_head()));
    PAWL_ASSERT(!pattern->label(match.item).empty());
    if (const auto key = pattern->key_of(match.item)) {
      std::size_t next = 0;
      bool again =
          true;  // a placeholder that stands twice has one value here, and may have two in the name
      const auto name = pattern->name_of([&](const std::string& attribute) {
        again = again && next < key->size() && (*key)[next].first == attribute;
        return again ? std::optional((*key)[next++].second) : std::optional(std::string());
      });
      PAWL_ASSERT(again && name->first == match.item.head && name->second == match.item.tail);
    }
  }
  if (!pattern->version_is_last() || input.empty()) return 0;
  const auto name =
      pattern->name_of([&](const std::string&) { return std::optional(std::string(input)); });
  const auto written = pattern->match(name->first + "17" + name->second);
  PAWL_ASSERT(written.kind == NameMatch::Kind::kVersion && written.version == 17);
  // What is put back beside it is known as such, unless the key itself looks like Pawl's ledger.
  const auto repaired = name->first + "17" + name->second + std::string(kRepairedSuffix);
  const auto again = pawl_name_of(repaired);
  PAWL_ASSERT(again.kind == PawlName::Kind::kLedger || again.kind == PawlName::Kind::kRepaired);
  return 0;
}

// Fuzzes templates and values: the first line is the template, the second the key, the rest an attribute. Whatever they
// are, a template that is accepted renders legal names, and distinct fallbacks.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "archive/name_rules_test.h"
#include "archive/object_naming.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pawl;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto take_line = [&input] {
    const auto end = input.find('\n');
    const auto line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    return line;
  };
  const auto names = archive::NameTemplate::parse(take_line());
  if (!names.ok()) return 0;
  archive::NamedTable table{"users", {}};
  table.schema.partition = {"id", item::Type::kString};
  item::Change change;
  change.shard = {{0x9f86d081884c7d65}, 1};
  change.sequence = {7};
  if (size % 2 == 0) change.source = "100000000003498069978";
  if (size % 3 != 0 || !change.guarded()) change.version = Version{3};
  change.key["id"] = item::String{std::string(take_line())};
  change.new_image = change.key;
  (*change.new_image)["a"] = item::String{std::string(input)};
  const auto name = names->render(table, change);
  PAWL_ASSERT(name.size() <= archive::kNameBytesMax);
  PAWL_ASSERT(archive::illegal_name(name).empty());
  for (const std::uint32_t attempt : {1U, 2U, archive::kFallbacksMax}) {
    PAWL_ASSERT(
        archive::illegal_name(archive::fallback_name(name, change.shard, change.sequence, attempt))
            .empty());
  }
  PAWL_ASSERT(archive::fallback_name(name, change.shard, {7}, 1) !=
              archive::fallback_name(name, change.shard, {8}, 1));
  return 0;
}

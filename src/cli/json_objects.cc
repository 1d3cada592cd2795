#include "cli/json_objects.h"

namespace pawl::cli {

Result<std::vector<simdjson::dom::object>> objects_of(item::JsonFields& fields,
                                                      std::string_view name) {
  const auto array = fields.array(name);
  PAWL_TRY(fields.status());
  std::vector<simdjson::dom::object> objects;
  for (const simdjson::dom::element element : array) {
    if (element.get(objects.emplace_back()) != simdjson::SUCCESS) {
      fields.fail(name);
      PAWL_TRY(fields.status());
    }
  }
  return objects;
}

}  // namespace pawl::cli

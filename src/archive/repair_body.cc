#include "archive/repair_body.h"

#include "base/json_writer.h"
#include "item/dynamodb_json.h"

namespace pawl::archive {

std::string render_repair_body(const RepairedVersion& version, const item::Item& image) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("format", kRepairFormat)
      .field("table", version.table)
      .field("name", version.name)
      .key("version");
  if (version.version) {
    json.number(*version.version);
  } else {
    json.null();
  }
  json.field("source", version.source);
  if (!version.sequence.empty()) {
    if (!version.stream.empty()) json.field("stream", version.stream);
    json.field("shard", version.shard).field("sequence", version.sequence);
  }
  json.key("image").raw({});
  item::append_item_json(out, image);
  json.end_object();
  out += '\n';
  return out;
}

}  // namespace pawl::archive

#include "ledger/chain_head.h"

namespace pawl::ledger {

void write_head(JsonWriter& json, const ChainHead& head) {
  json.field("page", head.page.value)
      .field("last", head.last.value)
      .field("digest", head.digest.to_hex());
}

ChainHead read_head(item::JsonFields& fields) {
  return {{fields.number("page")}, {fields.number("last")}, fields.digest("digest")};
}

}  // namespace pawl::ledger

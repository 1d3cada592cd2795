// Any bytes: each parser refuses them, or what it took is within the ports' bounds.
#include <algorithm>

#include "adapter/dynamodb_answers.h"
#include "adapter/json_answer.h"
#include "base/assert.h"

namespace {

// What is given on as bytes is an object by itself.
void check_object(std::string_view bytes) {
  PAWL_ASSERT(pawl::walk_json(bytes, [](pawl::JsonObject) { return true; }));
}

void check_optional_object(std::string_view bytes) {
  if (!bytes.empty()) check_object(bytes);
}

bool is_sequence(std::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void check_stream(std::string_view json) {
  if (const auto page = pawl::parse_shard_page(json); page.ok()) {
    PAWL_ASSERT(page->shards.size() <= pawl::kStreamShardsMax);
    for (const auto& shard : page->shards) {
      PAWL_ASSERT(!shard.id.empty() && shard.id.size() <= 65 && shard.id != shard.parent);
      PAWL_ASSERT(is_sequence(shard.first_sequence));
      PAWL_ASSERT(shard.open() || is_sequence(shard.last_sequence));
    }
  }
  if (const auto page = pawl::parse_record_page(json); page.ok()) {
    PAWL_ASSERT(page->records.size() <= pawl::kStreamRecordsMax);
    for (const auto& record : page->records) {
      PAWL_ASSERT(is_sequence(record.sequence) && record.created.microseconds >= 0);
      check_object(record.keys);
      check_optional_object(record.new_image);
      check_optional_object(record.old_image);
    }
  }
  if (const auto iterator = pawl::parse_shard_iterator(json); iterator.ok())
    PAWL_ASSERT(!iterator->empty());
}

void check_table(std::string_view json) {
  if (const auto table = pawl::parse_described_table(json); table.ok())
    PAWL_ASSERT(!table->facts.partition.name.empty() && table->facts.created.microseconds >= 0);
  if (const auto item = pawl::parse_item_answer(json); item.ok())
    check_optional_object(item->value_or(""));
  if (const auto page = pawl::parse_scan_answer(json); page.ok()) {
    std::for_each(page->items.begin(), page->items.end(), check_object);
    check_optional_object(page->next);
  }
  if (const auto batch = pawl::parse_batch_answer(json, "t"); batch.ok()) {
    std::for_each(batch->items.begin(), batch->items.end(), check_object);
    std::for_each(batch->unprocessed_keys.begin(), batch->unprocessed_keys.end(), check_object);
  }
}

void check_lease(const pawl::LeaseRow& row) {
  PAWL_ASSERT(!row.name.empty() && row.name.size() <= pawl::kLeaseNameMax && row.revision != 0);
  PAWL_ASSERT(row.value.size() <= pawl::kLeaseValueMax);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  check_stream(json);
  check_table(json);
  if (const auto lease = pawl::parse_lease_answer(json); lease.ok() && lease->has_value())
    check_lease(**lease);
  if (const auto page = pawl::parse_lease_page(json); page.ok())
    std::for_each(page->rows.begin(), page->rows.end(), check_lease);
  const auto words = pawl::parse_refusal(json);
  PAWL_ASSERT(words.code.size() <= pawl::ServiceWords::kCodeMax);
  PAWL_ASSERT(words.message.size() <= pawl::ServiceWords::kMessageMax);
  return 0;
}

#include "guard/lease_rows.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/json_writer.h"
#include "item/json_fields.h"

namespace pawl::guard {
namespace {

constexpr std::string_view kWorkerPrefix = "worker/";
constexpr std::string_view kShardPrefix = "shard/";
// What a damaged name shows of itself in an error.
constexpr std::size_t kNameShownMax = 80;

Error damaged(const LeaseRow& row, std::string_view why) {
  return {ErrorCode::kCorrupt,
          "lease row " + row.name.substr(0, kNameShownMax) + " is damaged: " + std::string(why),
          "remove the row; a worker makes it anew"};
}

// The one way to write a number: no sign, no zero before it.
std::optional<ShardNumber> parse_number(std::string_view text) {
  ShardNumber number = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || number == 0 || text.front() == '0')
    return std::nullopt;
  return number;
}

}  // namespace

bool is_worker_id(std::string_view id) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  };
  return !id.empty() && id.size() <= kWorkerIdBytesMax && std::all_of(id.begin(), id.end(), fits);
}

std::string worker_row_name(std::string_view id) { return std::string(kWorkerPrefix).append(id); }

std::string shard_row_name(ShardNumber number) {
  return std::string(kShardPrefix) + std::to_string(number);
}

std::optional<ShardNumber> parse_shard_row_name(std::string_view name) {
  if (!name.starts_with(kShardPrefix)) return std::nullopt;
  return parse_number(name.substr(kShardPrefix.size()));
}

std::string encode_row(const WorkerRow& /*row*/) { return R"({"row":"worker"})"; }

std::string encode_row(const RootRow& row) {
  std::string out;
  JsonWriter(out).begin_object().field("row", "root").field("owner", row.owner).end_object();
  return out;
}

std::string encode_row(const ShardRow& row) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .field("row", "shard")
      .field("owner", row.owner)
      .field("waits", row.waits)
      .field("finished", row.finished)
      .field("stream", row.stream)
      .field("shard", row.shard)
      .field("born_after", row.born_after.to_string())
      .field("gap", row.gap)
      .end_object();
  return out;
}

Result<ParsedRow> parse_row(const LeaseRow& row) {
  const std::string_view name = row.name;
  if (name.starts_with(kWorkerPrefix)) {
    const auto id = name.substr(kWorkerPrefix.size());
    if (!is_worker_id(id)) return damaged(row, "its name is no worker's");
    return ParsedRow{WorkerRow{std::string(id)}};
  }
  const bool is_root = name == kRootRowName;
  const auto number = parse_shard_row_name(name);
  if (!is_root && !number) return damaged(row, "its name is none of ours");

  // Scratch memory only: rows are parsed by the hundred, every second.
  thread_local simdjson::dom::parser parser;
  auto object = item::parse_stored_object(parser, row.value, kRowBytesMax, "lease row");
  if (!object.ok()) return damaged(row, object.error().message);
  item::JsonFields fields(*object, "lease row");
  fields.expect("row", is_root ? "root" : "shard");
  const auto owner = fields.text("owner");
  const bool waits = fields.boolean_or("waits", false);
  const bool finished = fields.boolean_or("finished", false);
  ShardRow shard{number.value_or(0), std::string(owner), waits, finished};
  if (!is_root) {
    shard.stream = fields.text("stream");
    shard.shard = fields.text("shard");
    shard.born_after = fields.instant("born_after");
    shard.gap = fields.boolean_or("gap", false);
  }
  if (const auto status = fields.status(); !status.ok())
    return damaged(row, status.error().message);
  if (!owner.empty() && !is_worker_id(owner)) return damaged(row, "its owner is no worker's id");
  if (is_root) return ParsedRow{RootRow{std::string(owner)}};
  return ParsedRow{std::move(shard)};
}

}  // namespace pawl::guard

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "base/json_writer.h"
#include "cli/gaps_output.h"
#include "cli/terminal.h"
#include "item/utf8.h"

namespace pawl::cli {
namespace {

constexpr std::size_t kWriteChunk = 64 << 10;

class Json final : public GapsOutput {
 public:
  explicit Json(const audit::NamePattern& pattern) : pattern_(pattern), json_(out_) {
    json_.begin_object().field("schema", "pawl-gaps/1").key("gaps").begin_array();
  }

  Status hole(const audit::Gap& gap, const std::vector<audit::Recovery>& recoveries) override {
    static constexpr const char* kKinds[] = {"between", "tail", "no-object"};
    json_.begin_object();
    write_item(json_, pattern_, gap.item);
    json_.field("kind", kKinds[static_cast<int>(gap.kind)])
        .field("from", gap.versions.from)
        .field("to", gap.versions.to);
    json_.key("recovery").begin_array();
    for (const auto& recovery : recoveries) write(recovery);
    json_.end_array().end_object();
    if (out_.size() >= kWriteChunk) flush();
    return ok();
  }

  void end(const GapsReport& report) override {
    const auto& names = report.names;
    json_.end_array()
        .field("bucket", utf8(report.bucket))
        .field("template", utf8(pattern_.text()))
        .field("version_attribute", utf8(pattern_.version_attribute()))
        .field("first_version", report.first_version)
        .field("names", names.names)
        .field("items", names.items)
        .field("versions", names.versions)
        .field("repaired", names.repaired)
        .field("gaps_total", report.totals.holes)
        .field("missing", report.totals.missing)
        .field("items_with_gaps", report.totals.items);
    json_.key("not_matching").begin_object();
    write("other", names.other);
    write("ambiguous", names.ambiguous);
    write("too_large", names.too_large);
    json_.field("mixed_zeros", names.mixed_zeros)
        .field("folders", names.folders)
        .field("pawl_ledger", names.pawl_ledger)
        .field("pawl_removals", names.pawl_removals)
        .field("pawl_others", names.pawl_others)
        .end_object();
    if (report.table) write_table(json_, *report.table, report.totals);
    json_.end_object();
    out_ += '\n';
    flush();
  }

 private:
  void write(const audit::Recovery& recovery) {
    json_.begin_object().field("from", recovery.version).field("to", recovery.version);
    write_way(json_, recovery);
    json_.end_object();
  }

  void write(std::string_view name, const audit::OddNames& names) {
    json_.key(name).begin_object().field("count", names.count).key("examples").begin_array();
    for (const auto& example : names.examples) json_.string(utf8(example));
    json_.end_array().end_object();
  }
  void flush() {
    std::fwrite(out_.data(), 1, out_.size(), stdout);
    out_.clear();
  }

  const audit::NamePattern& pattern_;
  std::string out_;
  JsonWriter json_;
};

}  // namespace

std::string utf8(std::string_view bytes) {
  std::string text(bytes);
  if (item::is_utf8(text)) return text;
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return text;
}

void write_item(JsonWriter& json, const audit::NamePattern& pattern, audit::ItemName item) {
  json.field("item", utf8(pattern.label(item)));
  if (const auto key = pattern.key_of(item)) {
    json.key("key").begin_object();
    for (const auto& [name, value] : *key) json.field(name, utf8(value));
    json.end_object();
  }
  json.field("head", utf8(item.head)).field("tail", utf8(item.tail));
}

void write_way(JsonWriter& json, const audit::Recovery& recovery) {
  json.field("source", audit::name_of(recovery.source));
  if (recovery.until) json.field("until", recovery.until->to_string());
  if (!recovery.shard.empty()) json.field("shard", utf8(recovery.shard));
  if (!recovery.sequence.empty()) json.field("sequence", utf8(recovery.sequence));
}

void write_table(JsonWriter& json, const GapsTableReport& table, const audit::GapTotals& totals) {
  json.key("table").begin_object().field("name", utf8(table.name));
  json.field("items", totals.table_items)
      .field("unnamed", table.unnamed)
      .field("no_object", totals.no_object)
      .field("only_in_bucket", totals.only_in_bucket)
      .field("behind", totals.table_behind);
  json.key("stream").begin_object();
  if (!table.stream.empty()) json.field("arn", utf8(table.stream));
  json.field("read", table.stream_not_read.empty());
  if (!table.stream_not_read.empty()) {
    json.field("why_not", utf8(table.stream_not_read));
  } else {
    const auto& summary = table.summary;
    json.field("shards", summary.shards)
        .field("shards_unread", summary.shards_unread)
        .field("records", summary.records)
        .field("unreadable_images", table.unreadable);
    if (summary.oldest) json.field("oldest", summary.oldest->to_string());
    if (!summary.why_unread.empty()) json.field("why_unread", utf8(summary.why_unread));
  }
  json.end_object().end_object();
}

std::unique_ptr<GapsOutput> make_gaps_json(const audit::NamePattern& pattern) {
  return std::make_unique<Json>(pattern);
}

}  // namespace pawl::cli

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

// A store can list any bytes; a JSON document is UTF-8.
std::string utf8(std::string_view bytes) {
  std::string text(bytes);
  if (item::is_utf8(text)) return text;
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return text;
}

class Json final : public GapsOutput {
 public:
  explicit Json(const audit::NamePattern& pattern) : pattern_(pattern), json_(out_) {
    json_.begin_object().field("schema", "pawl-gaps/1").key("gaps").begin_array();
  }

  Status hole(const audit::Gap& gap, const std::vector<audit::Recovery>& recoveries) override {
    static constexpr const char* kKinds[] = {"between", "tail", "no-object"};
    json_.begin_object().field("item", utf8(pattern_.label(gap.item)));
    if (const auto key = pattern_.key_of(gap.item)) {
      json_.key("key").begin_object();
      for (const auto& [name, value] : *key) json_.field(name, utf8(value));
      json_.end_object();
    }
    json_.field("head", utf8(gap.item.head))
        .field("tail", utf8(gap.item.tail))
        .field("kind", kKinds[static_cast<int>(gap.kind)])
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
    if (report.table) write(*report.table, report.totals);
    json_.end_object();
    out_ += '\n';
    flush();
  }

 private:
  void write(const audit::Recovery& recovery) {
    static constexpr const char* kSources[] = {"stream", "old-image", "table"};
    json_.begin_object()
        .field("from", recovery.version)
        .field("to", recovery.version)
        .field("source", kSources[static_cast<int>(recovery.source)]);
    if (recovery.until) json_.field("until", recovery.until->to_string());
    if (!recovery.shard.empty()) json_.field("shard", utf8(recovery.shard));
    if (!recovery.sequence.empty()) json_.field("sequence", utf8(recovery.sequence));
    json_.end_object();
  }

  void write(const GapsTableReport& table, const audit::GapTotals& totals) {
    json_.key("table").begin_object().field("name", utf8(table.name));
    json_.field("items", totals.table_items)
        .field("unnamed", table.unnamed)
        .field("no_object", totals.no_object)
        .field("only_in_bucket", totals.only_in_bucket)
        .field("behind", totals.table_behind);
    json_.key("stream").begin_object();
    if (!table.stream.empty()) json_.field("arn", utf8(table.stream));
    json_.field("read", table.stream_not_read.empty());
    if (!table.stream_not_read.empty()) {
      json_.field("why_not", utf8(table.stream_not_read));
    } else {
      const auto& summary = table.summary;
      json_.field("shards", summary.shards)
          .field("shards_unread", summary.shards_unread)
          .field("records", summary.records)
          .field("unreadable_images", table.unreadable);
      if (summary.oldest) json_.field("oldest", summary.oldest->to_string());
      if (!summary.why_unread.empty()) json_.field("why_unread", utf8(summary.why_unread));
    }
    json_.end_object().end_object();
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

std::unique_ptr<GapsOutput> make_gaps_json(const audit::NamePattern& pattern) {
  return std::make_unique<Json>(pattern);
}

}  // namespace pawl::cli

#include <cstdio>
#include <memory>

#include "base/json_writer.h"
#include "cli/repair_output.h"

namespace pawl::cli {
namespace {

constexpr std::size_t kWriteChunk = 64 << 10;

class Json final : public RepairOutput {
 public:
  Json(const audit::NamePattern& pattern, bool plan) : pattern_(pattern), json_(out_) {
    json_.begin_object()
        .field("schema", "pawl-repair/1")
        .field("mode", plan ? "plan" : "repair")
        .key("versions")
        .begin_array();
  }

  void entry(const RepairEntry& entry) override {
    json_.begin_object();
    write_item(json_, pattern_, entry.item());
    json_.field("from", entry.versions.from)
        .field("to", entry.versions.to)
        .field("outcome", name_of(entry.outcome));
    if (!entry.name.empty()) json_.field("name", utf8(entry.name));
    json_.key("ways").begin_array();
    for (const auto& way : entry.ways) {
      json_.begin_object();
      write_way(json_, way);
      json_.end_object();
    }
    json_.end_array();
    if (!entry.why.empty()) json_.field("why", utf8(entry.why));
    json_.end_object();
    if (out_.size() >= kWriteChunk) flush();
  }

  void end(const GapsReport& search, const RepairReport& report) override {
    json_.end_array()
        .field("bucket", utf8(search.bucket))
        .field("template", utf8(pattern_.text()))
        .field("version_attribute", utf8(pattern_.version_attribute()))
        .field("first_version", search.first_version)
        .field("missing", search.totals.missing)
        .field("items_with_gaps", search.totals.items)
        .field("complete", report.complete())
        .key("counts")
        .begin_object();
    for (std::size_t i = 0; i < RepairEntry::kOutcomes; ++i)
      json_.field(name_of(static_cast<RepairEntry::Outcome>(i)), report.counts[i]);
    json_.end_object().field("stopped", report.stopped);
    if (!report.trouble.empty()) json_.field("trouble", utf8(report.trouble));
    write_table(json_, *search.table, search.totals);
    json_.end_object();
    out_ += '\n';
    flush();
  }

 private:
  void flush() {
    std::fwrite(out_.data(), 1, out_.size(), stdout);
    out_.clear();
  }

  const audit::NamePattern& pattern_;
  std::string out_;
  JsonWriter json_;
};

}  // namespace

std::unique_ptr<RepairOutput> make_repair_json(const audit::NamePattern& pattern, bool plan) {
  return std::make_unique<Json>(pattern, plan);
}

}  // namespace pawl::cli

// Fuzzes the reading of kept pages: whatever stands in one, it is told of or handed on, entries are dense, and no field is out of
// the bounds that what comes after relies on.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "audit/kept_reader.h"
#include "base/assert.h"

namespace {

using namespace pawl;

constexpr std::string_view kVolume = ".pawl/ledger/kept/00000000.pages";

// One volume, and nothing else.
class OneVolume final : public ArchiveView {
 public:
  explicit OneVolume(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string describe() const override { return "one volume"; }
  Status list(std::string_view prefix, const std::function<bool(const Entry&)>& visit) override {
    if (kVolume.starts_with(prefix)) static_cast<void>(visit({kVolume, bytes_.size()}));
    return ok();
  }
  Result<std::optional<std::string>> read(std::string_view /*name*/, std::uint64_t offset,
                                          std::size_t size_max) override {
    if (offset >= bytes_.size()) return std::optional<std::string>(std::string());
    return std::optional<std::string>(bytes_.substr(offset, size_max));
  }

 private:
  std::string bytes_;
};

}  // namespace

// Each line of the input is a page's JSON.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string volume;
  while (!input.empty()) {
    const auto end = std::min(input.find('\n'), input.size());
    const auto json = input.substr(0, end);
    volume += sha256(json).to_hex() + " - " + std::string(json) + "\n";
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  OneVolume archive(std::move(volume));
  audit::RootFacts facts;
  facts.archive_id = "00000000000000aa";
  audit::RootOptions options;
  audit::Report report;
  bool head_found = false;
  std::uint64_t sequence = 0;
  const auto read = audit::read_kept(
      archive, facts, options, head_found, report,
      [&sequence](const audit::LedgerKept& kept) -> Status {
        PAWL_ASSERT(kept.sequence == ++sequence);
        PAWL_ASSERT(!kept.object.empty() && kept.object.find('\0') == std::string_view::npos);
        PAWL_ASSERT(kept.kept.starts_with(audit::kKeptFolder));
        return ok();
      },
      [](std::uint64_t) {});
  PAWL_ASSERT(read.ok());
  return 0;
}

// Fuzzes every parser of ledger lines. What is accepted is encoded to a line that is accepted again and says the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "ledger/kept_page.h"
#include "ledger/line.h"
#include "ledger/repair_page.h"
#include "ledger/root_page.h"
#include "ledger/shard_page.h"
#include "ledger/tip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pawl;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)ledger::parse_line(input);
  if (const auto line = ledger::make_line(input, nullptr);
      line.ok() && input.find('\n') == std::string_view::npos) {
    PAWL_ASSERT(ledger::parse_line(line->text).ok());
  }
  // Chains of entries: what is gone on with has a page, so the next is none of its pages.
  if (const auto line = ledger::make_line(input, nullptr); line.ok()) {
    (void)ledger::repair_chain_end(line->text, "00000000000000aa", Incarnation{1});
    const auto end = ledger::kept_chain_end(line->text, "00000000000000aa");
    if (end.ok()) PAWL_ASSERT(end->digest == line->digest);
  }
  if (const auto page = ledger::parse_page(input); page.ok()) {
    const auto again = ledger::parse_page(ledger::encode_page(*page));
    PAWL_ASSERT(again.ok() && *again == *page);
  }
  if (const auto page = ledger::parse_root_page(input); page.ok()) {
    const auto again = ledger::parse_root_page(ledger::encode_root_page(*page));
    PAWL_ASSERT(again.ok() && *again == *page);
  }
  if (const auto tip = ledger::parse_tip(input); tip.ok()) {
    const auto again = ledger::parse_tip(ledger::encode_tip(*tip));
    PAWL_ASSERT(again.ok() && *again == *tip);
  }
  return 0;
}

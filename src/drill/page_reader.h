// Reads ledger pages and object bodies for the promise checkers, by docs/internals/archive-format.md alone: it shares no
// code with what writes them, nor with `pawl verify`, but the SHA-256.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::drill {

struct SeenEntry {
  std::uint64_t sequence = 0;
  std::uint64_t version = 0;
  std::string key;  // compact JSON
  std::string kind;
  std::string instant;
  std::string object;
  std::string sha256;  // hex
};
struct SeenPage {
  std::uint64_t page = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::string chain;
  std::string previous;
  std::string digest;  // hex
  std::string instant;
  std::vector<SeenEntry> entries;  // none in a root page
};

// What one object says of itself.
struct SeenBody {
  std::string table, incarnation, shard;
  std::uint64_t sequence = 0;
  std::string key;  // compact JSON
  std::uint64_t version = 0;
  std::string kind, instant, trace;
  std::string new_image, old_image;  // compact JSON; "null" for none
  // The attribute "n" of the images, if it is there and a whole number.
  std::optional<std::int64_t> new_count, old_count;
};

// One thread. Not const: keeps the parser's memory.
class PageReader {
 public:
  PageReader();
  ~PageReader();

  // Nothing where the line is not a page of the format; `why` then says what is wrong with it.
  std::optional<SeenPage> page(std::string_view line, std::string& why);
  std::optional<SeenBody> body(std::string_view text, std::string& why);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace pawl::drill

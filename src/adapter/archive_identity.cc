#include "adapter/archive_identity.h"

#include <charconv>

#include "base/hex.h"
#include "base/json_writer.h"

namespace pawl {
namespace {

constexpr std::string_view kBeforeFormat = R"({"format":"pawl-archive/)";
constexpr std::string_view kBeforeId = R"(","archive":")";
constexpr std::string_view kBeforeCreated = R"(","created":")";
constexpr std::string_view kAtEnd = "\"}\n";

std::string hex_of(std::uint64_t id) {
  std::string text(16, '0');
  for (std::size_t i = 16; i > 0; --i, id >>= 4) text[i - 1] = "0123456789abcdef"[id & 15];
  return text;
}

bool take(std::string_view& text, std::string_view expected) {
  if (text.substr(0, expected.size()) != expected) return false;
  text.remove_prefix(expected.size());
  return true;
}

}  // namespace

std::string render_archive_identity(std::uint64_t id, Instant created) {
  std::string json;
  JsonWriter(json)
      .begin_object()
      .field("format", "pawl-archive/" + std::to_string(kArchiveFormat))
      .field("archive", hex_of(id))
      .field("created", created.to_string())
      .end_object();
  json += '\n';
  return json;
}

// The file is written whole by one program, so only the exact form is right. A newer format is told
// apart before the rest is looked at.
Result<std::uint64_t> parse_archive_identity(std::string_view text, const std::string& place) {
  const Error damaged{ErrorCode::kCorrupt,
                      "opening archive " + place + ": .pawl/archive.json is damaged",
                      "put it back from a copy of the archive"};
  unsigned format = 0;
  if (!take(text, kBeforeFormat)) return damaged;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (error != std::errc() || format == 0) return damaged;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (format > kArchiveFormat) {
    return Error{ErrorCode::kInvalid,
                 "opening archive " + place + ": it has format pawl-archive/" +
                     std::to_string(format) + ", and this pawl writes pawl-archive/" +
                     std::to_string(kArchiveFormat),
                 "use the newer pawl that made it"};
  }
  if (!take(text, kBeforeId)) return damaged;
  const auto id = parse_hex_number(text.substr(0, 16), 16);
  if (!id) return damaged;
  text.remove_prefix(16);
  if (!take(text, kBeforeCreated) || text.size() < kAtEnd.size()) return damaged;
  const std::string_view created = text.substr(0, text.size() - kAtEnd.size());
  if (!Instant::parse(created) || text.substr(created.size()) != kAtEnd) return damaged;
  return *id;
}

}  // namespace pawl

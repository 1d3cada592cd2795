#include "audit/listed_entry.h"

#include "base/assert.h"

namespace pawl::audit {
namespace {

constexpr std::uint8_t kForeign = 1;
constexpr std::uint8_t kMissing = 2;

}  // namespace

void append_digest(std::string& out, const Digest& digest) {
  out.append(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
}

Digest read_digest(Reader& reader) {
  Digest digest;
  const auto raw = reader.raw(digest.bytes.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    digest.bytes[i] = static_cast<std::uint8_t>(raw[i]);
  }
  return digest;
}

std::string ListedEntry::encode(std::string_view name, const LedgerEntry& entry) {
  std::string record;
  record.reserve(name.size() + entry.key.size() + 160);
  record.append(name);
  record.push_back('\0');
  append_u64_be(record, entry.shard.incarnation.value);
  append_u32_be(record, entry.shard.number);
  append_u64_be(record, entry.sequence);
  append_u8(record, entry.version ? 1 : 0);
  append_u64_be(record, entry.version.value_or(0));
  append_u8(record, static_cast<std::uint8_t>(entry.kind));
  append_u64_be(record, static_cast<std::uint64_t>(entry.instant.microseconds));
  append_u64_be(record, entry.size);
  append_digest(record, entry.digest);
  append_u8(record, static_cast<std::uint8_t>((entry.foreign ? kForeign : 0) |
                                              (entry.missing ? kMissing : 0)));
  append_bytes(record, entry.key);
  append_bytes(record, entry.object);
  append_bytes(record, entry.source);
  return record;
}

ListedEntry::ListedEntry(std::string_view record) : name(name_in(record)) {
  Reader reader(record.substr(name.size() + 1));
  entry.shard.incarnation.value = reader.u64_be();
  entry.shard.number = reader.u32_be();
  entry.sequence = reader.u64_be();
  const bool has_version = reader.u8() != 0;
  const auto version = reader.u64_be();
  if (has_version) entry.version = version;
  entry.kind = static_cast<EntryKind>(reader.u8());
  entry.instant.microseconds = static_cast<std::int64_t>(reader.u64_be());
  entry.size = reader.u64_be();
  entry.digest = read_digest(reader);
  const auto whose = reader.u8();
  entry.foreign = (whose & kForeign) != 0;
  entry.missing = (whose & kMissing) != 0;
  entry.key = reader.bytes();
  entry.object = reader.bytes();
  entry.source = reader.bytes();
  PAWL_ASSERT(reader.at_end());
}

}  // namespace pawl::audit

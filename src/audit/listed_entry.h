// An entry of a page as the verifier sorts it outside memory: by the name that its object is looked for under.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "audit/shard_reader.h"
#include "base/coding.h"

namespace pawl::audit {

// The name of a record "name, NUL, …".
inline std::string_view name_in(std::string_view record) {
  return record.substr(0, record.find('\0'));
}

// A record: name, NUL, incarnation, shard, sequence, has version, version, kind, instant, size, digest, whose, key, object, source.
struct ListedEntry {
  std::string_view name;
  LedgerEntry entry;

  static std::string encode(std::string_view name, const LedgerEntry& entry);
  // What encode() made. Views point into it.
  explicit ListedEntry(std::string_view record);
};

void append_digest(std::string& out, const Digest& digest);
Digest read_digest(Reader& reader);

}  // namespace pawl::audit

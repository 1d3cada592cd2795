// `pawl verify`: recomputes promises P1 to P4 from an archive alone, offline, in bounded memory.
//
// It shares no code with what wrote the archive but SHA-256, and works beside a running server: it
// reads the tip, then the chains, then the objects, so that what is added meanwhile shows as
// unsealed, never as wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "audit/report.h"
#include "base/result.h"
#include "port/archive_view.h"
#include "port/signature_check.h"

namespace pawl::audit {

struct VerifyOptions {
  bool deep = false;                      // read every body
  std::optional<Digest> head;             // must be in a chain, with all that it covers
  std::optional<Instant> until;           // every open shard must be proven up to here
  std::optional<std::string> public_key;  // 32 bytes: pins the signing key
  SignatureCheck check_signature;         // required
  std::size_t memory_max =
      128 << 20;             // bytes for sorting; the rest of the process needs about 40 MiB more
  std::string tmp = "/tmp";  // for what does not fit
  // Called now and then: what is being done, how much of how much (0 = not known). May be empty.
  std::function<void(std::string_view phase, std::uint64_t done, std::uint64_t total)> progress;
};

// Errors mean that it could not run: no archive there, a newer format, I/O, no room for sorting.
// Everything that is wrong with the archive itself is in the report.
Result<Report> verify(ArchiveView& archive, const VerifyOptions& options);

}  // namespace pawl::audit

// Unpacks a zip file that a client has sent: hostile input. Everything is bounded, and nothing is written outside the folder: a
// name with "..", an absolute one, a link or a device is refused, and files are created anew, never opened through what the file
// itself has made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pawl {

// Lambda developer guide, "Lambda quotas": 250 MB unzipped. The others are Pawl's own.
inline constexpr std::uint64_t kUnzippedBytesMax = 250ULL << 20;
inline constexpr std::size_t kZipEntriesMax = 50'000;
inline constexpr std::size_t kZipNameMax = 1024;
inline constexpr std::size_t kZipDepthMax = 32;

// What of the file system may be used.
struct ZipRoom {
  std::uint64_t bytes = ~std::uint64_t{0};
  std::uint64_t inodes = ~std::uint64_t{0};
};

// `folder` must be empty, and is an open directory. Files get mode 0644, or 0755 if the archive has them executable; folders 0755.
// Encrypted entries are refused. Returns about how many bytes of the file system it takes. Errors: kInvalid, saying what is wrong
// with the file; kExhausted: it needs more room; else of the file system. What was unpacked until then stays.
Result<std::uint64_t> unpack_zip(std::string_view zip, int folder, const ZipRoom& room = {});

// Whether a name may be unpacked, and as what: its parts, without "." and empty ones. Errors: kInvalid.
Result<std::vector<std::string>> safe_path(std::string_view name);

}  // namespace pawl

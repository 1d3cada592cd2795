// Cyclic redundancy checks: CRC-32 as zlib and IEEE 802.3 have it (what DynamoDB sends of an answer's body in x-amz-crc32),
// CRC-32C (Castagnoli) and CRC-64/NVME: those that S3's clients send with an object. They find damage, not forgery.
#pragma once

#include <cstdint>
#include <string_view>

namespace pawl {

// Each about 1.5 GB/s. `before` is the check of what stands before `bytes`: pieces may come one by one.
std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0);
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);
std::uint64_t crc64_nvme(std::string_view bytes, std::uint64_t before = 0);

// The check of A followed by B, from those of A and of B, and how many bytes B has.
std::uint32_t crc32_of_both(std::uint32_t a, std::uint32_t b, std::uint64_t b_bytes);
std::uint32_t crc32c_of_both(std::uint32_t a, std::uint32_t b, std::uint64_t b_bytes);
std::uint64_t crc64_nvme_of_both(std::uint64_t a, std::uint64_t b, std::uint64_t b_bytes);

}  // namespace pawl

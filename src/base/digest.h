// SHA-256: the digest of every object, page and body. The one thing that the writers and the verifier
// share (see docs/internals/archive-format.md).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  std::string to_hex() const;
  // Exactly 64 lower-case hexadecimal digits.
  static std::optional<Digest> parse(std::string_view text);
  bool is_zero() const { return *this == Digest{}; }
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

// The SHA-256 (FIPS 180-4) of `bytes`. Thread-safe; about 0.7 µs for 256 bytes with SHA extensions.
Digest sha256(std::string_view bytes);

// The same over pieces. One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  // The digest of all that was given; then starts anew.
  Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace pawl

#include "base/digest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace pawl {
namespace {

// FIPS 180-4 examples (NIST, "Secure Hash Standard" example values).
TEST(Digest, KnownVectors) {
  EXPECT_EQ(sha256("").to_hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc").to_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").to_hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')).to_hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, AHasherStartsAnewAfterFinish) {
  Sha256 hasher;
  hasher.update("something else");
  (void)hasher.finish();
  hasher.update("a");
  hasher.update("");
  hasher.update("bc");
  EXPECT_EQ(hasher.finish(), sha256("abc"));
  EXPECT_EQ(hasher.finish(), sha256(""));
}

TEST(Digest, ParsesOnly64LowerCaseDigits) {
  const std::string text = sha256("abc").to_hex();
  EXPECT_EQ(Digest::parse(text), sha256("abc"));
  EXPECT_FALSE(Digest::parse(text.substr(1)));
  EXPECT_FALSE(Digest::parse(text + "0"));
  std::string upper = text;
  upper[0] = 'B';
  EXPECT_FALSE(Digest::parse(upper));
  std::string foreign = text;
  foreign[63] = 'g';
  EXPECT_FALSE(Digest::parse(foreign));
}

TEST(Digest, Zero) {
  EXPECT_TRUE(Digest{}.is_zero());
  EXPECT_TRUE(Digest::parse(std::string(64, '0'))->is_zero());
  EXPECT_FALSE(sha256("").is_zero());
}

RC_GTEST_PROP(Digest, PiecesMakeTheWhole, (const std::string& bytes)) {
  const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size() + 1);
  Sha256 hasher;
  hasher.update(bytes.substr(0, cut));
  hasher.update(bytes.substr(cut));
  const Digest digest = hasher.finish();
  RC_ASSERT(digest == sha256(bytes));
  RC_ASSERT(Digest::parse(digest.to_hex()) == digest);
}

}  // namespace
}  // namespace pawl

#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace pawl {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0)
    return Error{ErrorCode::kInvalid, "Halving an odd number.", "give an even one"};
  return number / 2;
}

Result<int> quarter(int number) {
  PAWL_ASSIGN_OR_RETURN(const int first, half(number));
  PAWL_ASSIGN_OR_RETURN(const int second, half(first));
  return second;
}

Status check(int number) {
  PAWL_TRY(half(number));
  return ok();
}

TEST(Result, CarriesAValueOrAnError) {
  EXPECT_EQ(half(4).value(), 2);
  EXPECT_TRUE(half(4).ok());
  ASSERT_FALSE(half(3).ok());
  EXPECT_EQ(half(3).error().to_string(), "Halving an odd number. (give an even one)");
  EXPECT_EQ(Error({.code = ErrorCode::kInternal, .message = "m", .hint = ""}).to_string(), "m");
}

TEST(Result, MacrosPassErrorsOn) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(check(2).ok());
  EXPECT_FALSE(check(1).ok());
}

TEST(Result, MovesWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> owned = std::move(result).value();
  EXPECT_EQ(*owned, 7);
}

TEST(ResultDeathTest, TheWrongHalfIsAProgrammersError) {
  EXPECT_DEATH((void)half(3).value(), "assertion failed");
  EXPECT_DEATH((void)half(4).error(), "assertion failed");
}

TEST(Result, EveryCodeHasItsName) {
  EXPECT_EQ(name_of(ErrorCode::kUnknown), "unknown outcome");
  EXPECT_EQ(name_of(ErrorCode::kConflict), "conflict");
}

}  // namespace
}  // namespace pawl

// What every BodyFiles must do. Instantiate with a fixture type that has `BodyFiles& files()`.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "port/body_files.h"

namespace pawl {

template <typename Fixture>
class BodyFilesConformance : public ::testing::Test {
 protected:
  BodyFiles& files() { return fixture_.files(); }
  void make(BodyNumber number, std::string_view bytes) {
    auto writer = files().create(number);
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    ASSERT_TRUE(writer.value()->append(bytes.substr(0, bytes.size() / 2)).ok());
    ASSERT_TRUE(writer.value()->append(bytes.substr(bytes.size() / 2)).ok());
    ASSERT_TRUE(writer.value()->seal().ok());
  }

 private:
  Fixture fixture_;
};

TYPED_TEST_SUITE_P(BodyFilesConformance);

TYPED_TEST_P(BodyFilesConformance, WhatWasWrittenIsRead) {
  this->make(7, "hello, body");
  const auto reader = this->files().open(7);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader.value()->read(0, 11).value(), "hello, body");
  EXPECT_EQ(reader.value()->read(7, 4).value(), "body");
  EXPECT_EQ(reader.value()->read(11, 0).value(), "");
  EXPECT_EQ(reader.value()->read(8, 4).error().code, ErrorCode::kCorrupt);
}

TYPED_TEST_P(BodyFilesConformance, ANumberIsUsedOnce) {
  this->make(1, "a");
  EXPECT_FALSE(this->files().create(1).ok());
  EXPECT_EQ(this->files().open(2).error().code, ErrorCode::kNotFound);
}

TYPED_TEST_P(BodyFilesConformance, AReaderOutlivesARemoval) {
  this->make(3, "stays");
  const auto reader = this->files().open(3);
  ASSERT_TRUE(reader.ok());
  EXPECT_TRUE(this->files().remove(3).ok());
  EXPECT_TRUE(this->files().remove(3).ok());
  EXPECT_EQ(reader.value()->read(0, 5).value(), "stays");
  EXPECT_EQ(this->files().open(3).error().code, ErrorCode::kNotFound);
}

TYPED_TEST_P(BodyFilesConformance, ALinkIsABodyOfItsOwn) {
  this->make(4, "shared");
  ASSERT_TRUE(this->files().link(4, 0x104).ok());
  EXPECT_EQ(this->files().link(99, 5).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(this->files().link(4, 0x104).ok());
  ASSERT_TRUE(this->files().remove(4).ok());
  EXPECT_EQ(this->files().open(0x104).value()->read(0, 6).value(), "shared");
}

TYPED_TEST_P(BodyFilesConformance, AllAreListed) {
  this->make(1, "a");
  this->make(0xFFFFFFFFFFFFFFFE, "b");
  static_cast<void>(this->files().create(2).ok());  // not sealed
  auto numbers = this->files().list().value();
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(numbers, (std::vector<BodyNumber>{1, 2, 0xFFFFFFFFFFFFFFFE}));
}

REGISTER_TYPED_TEST_SUITE_P(BodyFilesConformance, WhatWasWrittenIsRead, ANumberIsUsedOnce,
                            AReaderOutlivesARemoval, ALinkIsABodyOfItsOwn, AllAreListed);

}  // namespace pawl

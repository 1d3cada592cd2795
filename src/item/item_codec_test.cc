#include "item/item_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "base/hex.h"
#include "item/change.h"
#include "item/item_generators_test.h"

namespace pawl::item {
namespace {

using namespace std::string_literals;

Value number(const std::string& text) { return Number::parse(text).value(); }

bool refused(const std::string& bytes) {
  const auto item = decode_item(bytes);
  return !item.ok() && item.error().code == ErrorCode::kCorrupt;
}

TEST(ItemCodec, EncodingsNeverChange) {
  const Item item{
      {"b", Binary{"\xff"s}},
      {"bs", BinarySet{{"", "a"}}},
      {"f", false},
      {"l", List{Null{}, String{"x"}}},
      {"m", Map{{"k", number("0")}}},
      {"n", number("-150")},
      {"ns", NumberSet{{Number(1), Number(2)}}},
      {"ss", StringSet{{"a"}}},
      {"t", true},
  };
  EXPECT_EQ(to_hex(encode_item(item)),
            "09"
            "016203"
            "01ff"
            "02627309"
            "02000161"
            "016604"
            "016c0a"
            "02060101"
            "78"
            "016d0b"
            "01016b020000"
            "016e02"
            "050f"
            "026e7308"
            "0200010002"
            "02737307"
            "010161"
            "017405");
  EXPECT_EQ(to_hex(encode_item(Item{})), "00");
}

TEST(ItemCodec, HostileBytes) {
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused("\x01"));
  EXPECT_TRUE(refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));  // 2^64-1 attributes
  EXPECT_TRUE(refused("\x01\x01"s + "a"));                           // no value
  EXPECT_TRUE(refused("\x01\x01"s + "a\x0c"));                       // a foreign code
  EXPECT_TRUE(refused("\x01\x01"s + "a\x00"s));
  EXPECT_TRUE(refused("\x01\x01"s + "a\x01\x05"s + "xx"));              // a string beyond the end
  EXPECT_TRUE(refused("\x01\x01"s + "a\x01\x01"s + "\xff"));            // not UTF-8
  EXPECT_TRUE(refused("\x01\x01"s + "\xff\x04"));                       // a name that isn't
  EXPECT_TRUE(refused("\x02\x01"s + "b\x04\x01" + "a\x04"));            // names out of order
  EXPECT_TRUE(refused("\x02\x01"s + "a\x04\x01" + "a\x04"));            // twice the same
  EXPECT_TRUE(refused("\x01\x01"s + "a\x07\x02\x01z\x01y"));            // a set out of order
  EXPECT_TRUE(refused("\x01\x01"s + "a\x08\x02\x00\x01\x00\x01"s));     // a duplicate
  EXPECT_TRUE(refused("\x01\x01"s + "a\x0a\xff\xff\xff\xff\x07\x06"));  // 2^31-1 elements
  EXPECT_TRUE(refused("\x01\x01"s + "a\x09\xff\xff\xff\xff\x07\x00"s));
  EXPECT_TRUE(refused("\x00\x00"s));  // something after the end
  EXPECT_TRUE(refused("\x80\x00"s));  // an overlong count
}

TEST(ItemCodec, NestingIsBounded) {
  const auto nested = [](std::size_t levels) {
    std::string bytes = "\x01\x01"s + "a";
    for (std::size_t i = 0; i < levels; ++i) bytes += "\x0a\x01"s;
    return bytes + "\x06";
  };
  EXPECT_TRUE(decode_item(nested(kNestingDepthMax - 1)).ok());
  EXPECT_FALSE(nested_too_deeply(decode_item(nested(kNestingDepthMax - 1)).value()));
  EXPECT_TRUE(refused(nested(kNestingDepthMax)));
  EXPECT_TRUE(refused(nested(1'000'000)));
}

TEST(ItemCodec, AnEmptySetIsReadableAlthoughNoneShouldBeStored) {
  // Losing an item would be worse than keeping a value that an update should not have left.
  const Item item{{"s", StringSet{}}};
  EXPECT_EQ(decode_item(encode_item(item)).value(), item);
}

RC_GTEST_PROP(ItemCodec, RoundTrips, ()) {
  const Item item = *generate::item();
  const std::string bytes = encode_item(item);
  RC_ASSERT(decode_item(bytes).value() == item);
  const std::string longer = bytes + "rest";
  Reader reader(longer);
  RC_ASSERT(read_item(reader).value() == item);
  RC_ASSERT(reader.rest() == "rest");
}

RC_GTEST_PROP(ItemCodec, EqualItemsHaveEqualBytes, ()) {
  const Item a = *generate::item();
  const Item b = *generate::item();
  RC_ASSERT((encode_item(a) == encode_item(b)) == (a == b));
}

RC_GTEST_PROP(ItemCodec, WhatIsReadIsWhatIsWritten, ()) {
  std::string bytes = encode_item(*generate::item());
  const int changes = *rc::gen::inRange(1, 4);
  for (int i = 0; i < changes; ++i) {
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  }
  if (const auto item = decode_item(bytes); item.ok()) RC_ASSERT(encode_item(*item) == bytes);
}

RC_GTEST_PROP(ItemCodec, NoPrefixIsAnItem, ()) {
  const std::string bytes = encode_item(*generate::item());
  const auto size = *rc::gen::inRange<std::size_t>(0, bytes.size());
  RC_ASSERT(refused(bytes.substr(0, size)));
}

rc::Gen<Change> change() {
  return rc::gen::exec([] {
    Change change;
    change.shard = ShardId{Incarnation{7}, *rc::gen::arbitrary<std::uint16_t>()};
    change.sequence = SequenceNumber{*rc::gen::arbitrary<std::uint64_t>()};
    change.key = *generate::item();
    change.version = Version{*rc::gen::arbitrary<std::uint64_t>()};
    change.kind = *rc::gen::element(ChangeKind::kInsert, ChangeKind::kModify, ChangeKind::kRemove);
    change.instant = Instant{*rc::gen::arbitrary<std::int64_t>()};
    if (change.kind != ChangeKind::kRemove) change.new_image = *generate::item();
    if (change.kind != ChangeKind::kInsert) change.old_image = *generate::item();
    change.trace = *generate::text();
    return change;
  });
}

RC_GTEST_PROP(Change, RoundTrips, ()) {
  const Change original = *change();
  const std::string bytes = encode_change(original);
  RC_ASSERT(decode_change(original.shard, original.sequence, bytes).value() == original);
}

RC_GTEST_PROP(Change, WhatIsReadIsWhatIsWritten, ()) {
  const Change original = *change();
  std::string bytes = encode_change(original);
  bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  const auto read = decode_change(original.shard, original.sequence, bytes);
  if (read.ok()) RC_ASSERT(encode_change(*read) == bytes);
}

// Bytes that stand in every change log: they must never change.
TEST(Change, HasTheBytesThatAreStored) {
  Change change;
  change.key["k"] = String{"a"};
  change.version = Version{300};
  change.instant = Instant{0x0102030405060708};
  change.trace = "t";
  change.new_image = change.key;
  const std::string item = encode_item(change.key);
  EXPECT_EQ(encode_change(change), std::string("\x01\x01\x00\xac\x02", 5) +
                                       "\x01\x02\x03\x04\x05\x06\x07\x08" + "\x01t" + item + item);
}

TEST(ChangeDeathTest, AGuardedOneIsKeptInNoChangeLog) {
  Change change;
  change.key["k"] = String{"a"};
  change.new_image = change.key;
  change.version = Version{0};
  EXPECT_FALSE(encode_change(change).empty());
  auto guarded = change;
  guarded.source = "7";
  EXPECT_DEATH(encode_change(guarded), "guarded");
  change.version.reset();
  EXPECT_DEATH(encode_change(change), "version");
}

RC_GTEST_PROP(Change, NoPrefixIsAChange, ()) {
  const Change original = *change();
  const std::string bytes = encode_change(original);
  const auto size = *rc::gen::inRange<std::size_t>(0, bytes.size());
  const auto read =
      decode_change(original.shard, original.sequence, std::string_view(bytes).substr(0, size));
  RC_ASSERT(!read.ok());
  RC_ASSERT(read.error().code == ErrorCode::kCorrupt);
}

TEST(Change, HostileBytes) {
  Change insertion;
  insertion.version = Version{0};
  insertion.new_image = Item{};
  const std::string good = encode_change(insertion);
  const auto with = [&](std::size_t at, char byte) {
    std::string bytes = good;
    bytes[at] = byte;
    return decode_change({}, {}, bytes).ok();
  };
  EXPECT_TRUE(with(0, 1));
  EXPECT_FALSE(with(0, 2));  // another record format
  EXPECT_FALSE(with(1, 0));  // no body format
  EXPECT_FALSE(with(1, kBodyFormat + 1));
  EXPECT_FALSE(with(2, 3));  // no kind
  EXPECT_FALSE(with(2, 1));  // a modification without its old image
  EXPECT_TRUE(with(2, 2));   // the image is the old one now
  EXPECT_FALSE(decode_change({}, {}, good + '\0').ok());
}

TEST(ChangeDeathTest, ImagesThatDontFitTheKindAreAProgrammersError) {
  Change removal;
  removal.version = Version{0};
  removal.kind = ChangeKind::kRemove;
  removal.new_image = Item{};
  EXPECT_DEATH((void)encode_change(removal), "assertion failed");
}

TEST(Change, KindsHaveTheNamesOfStreams) {
  EXPECT_EQ(name_of(ChangeKind::kInsert), "INSERT");
  EXPECT_EQ(name_of(ChangeKind::kModify), "MODIFY");
  EXPECT_EQ(name_of(ChangeKind::kRemove), "REMOVE");
}

}  // namespace
}  // namespace pawl::item

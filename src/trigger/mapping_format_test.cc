#include "trigger/mapping_format.h"

#include <gtest/gtest.h>

namespace pawl::trigger {
namespace {

MappingRecord record() {
  MappingRecord record;
  for (std::size_t i = 0; i < record.id.size(); ++i) record.id[i] = static_cast<std::uint8_t>(i);
  record.config.function = "f";
  record.config.start = StartingPosition::kLatest;
  record.config.enabled = false;
  record.config.batch_size = 10'000;
  record.config.window = seconds(300);
  record.config.retries_max = 0;
  record.config.age_max = seconds(60);
  record.config.bisect = record.config.reports_items = true;
  record.config.filters = {"{}", R"({"a":["b"]})"};
  record.config.on_failure = "arn:aws:s3:::bucket";
  record.source = {"arn:aws:dynamodb:eu-west-1:0:table/t/stream/x", "t", "KEYS_ONLY", {5}, {7}, 4};
  record.created = {1};
  record.modified = {2};
  return record;
}

TEST(MappingFormat, AMappingComesBack) {
  MappingRecord wanted = record();
  EXPECT_EQ(decode_mapping(encode_mapping(wanted)).value(), wanted);
  wanted.config.retries_max.reset();
  wanted.config.age_max.reset();
  wanted.config.filters.clear();
  EXPECT_EQ(decode_mapping(encode_mapping(wanted)).value(), wanted);
  EXPECT_EQ(wanted.source.region(), "eu-west-1");
}

TEST(MappingFormat, DamageIsSaid) {
  const std::string bytes = encode_mapping(record());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_mapping(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(decode_mapping(bytes + "x").ok());
  EXPECT_FALSE(decode_checkpoint("").ok());
  EXPECT_FALSE(decode_dead_letter("\x02").ok());
}

TEST(MappingFormat, ADeadLetterComesBack) {
  const DeadLetter letter{{3}, {5}, Reason::kTrimmed, 7, {9}, "{}", "why", "record"};
  EXPECT_EQ(decode_dead_letter(encode_dead_letter(letter)).value(), letter);
}

TEST(MappingFormat, KeysOfAMappingStandTogether) {
  const MappingId id = record().id;
  EXPECT_LT(mapping_start(id), checkpoint_key(id, 0));
  EXPECT_LT(checkpoint_key(id, 65'535), mapping_end(id));
  EXPECT_LT(dead_letter_key(id, 9, {~0ULL}), mapping_end(id));
  MappingId greatest;
  greatest.fill(0xFF);
  EXPECT_LT(dead_letter_key(greatest, ~0U, {~0ULL - 1}), mapping_end(greatest));
  EXPECT_EQ(shard_of_key(checkpoint_key(id, 9)), 9U);
  EXPECT_EQ(shard_of_key("short"), std::nullopt);
}

TEST(MappingId, IsAUuid) {
  const MappingId id = record().id;
  EXPECT_EQ(id_text(id), "00010203-0405-0607-0809-0a0b0c0d0e0f");
  EXPECT_EQ(parse_id(id_text(id)), id);
  for (const auto* text : {"", "00010203-0405-0607-0809-0a0b0c0d0e0", "not-a-uuid",
                           "0001020300405-0607-0809-0a0b0c0d0e0f"}) {
    EXPECT_FALSE(parse_id(text)) << text;
  }
}

}  // namespace
}  // namespace pawl::trigger

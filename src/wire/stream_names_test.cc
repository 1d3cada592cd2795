#include "wire/stream_names.h"

#include <gtest/gtest.h>

#include "wire/shard_iterator.h"

namespace pawl::wire {
namespace {

TEST(StreamNames, OfPositionsSortAsTheyCount) {
  EXPECT_EQ(sequence_text({42}), "100000000000000000042");
  EXPECT_EQ(parse_sequence(sequence_text({UINT64_MAX})), SequenceNumber{UINT64_MAX});
  EXPECT_LT(sequence_text({99}), sequence_text({100}));
  for (const auto* const wrong : {"", "42", "000000000000000000042", "1000000000000000000042",
                                  "10000000000000000004x", "199999999999999999999"}) {
    EXPECT_FALSE(parse_sequence(wrong)) << wrong;
  }
}

TEST(StreamNames, ShardsBelongToOneLabel) {
  const Instant label{1'795'372'535'771'999};
  EXPECT_EQ(shard_id(label, 42), "shardId-00000001795372535771-0000002a");
  EXPECT_EQ(parse_shard_id("shardId-00000001795372535771-0000002a", label), 42U);
  for (const auto* const wrong :
       {"", "shardId-00000001795372535771-0000002A", "shardId-00000001795372535772-0000002a",
        "shardId-00000001795372535771-000000-1", "shardId-00000001795372535771-000000002a"}) {
    EXPECT_FALSE(parse_shard_id(wrong, label)) << wrong;
  }
}

TEST(StreamNames, ArnsAreTakenApart) {
  const std::string text = stream_arn("eu-north-1", "users", {1'795'372'535'771'999});
  EXPECT_EQ(text,
            "arn:aws:dynamodb:eu-north-1:000000000000:table/users/stream/2026-11-22T18:35:35.771");
  EXPECT_EQ(parse_stream_arn(text)->table, "users");
  EXPECT_EQ(parse_stream_arn(text)->label, "2026-11-22T18:35:35.771");
  for (const auto* const wrong :
       {"", "users", "arn:aws:dynamodb:eu-north-1:000000000000:table/users",
        "arn:aws:s3:eu-north-1:000000000000:table/users/stream/x"}) {
    EXPECT_FALSE(parse_stream_arn(wrong)) << wrong;
  }
}

TEST(ShardIterator, IsReadUnderItsOwnKeyAlone) {
  const std::string key(32, 'k');
  for (const auto after : {std::optional<SequenceNumber>{}, std::optional(SequenceNumber{77})}) {
    const ShardIterator iterator{{0x1234}, {5}, 3, after, {99}};
    const std::string token = encode_iterator(iterator, key);
    EXPECT_EQ(decode_iterator(token, key), iterator);
    EXPECT_FALSE(decode_iterator(token, std::string(32, 'l')));
    for (std::size_t i = 0; i < token.size(); ++i) {
      std::string forged = token;
      forged[i] = forged[i] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(decode_iterator(forged, key)) << i;
      EXPECT_FALSE(decode_iterator(token.substr(0, i), key)) << i;
    }
    EXPECT_FALSE(decode_iterator(token + "AAAA", key));
  }
}

}  // namespace
}  // namespace pawl::wire

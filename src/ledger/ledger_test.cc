#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/chain.h"
#include "ledger/line.h"
#include "ledger/page_format.h"
#include "ledger/root_page.h"
#include "ledger/shard_page.h"
#include "ledger/tip.h"

namespace pawl::ledger {
namespace {

using ::testing::HasSubstr;

const std::string kArchive = "0123456789abcdef";
constexpr ShardId kShard{{0x9f86d081884c7d65}, 3};
constexpr Instant kNow{1'795'370'400'123'456};

// Signs with nothing but the bytes themselves: what is signed can be read in the signature.
class EchoSigner final : public Signer {
 public:
  const PublicKey& public_key() const override { return key_; }
  Result<Signature> sign(std::string_view bytes) override {
    Signature signature{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), signature.size()), signature.begin());
    ++count;
    return signature;
  }
  int count = 0;

 private:
  PublicKey key_{1, 2, 3};
};

PageEntry entry(std::uint64_t sequence, std::uint64_t version = 3) {
  PageEntry entry;
  entry.sequence = {sequence};
  entry.key["hashid"] = item::String{"A000001"};
  entry.version = Version{version};
  entry.kind = item::ChangeKind::kModify;
  entry.instant = kNow;
  entry.object = "logs/A000001-" + std::to_string(version) + ".log";
  entry.size = 312;
  entry.sha256 = sha256("body");
  return entry;
}

ShardPage page() {
  return {kArchive, kShard, {7}, sha256("previous"), kNow, {entry(101), entry(102)}};
}

TEST(ShardPage, IsWhatTheDocumentSays) {
  auto one = page();
  one.entries.pop_back();
  EXPECT_EQ(
      encode_page(one),
      R"({"format":"pawl-page/1","archive":"0123456789abcdef","chain":"9f86d081884c7d65-0003","page":7,)"
      R"("previous":")" +
          sha256("previous").to_hex() + R"(","instant":")" + kNow.to_string() +
          R"(","first":101,"last":101,"changes":[{"sequence":101,"key":{"hashid":{"S":"A000001"}},"version":3,)"
          R"("kind":"MODIFY","instant":")" +
          kNow.to_string() + R"(","object":"logs/A000001-3.log","size":312,"sha256":")" +
          sha256("body").to_hex() + R"("}]})");
}

TEST(ShardPage, IsReadBack) {
  auto full = page();
  full.entries[1].renamed = "logs/A000001-0.log";
  full.entries[1].repaired = "old image";
  const auto parsed = parse_page(encode_page(full));
  ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
  EXPECT_EQ(*parsed, full);
}

TEST(ShardPage, HolesAndDisorderAreErrors) {
  auto hole = page();
  hole.entries[1].sequence = {103};
  EXPECT_FALSE(parse_page(encode_page(hole)).ok());
  auto back = page();
  back.entries[1].instant.microseconds -= 1;
  EXPECT_FALSE(parse_page(encode_page(back)).ok());
  const auto good = encode_page(page());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"\"first\":101", "\"first\":100"},
                                                        {"\"last\":102", "\"last\":103"},
                                                        {"\"last\":102", "\"last\":101"},
                                                        {"pawl-page/1", "pawl-page/2"},
                                                        {"\"page\":7", "\"page\":-7"},
                                                        {"MODIFY", "MODIFI"},
                                                        {"-0003", "-003"}}) {
    auto wrong = good;
    wrong.replace(wrong.find(from), from.size(), to);
    EXPECT_FALSE(parse_page(wrong).ok()) << from;
  }
}

PageEntry guarded_entry(std::uint64_t sequence, std::string source) {
  auto one = entry(sequence);
  one.source = std::move(source);
  return one;
}

TEST(GuardedPage, IsWhatTheDocumentSays) {
  auto one = guarded_entry(101, "100000000003498069978");
  one.version.reset();
  one.gap = "99";
  one.renamed = "taken";
  EXPECT_EQ(encode_entry(one),
            R"({"sequence":101,"source":"100000000003498069978","key":{"hashid":{"S":"A000001"}},)"
            R"("kind":"MODIFY","instant":")" +
                kNow.to_string() + R"(","object":"logs/A000001-3.log","size":312,"sha256":")" +
                sha256("body").to_hex() + R"(","gap":"99","renamed":"taken"})");
  EXPECT_THAT(encode_entry(guarded_entry(101, "7")), HasSubstr(R"(}},"version":3,"kind":)"));
}

ShardPage guarded_page(std::vector<PageEntry> entries) {
  return {kArchive, kShard, {7}, sha256("previous"), kNow, std::move(entries)};
}

TEST(GuardedPage, IsReadBack) {
  auto full =
      guarded_page({guarded_entry(1, "9"), guarded_entry(2, "10"), guarded_entry(3, "500")});
  full.entries[0].gap = "";
  full.entries[1].version.reset();
  full.entries[1].instant.microseconds -= 5'000'000;  // the service promises no order
  full.entries[2].gap = "10";
  full.entries[2].version = Version{item::kGuardedVersionMax};
  const auto parsed = parse_page(encode_page(full));
  ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
  EXPECT_EQ(*parsed, full);
}

TEST(GuardedPage, TellsWhoseTheObjectIs) {
  auto full = guarded_page({guarded_entry(1, "9"), guarded_entry(2, "10"), guarded_entry(3, "11")});
  full.entries[0].foreign = true;
  full.entries[0].redelivered = true;
  full.entries[1].missing = true;
  full.entries[1].size = 0;
  full.entries[1].sha256 = {};
  full.entries[2].repaired = "guard check";
  const auto text = encode_page(full);
  EXPECT_THAT(text, HasSubstr(R"(","foreign":true,"redelivered":true},{"sequence":2)"));
  EXPECT_THAT(text, HasSubstr(R"("object":"logs/A000001-3.log","missing":true},{"sequence":3)"));
  const auto parsed = parse_page(text);
  ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
  EXPECT_EQ(*parsed, full);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("foreign":true)", R"("foreign":true,"missing":true)"},
           {R"("foreign":true)", R"("foreign":1)"},
           {R"("foreign":true,)", ""},
           {R"(,"missing":true)", ""}}) {  // then it has neither size nor digest
    auto wrong = text;
    wrong.replace(wrong.find(from), from.size(), to);
    EXPECT_FALSE(parse_page(wrong).ok()) << to;
  }
  for (const auto* more : {R"(,"foreign":true)", R"(,"missing":true)"}) {
    auto plain = encode_page(::pawl::ledger::page());
    plain.insert(plain.rfind("}]"), more);
    EXPECT_FALSE(parse_page(plain).ok()) << more;  // Pawl's own tables have Pawl's objects
  }
}

TEST(GuardedPage, SourcesMustGrow) {
  const auto refused = [](std::string first, std::string second) {
    return !parse_page(encode_page(guarded_page({guarded_entry(101, std::move(first)),
                                                 guarded_entry(102, std::move(second))})))
                .ok();
  };
  EXPECT_FALSE(refused("9", "10"));
  EXPECT_TRUE(refused("10", "9"));
  EXPECT_TRUE(refused("10", "10"));
  EXPECT_TRUE(refused("100000000003498069978", "99999999999999999999"));
}

TEST(GuardedPage, OneSortOfChangeAPage) {
  EXPECT_FALSE(parse_page(encode_page(guarded_page({entry(101), guarded_entry(102, "8")}))).ok());
  EXPECT_FALSE(parse_page(encode_page(guarded_page({guarded_entry(101, "8"), entry(102)}))).ok());
}

TEST(GuardedPage, WrongNumbersGapsAndVersionsAreErrors) {
  auto page = guarded_page({guarded_entry(101, "50"), guarded_entry(102, "60")});
  page.entries[1].gap = "50";
  const auto good = encode_page(page);
  ASSERT_TRUE(parse_page(good).ok());
  const std::string longest(40, '9');
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("source":"60")", R"("source":"060")"},
           {R"("source":"60")", R"("source":"")"},
           {R"("source":"60")", R"("source":60)"},
           {R"("source":"60")", R"("source":"6x")"},
           {R"("source":"60")", R"("source":"9)" + longest + R"(")"},
           {R"("gap":"50")", R"("gap":"")"},    // something was read before
           {R"("gap":"50")", R"("gap":"49")"},  // before the change before it
           {R"("gap":"50")", R"("gap":"60")"},  // not before this one
           {R"("gap":"50")", R"("gap":"050")"},
           {R"("version":3)", R"("version":9007199254740993)"},
           {R"("version":3)", R"("version":"3")"}}) {
    auto wrong = good;
    wrong.replace(wrong.find(from), from.size(), to);
    EXPECT_FALSE(parse_page(wrong).ok()) << to;
  }
  auto plain = encode_page(::pawl::ledger::page());
  plain.replace(plain.find(R"("version":3,)"), 12, "");
  EXPECT_FALSE(parse_page(plain).ok());  // only a guarded change may lack it
  plain = encode_page(::pawl::ledger::page());
  plain.insert(plain.find(R"(}],)") == std::string::npos ? plain.rfind("}]") : 0, R"(,"gap":"1")");
  EXPECT_FALSE(parse_page(plain).ok());
}

TEST(Line, CarriesDigestAndSignature) {
  const auto plain = make_line("{}", nullptr);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->text, sha256("{}").to_hex() + " - {}\n");
  EchoSigner signer;
  const auto line = make_line("{}", &signer);
  const auto parsed = parse_line(line->text);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->digest, sha256("{}"));
  EXPECT_EQ(parsed->signature.size(), 88U);
  EXPECT_EQ(parsed->json, "{}");
}

TEST(Line, AnyChangedByteIsNoticed) {
  const auto line = make_line(encode_page(page()), nullptr)->text;
  ASSERT_TRUE(parse_line(line).ok());
  for (std::size_t i = 0; i < line.size(); ++i) {
    auto wrong = line;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    const auto parsed = parse_line(wrong);
    EXPECT_FALSE(parsed.ok()) << i;
  }
  for (std::size_t size = 0; size < line.size(); ++size)
    EXPECT_FALSE(parse_line(line.substr(0, size)).ok());
}

TEST(RootPage, EveryEventIsReadBack) {
  Parent parent{{0x11},
                {{{{0x11}, 0}, {90}, PageIndex{6}, sha256("fork")}, {{{0x11}, 1}, {}, {}, {}}}};
  const std::vector<RootEvent> events = {
      ArchiveCreated{PublicKey{9, 8, 7}},
      ArchiveCreated{},
      ServerStarted{"00000000000000aa", "pawl 0.1.0", {}},
      ServerStarted{"00000000000000aa", "pawl 0.1.0", PublicKey{4}},
      ServerStopped{"00000000000000aa"},
      TableCreated{kShard.incarnation, "users", R"({"partitions":4})", {kShard}, {}},
      TableCreated{kShard.incarnation, "users", R"({"partitions":4})", {kShard}, parent},
      TableDeleted{
          kShard.incarnation, {{kShard, {103}, 8, sha256("last")}, {{{1}, 1}, {}, 0, {}}}, false},
      TableDeleted{kShard.incarnation, {}, true},
      CounterReset{kShard.incarnation, kShard, {7}, "logs/A-0.log", "logs/A-0.log~x"},
      Checkpoint{{{kShard, {{7}, {103}, sha256("head")}}}},
      TableGuarded{kShard.incarnation, "users", "arn:aws:dynamodb:::table/users",
                   R"({"template":"{key}"})"},
      ShardOpened{kShard.incarnation, {kShard.incarnation, 0x10000}, "arn", "shardId-1", {}, false},
      ShardOpened{kShard.incarnation, kShard, "arn", "shardId-2", ShardId{kShard.incarnation, 1},
                  true},
      ShardClosed{kShard.incarnation, {kShard, {103}, 8, sha256("last")}},
      ShardClosed{kShard.incarnation, {kShard, {}, 0, {}}},
      ShardClosed{kShard.incarnation, {kShard, {103}, 8, sha256("last")}, true},
  };
  for (const auto& event : events) {
    const RootPage root{kArchive, {12}, sha256("previous"), kNow, event};
    const auto parsed = parse_root_page(encode_root_page(root));
    ASSERT_TRUE(parsed.ok()) << encode_root_page(root) << parsed.error().to_string();
    EXPECT_EQ(*parsed, root);
  }
}

TEST(RootPage, ATablesOwnShardsHaveNumbersOfTwoBytes) {
  const auto page = [](std::uint32_t number) {
    const ShardId shard{kShard.incarnation, number};
    return encode_root_page(
        {kArchive, {1}, {}, kNow, TableCreated{kShard.incarnation, "users", "{}", {shard}, {}}});
  };
  EXPECT_TRUE(parse_root_page(page(kEmbeddedShardMax)).ok());
  EXPECT_FALSE(parse_root_page(page(kEmbeddedShardMax + 1)).ok());
}

TEST(RootPage, IsWhatTheDocumentSays) {
  EXPECT_EQ(
      encode_root_page({kArchive, {0}, {}, kNow, ServerStopped{"00000000000000aa"}}),
      R"({"format":"pawl-root/1","archive":"0123456789abcdef","chain":"root","page":0,"previous":")" +
          std::string(64, '0') + R"(","instant":")" + kNow.to_string() +
          R"(","event":{"type":"server-stopped","data":"00000000000000aa"}})");
}

TEST(RootPage, GuardedEventsAreWhatTheDocumentSays) {
  const auto event_of = [](const RootEvent& event) {
    const auto json = encode_root_page({kArchive, {1}, {}, kNow, event});
    return json.substr(json.find(R"("event":)") + 8);
  };
  const Incarnation id = kShard.incarnation;
  EXPECT_EQ(
      event_of(TableGuarded{id, "users", "arn:t", R"({"template":"{key}"})"}),
      R"({"type":"table-guarded","incarnation":"9f86d081884c7d65","table":"users","arn":"arn:t",)"
      R"("definition":{"template":"{key}"}}})");
  EXPECT_EQ(
      event_of(ShardOpened{id, {id, 1}, "arn:s", "shardId-7", ShardId{id, 0}, true}),
      R"({"type":"shard-opened","incarnation":"9f86d081884c7d65","shard":"9f86d081884c7d65-0001",)"
      R"("stream":"arn:s","source":"shardId-7","parent":"9f86d081884c7d65-0000","gap":true}})");
  EXPECT_EQ(
      event_of(ShardOpened{id, {id, 1}, "arn:s", "shardId-7", {}, false}),
      R"({"type":"shard-opened","incarnation":"9f86d081884c7d65","shard":"9f86d081884c7d65-0001",)"
      R"("stream":"arn:s","source":"shardId-7"}})");
  EXPECT_EQ(
      event_of(ShardClosed{id, {{id, 1}, {103}, 8, sha256("last")}}),
      R"({"type":"shard-closed","incarnation":"9f86d081884c7d65","shard":"9f86d081884c7d65-0001",)"
      R"("last":103,"pages":8,"digest":")" +
          sha256("last").to_hex() + R"("}})");
}

TEST(RootPage, AMissingFieldIsAnError) {
  const Incarnation id = kShard.incarnation;
  const std::vector<RootEvent> events = {
      TableCreated{id, "users", R"({"partitions":4})", {kShard}, {}},
      TableDeleted{id, {{kShard, {103}, 8, sha256("last")}}, false},
      TableGuarded{id, "users", "arn", R"({"template":"{key}"})"},
      ShardOpened{id, kShard, "arn", "shardId-1", {}, false},
      ShardClosed{id, {kShard, {103}, 8, sha256("last")}},
  };
  for (const auto& event : events) {
    const auto good = encode_root_page({kArchive, {1}, {}, kNow, event});
    ASSERT_TRUE(parse_root_page(good).ok());
    for (const std::string name : {"incarnation", "table", "arn", "definition", "shards", "shard",
                                   "stream", "source", "last", "pages", "digest"}) {
      auto wrong = good;
      const auto at = wrong.find("\"" + name + "\":", wrong.find("\"type\":"));
      if (at == std::string::npos) continue;
      wrong[at + 1] = '_';
      EXPECT_FALSE(parse_root_page(wrong).ok()) << wrong;
    }
  }
}

TEST(RootPage, GuardedShardsAreOfTheirIncarnation) {
  const Incarnation id = kShard.incarnation;
  const auto good = encode_root_page(
      {kArchive, {1}, {}, kNow, ShardOpened{id, {id, 1}, "arn", "s", ShardId{id, 0}, false}});
  for (const std::string field : {R"("shard":")", R"("parent":")"}) {
    auto wrong = good;
    wrong[wrong.find(field) + field.size()] = '0';
    EXPECT_FALSE(parse_root_page(wrong).ok()) << field;
  }
}

TEST(Tip, IsReadBack) {
  Tip tip{kArchive, kNow, {{12}, {}, sha256("root")}, {}};
  tip.chains[kShard] = {ChainHead{{7}, {103}, sha256("head")}, kNow};
  tip.chains[{kShard.incarnation, 4}] = {};
  const auto parsed = parse_tip(encode_tip(tip));
  ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
  EXPECT_EQ(*parsed, tip);
}

TEST(Chain, EachPageFollowsTheOneBefore) {
  EchoSigner signer;
  ChainEndState written, read;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    const Instant now{kNow.microseconds - static_cast<std::int64_t>(i)};  // the clock goes back
    auto next =
        next_shard_page(written, kArchive, kShard, {encode_entry(entry(i))}, kNow, now, &signer);
    ASSERT_TRUE(next.ok());
    const auto line = parse_line(next->line.text);
    ASSERT_TRUE(line.ok());
    EXPECT_EQ(line->signature.empty(), i != 1);  // the first page of a volume is signed
    const auto parsed = parse_page(line->json);
    ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    EXPECT_GE(parsed->instant, kNow);
    ASSERT_TRUE(follow(read, *parsed, line->digest).ok());
    EXPECT_FALSE(follow(read, *parsed, line->digest).ok());
    written = next->after;
    EXPECT_EQ(written.digest, read.digest);
    EXPECT_EQ(written.last.value, i);
  }
}

TEST(Chain, AFullVolumeIsFollowedByASignedPageInANewOne) {
  EchoSigner signer;
  ChainEndState end{9, sha256("x"), kNow, {100}, kVolumeBytesMax};
  const auto next =
      next_shard_page(end, kArchive, kShard, {encode_entry(entry(101))}, kNow, kNow, &signer);
  ASSERT_TRUE(next.ok());
  EXPECT_TRUE(next->new_volume);
  EXPECT_EQ(signer.count, 1);
  EXPECT_EQ(next->after.volume_bytes, next->line.text.size());
  end.volume_bytes = kVolumeBytesMax - 1;
  EXPECT_FALSE(
      next_shard_page(end, kArchive, kShard, {encode_entry(entry(101))}, kNow, kNow, &signer)
          ->new_volume);
}

}  // namespace
}  // namespace pawl::ledger

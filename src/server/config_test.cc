#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "adapter/temporary_directory.h"
#include "archive/object_naming.h"

namespace pawl::server {
namespace {

using ::testing::HasSubstr;

Result<ServerConfig> config_of(const std::string& text) {
  const TemporaryDirectory directory;
  const std::string path = directory / "pawl.toml";
  std::ofstream(path, std::ios::binary) << text;
  return load_config(path);
}

// Why `text` is refused; a test that expects a refusal fails on "accepted".
std::string refusal(const std::string& text) {
  const auto config = config_of(text);
  if (config.ok()) return "accepted";
  EXPECT_EQ(config.error().code, ErrorCode::kInvalid);
  return config.error().to_string();
}

TEST(Config, TheRetentionOfStreamsIsReadAndBounded) {
  const auto retention = [](const std::string& text) {
    const auto config = config_of("[server]\nstream_retention = " + text + "\n");
    return config.ok() ? config->stream_retention.count() / 1'000'000 : -1;
  };
  EXPECT_EQ(ServerConfig{}.stream_retention, std::chrono::hours(24));
  EXPECT_EQ(retention("\"24h\""), 86'400);
  EXPECT_EQ(retention("\"90m\""), 5'400);
  EXPECT_EQ(retention("\"1s\""), 1);
  EXPECT_EQ(retention("\"168h\""), 604'800);
  for (const auto* const wrong :
       {"\"169h\"", "\"999ms\"", "\"24\"", "\"\"", "24", "\"1d\"", "\"-1h\""}) {
    EXPECT_EQ(retention(wrong), -1) << wrong;
  }
}

TEST(Config, AnEmptyFileIsTheDefaults) {
  const auto config = config_of("");
  ASSERT_TRUE(config.ok()) << config.error().to_string();
  EXPECT_EQ(config->host, "127.0.0.1");
  EXPECT_EQ(config->port, 8000);
  EXPECT_EQ(config->data, "./pawl-data");
  EXPECT_EQ(config->archive_path(), "./pawl-data/archive");
  EXPECT_EQ(config->reserve.bytes, 256ULL << 20);
  EXPECT_TRUE(config->access_keys.empty());
  EXPECT_TRUE(check_config(*config).ok());
}

TEST(Config, EverySettingIsRead) {
  const auto config = config_of(R"(
[server]
listen = "[::1]:8123"
data = "/srv/pawl"
archive = "dir:/mnt/archive"
reserve_bytes = 1
reserve_inodes = 9223372036854775807

[tables.users]
record = false
names = "logs/{hashid}-{_version}.log"
partitions = 1024

[tables."with.a-dot_9"]

[[access_key]]
id = "reader"
secret = "s3cret"
[[access_key]]
id = "writer"
secret = "other"
)");
  ASSERT_TRUE(config.ok()) << config.error().to_string();
  EXPECT_EQ(config->host, "::1");
  EXPECT_EQ(config->port, 8123);
  EXPECT_EQ(config->data, "/srv/pawl");
  EXPECT_EQ(config->archive_path(), "/mnt/archive");
  EXPECT_EQ(config->reserve.bytes, 1U);
  EXPECT_EQ(config->reserve.inodes, 9223372036854775807U);
  EXPECT_FALSE(config->table("users").record);
  EXPECT_EQ(config->table("users").names, "logs/{hashid}-{_version}.log");
  EXPECT_EQ(config->table("users").partitions, 1024);
  ASSERT_EQ(config->access_keys.size(), 2U);
  EXPECT_EQ(config->access_keys[1].id, "writer");
  EXPECT_EQ(config->access_keys[1].secret, "other");
}

TEST(Config, ATableWithoutSettingsGetsTheDefaults) {
  const auto config = config_of("[tables.users]\nrecord = false\n");
  ASSERT_TRUE(config.ok());
  for (const auto* const name : {"other", "Users", ""}) {
    EXPECT_TRUE(config->table(name).record) << name;
    EXPECT_EQ(config->table(name).names, archive::kDefaultTemplate) << name;
    EXPECT_EQ(config->table(name).partitions, table::kPartitionsDefault) << name;
  }
  EXPECT_EQ(config->table("users").names, archive::kDefaultTemplate);
}

constexpr const char* kExpect =
    "[tables.users]\nexpect = { bucket = \"history\", name = \"logs/{id}-{v}.log\" }\n";

TEST(Config, AnExpectationReplacesTheArchiver) {
  const auto config = config_of(kExpect);
  ASSERT_TRUE(config.ok()) << config.error().to_string();
  const auto users = config->table("users");
  EXPECT_FALSE(users.record);
  ASSERT_TRUE(users.expect);
  EXPECT_EQ(users.expect->bucket, "history");
  EXPECT_EQ(users.expect->names, "logs/{id}-{v}.log");
  EXPECT_EQ(users.expect->deadline, std::chrono::seconds(60));
  EXPECT_TRUE(users.expect->writes);
  EXPECT_FALSE(users.expect->version_attribute);
  EXPECT_EQ(config->expectations().size(), 1U);
  EXPECT_FALSE(config->table("other").expect);
  const auto full = config_of(
      "[tables.users]\nrecord = \"both\"\n[tables.users.expect]\nbucket = \"history\"\n"
      "name = \"{v}\"\ndeadline = \"5m\"\non_missing = \"alert\"\nversion_attribute = \"n\"\n");
  ASSERT_TRUE(full.ok()) << full.error().to_string();
  EXPECT_TRUE(full->table("users").record);
  EXPECT_EQ(full->table("users").expect->deadline, std::chrono::minutes(5));
  EXPECT_FALSE(full->table("users").expect->writes);
  EXPECT_EQ(full->table("users").expect->version_attribute, "n");
}

TEST(Config, WhoRecordsATableIsSaidOnce) {
  const auto record = [](const std::string& value, bool expects) {
    const auto config = config_of((expects ? kExpect : std::string("[tables.users]\n")) +
                                  "record = " + value + "\n");
    return !config.ok() ? config.error().message : config->table("users").record ? "yes" : "no";
  };
  EXPECT_EQ(record("true", false), "yes");
  EXPECT_EQ(record("\"archive\"", false), "yes");
  EXPECT_EQ(record("false", false), "no");
  EXPECT_EQ(record("false", true), "no");
  EXPECT_EQ(record("\"expectation\"", true), "no");
  EXPECT_EQ(record("\"both\"", true), "yes");
  EXPECT_THAT(record("true", true), HasSubstr("\"expectation\" (alone) or \"both\""));
  EXPECT_THAT(record("\"archive\"", true), HasSubstr("write \"both\""));
  EXPECT_THAT(record("\"both\"", false), HasSubstr("there is no expect"));
  EXPECT_THAT(record("\"none\"", true), HasSubstr("must be true, false, \"archive\""));
  EXPECT_THAT(record("1", true), HasSubstr("wrong type"));
}

TEST(Config, AnExpectationThatCantBeIsRefused) {
  const auto expect = [](const std::string& inner) {
    return refusal("[tables.users]\nexpect = { " + inner + " }\n");
  };
  const std::string good = "bucket = \"history\", name = \"{v}\", ";
  EXPECT_THAT(expect(""), HasSubstr("tables.users.expect.bucket must be a bucket's name"));
  EXPECT_THAT(expect("bucket = \"History\""), HasSubstr("expect.bucket must be"));
  EXPECT_THAT(expect("bucket = \"history\""), HasSubstr("expect.name"));
  EXPECT_THAT(expect("bucket = \"history\", name = \"all\""), HasSubstr("has no braces"));
  EXPECT_THAT(expect(good + "deadline = \"500ms\""), HasSubstr("\"1s\" to \"24h\""));
  EXPECT_THAT(expect(good + "deadline = 60"), HasSubstr("wrong type"));
  EXPECT_THAT(expect(good + "on_missing = \"cry\""), HasSubstr("\"write\""));
  EXPECT_THAT(expect(good + "version_attribute = \"\""), HasSubstr("must not be empty"));
  EXPECT_THAT(expect(good + "dead_line = \"1s\""), HasSubstr("is no setting"));
  EXPECT_THAT(refusal("[tables.users]\nexpect = \"history\"\n"), HasSubstr("wrong type"));
  const auto archive =
      config_of("[tables.users]\nexpect = { bucket = \"archive\", name = \"{v}\" }\n");
  ASSERT_TRUE(archive.ok());
  EXPECT_THAT(check_config(*archive).error().to_string(), HasSubstr("name another bucket"));
}

TEST(Config, AnUnknownSettingIsNamedWithItsLine) {
  EXPECT_THAT(refusal("\nport = 1"), HasSubstr("line 2: port is no setting"));
  EXPECT_THAT(refusal("[server]\nlisten_at = \"x\""), HasSubstr("line 2: server.listen_at"));
  EXPECT_THAT(refusal("[tables.users]\nrecords = true"), HasSubstr("tables.users.records"));
  EXPECT_THAT(refusal("[[access_key]]\nid = \"a\"\nsecret = \"b\"\nrole = \"c\""),
              HasSubstr("access_key.role"));
  EXPECT_THAT(refusal("[table.users]"), HasSubstr("table is no setting"));
}

TEST(Config, TheArchivesBucket) {
  const auto bucket = [](const std::string& text) {
    return config_of("[server]\narchive_bucket = " + text + "\n")->archive_bucket;
  };
  EXPECT_EQ(config_of("")->archive_bucket, "archive");
  EXPECT_EQ(bucket("\"history\""), "history");
  EXPECT_EQ(bucket("\"\""), "");
  for (const auto* const name : {"ab", "Upper", "status", "a_b", "a/b"}) {
    EXPECT_THAT(refusal(std::string("[server]\narchive_bucket = \"") + name + "\""),
                HasSubstr("line 2: server.archive_bucket must be a bucket's name"))
        << name;
  }
}

TEST(Config, InsertOnlyTables) {
  const auto config = config_of(
      "[tables.visits]\nwrites = \"insert-only\"\n[tables.users]\nwrites = "
      "\"all\"\n[tables.other]\n");
  ASSERT_TRUE(config.ok()) << config.error().to_string();
  EXPECT_EQ(config->insert_only(), std::set<std::string>{"visits"});
  EXPECT_THAT(refusal("[tables.users]\nwrites = \"none\""),
              HasSubstr("line 2: tables.users.writes must be \"all\" or \"insert-only\""));
}

TEST(Config, AWrongTypeIsRefused) {
  for (const auto* const text :
       {"[server]\nlisten = 8000", "[server]\ndata = [\"a\"]", "[server]\narchive = true",
        "[server]\nreserve_bytes = \"1\"", "[server]\nreserve_inodes = 1.0",
        "[tables.users]\nrecord = 1", "[tables.users]\nnames = {}",
        "[tables.users]\npartitions = 4.0", "[tables.users]\npartitions = 2026-11-22",
        "[[access_key]]\nid = 1\nsecret = \"b\""}) {
    EXPECT_THAT(refusal(text), HasSubstr("line 2: ")) << text;
    EXPECT_THAT(refusal(text), HasSubstr("has the wrong type")) << text;
  }
}

// A part of another shape must not pass for one that is missing: its settings would be lost without a word.
TEST(Config, APartOfAnotherShapeIsRefused) {
  for (const auto* const text :
       {"server = 3", "[[server]]", "server = \"127.0.0.1:8000\"", "tables = 3", "[[tables]]",
        "[tables]\nusers = true", "tables = []", "access_key = \"a\"", "access_key = [1]",
        "[access_key]\nid = \"a\"\nsecret = \"b\"",
        "access_key = [{id = \"a\", secret = \"b\"}, 3]"}) {
    EXPECT_THAT(refusal(text), HasSubstr("must ")) << text;
  }
}

TEST(Config, ANumberOutOfRangeIsRefused) {
  for (const auto* const number : {"0", "-1", "1025", "65536", "65537", "4294967297",
                                   "-9223372036854775808", "9223372036854775807"}) {
    EXPECT_THAT(refusal(std::string("[tables.users]\npartitions = ") + number),
                HasSubstr("tables.users.partitions must be 1 to 1024"))
        << number;
  }
  EXPECT_THAT(refusal("[server]\nreserve_bytes = -1"), HasSubstr("reserve_bytes must be 0 to"));
  EXPECT_NE(refusal("[server]\nreserve_bytes = 9223372036854775808"), "accepted");
}

TEST(Config, ANameThatNoTableCanHaveIsRefused) {
  const auto named = [](const std::string& name) { return "[tables.\"" + name + "\"]"; };
  for (const auto& name :
       {std::string("ab"), std::string(), std::string("a/b/c"), std::string("t\xc3\xa4gel"),
        std::string(256, 'a'), std::string("a b c")}) {
    EXPECT_THAT(refusal(named(name)), HasSubstr("no table can have the name")) << name;
  }
  EXPECT_TRUE(config_of(named("abc")).ok());
  EXPECT_TRUE(config_of(named(std::string(255, 'a'))).ok());
  // Without quotes the dot makes a section of a section.
  EXPECT_NE(refusal("[tables.with.dot]\nrecord = true"), "accepted");
}

TEST(Config, ABadNameTemplateIsRefusedWithItsReason) {
  for (const auto* const names : {"../{key}", "{", "{key", "/{key}", "{nosuch", "a//{key}"}) {
    EXPECT_THAT(refusal(std::string("[tables.users]\nnames = \"") + names + "\""),
                HasSubstr("tables.users.names "))
        << names;
  }
}

TEST(Config, AnAccessKeyIsWholeAndItsOwn) {
  for (const auto* const text :
       {"[[access_key]]", "[[access_key]]\nid = \"a\"", "[[access_key]]\nsecret = \"b\"",
        "[[access_key]]\nid = \"\"\nsecret = \"b\"", "[[access_key]]\nid = \"a\"\nsecret = \"\""}) {
    EXPECT_THAT(refusal(text), HasSubstr("needs an id and a secret")) << text;
  }
  EXPECT_THAT(refusal("[[access_key]]\nid = \"a\"\nsecret = \"b\"\n"
                      "[[access_key]]\nid = \"a\"\nsecret = \"c\""),
              HasSubstr("line 5: access_key.id is the id of another"));
}

TEST(Config, AnEmptyPathOrOneWithANulIsRefused) {
  for (const auto* const key : {"listen", "data", "archive"}) {
    EXPECT_THAT(refusal(std::string("[server]\n") + key + " = \"\""),
                HasSubstr(std::string("server.") + key + " must not be empty"));
    EXPECT_THAT(refusal(std::string("[server]\n") + key + " = \"a\\u0000b:1\""),
                HasSubstr("must not contain a NUL"));
  }
}

TEST(Config, WhatIsNoTomlIsRefusedWithItsLine) {
  for (const auto& text :
       {std::string("[server"), std::string("[server]\n[server]"), std::string("a = "),
        std::string("[server]\ndata = \"a\"\ndata = \"b\""), std::string("\xff\xfe"),
        std::string("a = \"\0\"", 7), std::string("[tables.users]\nrecord = yes")}) {
    EXPECT_THAT(refusal(text), HasSubstr("line ")) << text;
  }
}

TEST(Config, DepthAndSizeAreBounded) {
  EXPECT_NE(refusal("a = " + std::string(100'000, '[')), "accepted");
  std::string inline_tables = "a = ";
  for (int i = 0; i < 100'000; ++i) inline_tables += "{a=";
  EXPECT_NE(refusal(inline_tables), "accepted");
  std::string dotted = "[a";
  for (int i = 0; i < 100'000; ++i) dotted += ".a";
  EXPECT_THAT(refusal(dotted + "]"), HasSubstr("too many dots"));
  const std::string many_dots(100, '.');
  EXPECT_TRUE(config_of("[server] # " + many_dots + "\ndata = \"" + many_dots + "\"\n").ok());
  const auto large = config_of("#" + std::string(1 << 20, 'x'));
  ASSERT_FALSE(large.ok());
  EXPECT_THAT(large.error().to_string(), HasSubstr("at most 1 MiB"));
  EXPECT_TRUE(config_of("#" + std::string((1 << 20) - 1, 'x')).ok());
}

TEST(Config, AFileThatCanNotBeReadIsNamed) {
  const TemporaryDirectory directory;
  for (const std::string& path : {directory / "absent.toml", directory.path()}) {
    const auto config = load_config(path);
    ASSERT_FALSE(config.ok()) << path;
    EXPECT_EQ(config.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(config.error().message, HasSubstr(path));
  }
}

TEST(Config, ListenIsHostAndPort) {
  ServerConfig config;
  for (const auto* const bad :
       {"", "8000", ":8000", "localhost", "localhost:", "localhost:x", "a:1x", "a:65536", "a:-1",
        "a:+1", "a: 1", "a:99999999999999999999"}) {
    EXPECT_FALSE(set_listen(config, bad).ok()) << bad;
    EXPECT_EQ(config.host, "127.0.0.1") << bad;
    EXPECT_EQ(config.port, 8000) << bad;
  }
  ASSERT_TRUE(set_listen(config, "localhost:0").ok());
  EXPECT_EQ(config.host, "localhost");
  EXPECT_EQ(config.port, 0);
  ASSERT_TRUE(set_listen(config, "0.0.0.0:65535").ok());
  EXPECT_EQ(config.port, 65535);
}

TEST(Config, AnArchiveIsAFolder) {
  ServerConfig config;
  for (const auto* const bad : {"", "dir:", "https://example.org/a"})
    EXPECT_FALSE(set_archive(config, bad).ok()) << bad;
  ASSERT_TRUE(set_archive(config, "dir:/a").ok());
  EXPECT_EQ(config.archive_path(), "/a");
  ASSERT_TRUE(set_archive(config, "b").ok());
  EXPECT_EQ(config.archive_path(), "b");
}

TEST(Config, AnotherAddressThanLoopbackDemandsKeys) {
  for (const auto* const host : {"0.0.0.0", "::", "192.0.2.1", "example.org", "", "128.0.0.1"}) {
    ServerConfig config;
    config.host = host;
    EXPECT_FALSE(check_config(config).ok()) << host;
    config.access_keys.push_back({"a", "b"});
    EXPECT_TRUE(check_config(config).ok()) << host;
  }
  for (const auto* const host : {"localhost", "::1", "127.0.0.1", "127.1.2.3"}) {
    ServerConfig config;
    config.host = host;
    EXPECT_TRUE(check_config(config).ok()) << host;
  }
}

TEST(Config, PageIntervalsAreOfTablesAndHaveAUnit) {
  const auto config = config_of(
      "[tables.users]\npage_interval = \"250ms\"\n[tables.orders]\npage_interval = \"60s\"\n"
      "[tables.visits]\npage_interval = \"0s\"\n[tables.other]\n");
  ASSERT_TRUE(config.ok()) << config.error().to_string();
  EXPECT_EQ(config->page_intervals(), (PageIntervals{{"users", std::chrono::milliseconds(250)},
                                                     {"orders", std::chrono::seconds(60)},
                                                     {"visits", Duration{0}}}));
  for (const char* const value :
       {"\"61s\"", "\"60001ms\"", "\"\"", "\"s\"", "\"1\"", "\"1 s\"", "\"1m\"", "\"-1s\"",
        "\"0.5s\"", "\"99999999999s\"", "\"4294967295s\""}) {
    EXPECT_THAT(
        refusal(std::string("[tables.users]\npage_interval = ") + value + "\n"),
        HasSubstr("line 2: tables.users.page_interval must be written as \"250ms\" or \"2s\""))
        << value;
  }
  EXPECT_THAT(refusal("[tables.users]\npage_interval = 1000\n"),
              HasSubstr("page_interval has the wrong type"));
}

}  // namespace
}  // namespace pawl::server

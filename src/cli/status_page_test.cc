#include "cli/status_page.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>

#include "cli/terminal.h"

namespace pawl::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Plain text, also where the tests themselves run on a terminal.
class StatusPageTest : public ::testing::Test {
 protected:
  StatusPageTest() { ::setenv("NO_COLOR", "1", 1); }
};

constexpr std::string_view kUsers = "00000000000000a1";

std::string table(std::string_view name, std::string_view incarnation, std::string_view more) {
  return std::string(R"({"table":")") + std::string(name) + R"(","incarnation":")" +
         std::string(incarnation) + R"(","names":"x","partitions":2,"bytes":9,)" +
         std::string(more) + "}";
}

std::string shard(std::string_view incarnation, int number, std::string_view state,
                  std::string_view more = "") {
  return std::string(R"({"shard":")") + std::string(incarnation) + "-000" + std::to_string(number) +
         R"(","table":"users","state":")" + std::string(state) +
         R"(","committed":1000,"archived":990,"lag":10)" + std::string(more) + "}";
}

std::string document(std::string_view tables, std::string_view shards, std::string_view alarms = "",
                     std::string_view writes = "taken", int stalled = 0) {
  return std::string(R"({"schema":"pawl-status/1","software":"pawl 0.1.0","profile":"pawl",)") +
         R"("endpoint":"http://127.0.0.1:8000","data":"./d","archive":"./a",)"
         R"("now":"2026-11-22T18:00:00Z","writes":")" +
         std::string(writes) + R"(","lag":20,"stalled_shards":)" + std::to_string(stalled) +
         R"(,"tables":[)" + std::string(tables) + R"(],"shards":[)" + std::string(shards) +
         R"(],"alarms":[)" + std::string(alarms) + "]}";
}

StatusPage page_of(const std::string& json) {
  auto page = parse_status(json);
  EXPECT_TRUE(page.ok()) << page.error().to_string();
  return page.ok() ? *page : StatusPage{};
}

TEST_F(StatusPageTest, AQuietServerIsWell) {
  const auto page = page_of(document("", ""));
  EXPECT_TRUE(page.is_well());
  EXPECT_EQ(to_text(page),
            "pawl 0.1.0 · profile pawl · 2026-11-22T18:00:00Z\n"
            "  endpoint  http://127.0.0.1:8000\n"
            "  data      ./d\n"
            "  archive   dir:./a\n"
            "  writes    taken\n"
            "No tables yet.\n"
            "All is well.\n");
}

TEST_F(StatusPageTest, ATableAddsUpItsShardsAndIsAsWellAsItsWorst) {
  const auto page = page_of(document(table("users", kUsers, R"("recorded":true,"items":1234567)"),
                                     shard(kUsers, 0, "lagging", R"(,"oldest_age_ms":2500)") + "," +
                                         shard(kUsers, 1, "idle", R"(,"oldest_age_ms":100)")));
  ASSERT_EQ(page.tables.size(), 1U);
  EXPECT_EQ(page.tables[0].committed, 2000U);
  EXPECT_EQ(page.tables[0].archived, 1980U);
  EXPECT_EQ(page.tables[0].lag, 20U);
  EXPECT_EQ(page.tables[0].state, "lagging");
  const auto text = to_text(page);
  EXPECT_THAT(text, HasSubstr("users     1,234,567           2,000           1,980          20  "
                              "lagging, the oldest waits since 2.5 s\n"));
  EXPECT_THAT(text, HasSubstr("lagging: shard 00000000000000a1-0000 of users\n"));
  EXPECT_THAT(text, Not(HasSubstr("00000000000000a1-0001"))) << "a shard that is well has no line";
}

TEST_F(StatusPageTest, TheOrderOfShardsDoesNotChangeTheState) {
  const auto is_stalled = [](const std::string& shards) {
    const auto page =
        page_of(document(table("users", kUsers, R"("items":1)"), shards, "", "taken", 1));
    return page.tables[0].state == "stalled" && !page.is_well();
  };
  const auto bad = shard(kUsers, 0, "stalled");
  const auto good = shard(kUsers, 1, "flowing");
  EXPECT_TRUE(is_stalled(bad + "," + good));
  EXPECT_TRUE(is_stalled(good + "," + bad));
}

TEST_F(StatusPageTest, AStalledShardSaysWhereWhyAndSinceWhen) {
  const auto page = page_of(document(
      table("users", kUsers, R"("items":1)"),
      shard(kUsers, 0, "stalled",
            R"(,"where":"archive","why":"it is read-only","stalled_since":"2026-11-22T17:00:00Z")"),
      "", "taken", 1));
  EXPECT_FALSE(page.is_well());
  const auto text = to_text(page);
  EXPECT_THAT(text, HasSubstr("stalled: shard 00000000000000a1-0000 of users, at archive, since "
                              "2026-11-22T17:00:00Z: it is read-only\n"));
  EXPECT_THAT(text, Not(HasSubstr("All is well")));
}

TEST_F(StatusPageTest, ADeletedTablesShardsAreStillShown) {
  const auto page = page_of(document("", shard("00000000000000b2", 0, "flowing")));
  ASSERT_EQ(page.tables.size(), 1U);
  EXPECT_TRUE(page.tables[0].deleted);
  EXPECT_THAT(to_text(page), HasSubstr("flowing, deleted\n"));
}

TEST_F(StatusPageTest, ATableThatIsNotRecordedSaysSo) {
  const auto text =
      to_text(page_of(document(table("users", kUsers, R"("recorded":false,"items":3)"), "")));
  EXPECT_THAT(text, HasSubstr("not recorded\n"));
  EXPECT_THAT(text, HasSubstr("users             3               -               -           -  "));
}

TEST_F(StatusPageTest, AnExpectationIsALine) {
  const auto text_of = [](const std::string& more) {
    auto json = document("", "");
    json.insert(json.size() - 1,
                R"(,"expectations":[{"table":"users","bucket":"history","state":"flowing",)"
                R"("entered":9,"found":1204,"redelivered":2,"written":1,)" +
                    more + "}]");
    return to_text(page_of(json));
  };
  EXPECT_THAT(
      text_of(R"("incarnation":"a1","late":0,"asked_again":0,"missing":0,"lag":0,"awaited":0)"),
      HasSubstr("expected of users in s3://history: flowing, 1,204 found, lag 0\n"));
  EXPECT_THAT(
      text_of(R"("incarnation":"a1","late":3,"asked_again":3,"missing":1,"lag":7,"awaited":5,)"
              R"("oldest_age_ms":2500,"function_why":"it threw")"),
      HasSubstr("flowing, 1,204 found (3 late), 3 asked again (2 came then), 1 written by Pawl, "
                "lag 7 (5 awaited), the oldest since 2.5 s; it threw\n"));
  EXPECT_THAT(text_of(R"("late":0,"asked_again":0,"missing":0,"lag":0,"awaited":0)"),
              HasSubstr("expected of users in s3://history: there is no such table yet\n"));
}

TEST_F(StatusPageTest, AlarmsAndRefusedWritesAreNotWell) {
  const auto page =
      page_of(document("", "",
                       R"({"kind":"no-room","subject":"./d","text":"the disk is full",)"
                       R"("since":"2026-11-22T17:00:00Z"},)"
                       R"({"kind":"needs-adopt","subject":"","text":"older data"})",
                       "refused"));
  EXPECT_FALSE(page.is_well());
  const auto text = to_text(page);
  EXPECT_THAT(text, HasSubstr("  writes    REFUSED\n"));
  EXPECT_THAT(text,
              HasSubstr("ALARM no-room: the disk is full (./d), since 2026-11-22T17:00:00Z\n"));
  EXPECT_THAT(text, HasSubstr("ALARM needs-adopt: older data\n"));
  EXPECT_THAT(text, Not(HasSubstr("All is well")));
}

// Every text of a hostile server: what it sends must not command the terminal.
TEST_F(StatusPageTest, ControlCharactersOfTheServerAreNotPrinted) {
  const std::string evil = R"(e\u001b[2J\u009b1m\u0007\n\u007fé…z)";
  const auto page =
      page_of(document(table(evil, kUsers, R"("items":1)"),
                       R"({"shard":")" + evil + R"(","table":")" + evil + R"(","state":")" + evil +
                           R"(","committed":1,"archived":0,"lag":1,"where":")" + evil +
                           R"(","why":")" + evil + R"(","stalled_since":")" + evil + R"("})",
                       R"({"kind":")" + evil + R"(","subject":")" + evil + R"(","text":")" + evil +
                           R"(","since":")" + evil + R"("})"));
  auto text = to_text(page);
  EXPECT_THAT(text, HasSubstr("e?[2J?1m???é…z"));
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
  std::erase(text, '\n');
  EXPECT_EQ(printable(text), text);
}

TEST_F(StatusPageTest, AnythingElseIsRefused) {
  const auto good = document(table("users", kUsers, R"("items":1)"), shard(kUsers, 0, "idle"));
  ASSERT_TRUE(parse_status(good).ok());
  const auto with = [&good](std::string_view from, std::string_view to) {
    auto text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const auto& text :
       {std::string(), std::string("{}"), std::string("[]"), std::string("null"),
        std::string("<html>"), good.substr(0, good.size() - 1), good + "x",
        with("pawl-status/1", "pawl-status/2"), with(R"("lag":20)", R"("lag":-1)"),
        with(R"("lag":20)", R"("lag":"20")"), with(R"("lag":20)", R"("lag":1.5)"),
        with(R"("tables":[)", R"("tables":[3,)"), with(R"("shards":[)", R"("shards":[null,)"),
        with(R"("alarms":[)", R"("alarms":[{})"), with(R"("committed":1000)", R"("committed":[])"),
        with(R"("now":)", R"("then":)"), with("pawl 0.1.0", "\xff"), std::string(100'000, '[')}) {
    const auto page = parse_status(text);
    ASSERT_FALSE(page.ok()) << text;
    EXPECT_EQ(page.error().code, ErrorCode::kCorrupt) << text;
  }
}

// Standard output on a terminal of its own, and the environment that says what terminals may do, while it lives.
class OnTerminal {
 public:
  explicit OnTerminal(const char* term) : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    EXPECT_EQ(::grantpt(master_), 0);
    EXPECT_EQ(::unlockpt(master_), 0);
    const int terminal = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    EXPECT_GE(terminal, 0);
    std::fflush(stdout);
    before_ = ::dup(STDOUT_FILENO);
    ::dup2(terminal, STDOUT_FILENO);
    ::close(terminal);
    ::unsetenv("NO_COLOR");
    ::setenv("TERM", term, 1);
  }
  ~OnTerminal() {
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
    ::close(master_);
    ::setenv("NO_COLOR", "1", 1);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

 private:
  int master_;
  int before_ = -1;
};

std::string shown(const StatusPage& page, const char* term, const char* no_color) {
  const OnTerminal terminal(term);
  if (no_color != nullptr) ::setenv("NO_COLOR", no_color, 1);
  return to_text(page);
}

TEST_F(StatusPageTest, ColourIsForTerminalsThatMayHaveIt) {
  const auto page =
      page_of(document(table("users", kUsers, R"("items":1)"), shard(kUsers, 0, "idle")));
  const auto coloured_text = shown(page, "xterm", nullptr);
  EXPECT_THAT(coloured_text, HasSubstr("\x1b[32mtaken\x1b[0m"));
  EXPECT_EQ(shown(page, "xterm", ""), coloured_text) << "an empty NO_COLOR says nothing";
  for (const auto& text : {shown(page, "dumb", nullptr), shown(page, "xterm", "1")})
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST_F(StatusPageTest, NoColourWhereOutputIsNoTerminal) {
  std::fflush(stdout);
  const int before = ::dup(STDOUT_FILENO);
  const int null = ::open("/dev/null", O_WRONLY);
  ASSERT_GE(null, 0);
  ::dup2(null, STDOUT_FILENO);
  ::close(null);
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "xterm", 1);
  const auto text = to_text(page_of(document("", "")));
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(Terminal, NumbersAndSizesAreForPeople) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(18446744073709551615ULL), "18,446,744,073,709,551,615");
  EXPECT_EQ(sized(999), "999 bytes");
  EXPECT_EQ(sized(1000), "1.0 kB");
  EXPECT_EQ(sized(1'234'567), "1.2 MB");
  EXPECT_EQ(sized(18446744073709551615ULL), "18446.7 PB");
}

TEST(Terminal, PrintableKeepsUtf8AndLosesControls) {
  EXPECT_EQ(printable("häßlich 日本 🙂"), "häßlich 日本 🙂");
  EXPECT_EQ(printable(std::string_view("a\0b\x1f\x7f", 5)), "a?b??");
  EXPECT_EQ(printable("\xc2\x80\xc2\x9f\xc2\xa0"), "??\xc2\xa0");
  EXPECT_EQ(printable("\xc2"), "\xc2") << "a cut-off character is left as it is";
}

}  // namespace
}  // namespace pawl::cli

// `pawl demo`: the main job in front of the reader, on a server of its own, over the same API and files as anybody's.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <thread>

#include "adapter/directory_archive_view.h"
#include "adapter/ed25519_check.h"
#include "audit/verifier.h"
#include "cli/commands.h"
#include "cli/demo_client.h"
#include "cli/stop_signals.h"
#include "cli/terminal.h"
#include "server/server.h"

namespace pawl::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kUsers = 300;
constexpr int kRemoved = 20;
constexpr std::chrono::seconds kArchiveTimeout{30};
const std::string kHero = "A000001";

struct DemoArguments {
  std::string data;
  std::string listen = "127.0.0.1:8000";
  bool exit = false;
};

void headline(int step, std::string_view text) {
  fmt::print("\n{}\n", coloured(Colour::kBold, fmt::format("{}. {}", step, text)));
  std::fflush(stdout);
}

template <typename... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  fmt::print("   {}\n", fmt::format(format, std::forward<Args>(args)...));
  std::fflush(stdout);
}

// What takes the place of the archive's folder of temporaries while it is blocked: nothing can be put any more.
class Blockade {
 public:
  explicit Blockade(const std::string& archive)
      : place_(archive + "/.pawl/tmp"), aside_(archive + "/.pawl/tmp.away") {}
  ~Blockade() { (void)lift(); }
  Blockade(const Blockade&) = delete;
  Blockade& operator=(const Blockade&) = delete;

  Status put_up() {
    std::error_code error;
    fs::rename(place_, aside_, error);
    if (error)
      return Error{ErrorCode::kUnavailable, "can't block the archive: " + error.message(), ""};
    up_ = true;
    std::FILE* const file = std::fopen(place_.c_str(), "wx");
    if (file == nullptr)
      return Error{ErrorCode::kUnavailable, "can't block the archive: " + place_, ""};
    std::fclose(file);
    return ok();
  }
  Status lift() {
    if (!up_) return ok();
    std::error_code error;
    fs::remove(place_, error);
    if (!error) fs::rename(aside_, place_, error);
    if (error)
      return Error{ErrorCode::kUnavailable, "can't unblock the archive: " + error.message(), ""};
    up_ = false;
    return ok();
  }

 private:
  std::string place_;
  std::string aside_;
  bool up_ = false;
};

std::string user(int number) { return fmt::format("A{:06}", number); }

class Demo {
 public:
  Demo(server::Server& server, std::string archive)
      : endpoint_(server.endpoint()), archive_(std::move(archive)), client_(endpoint_) {}

  // Whether the verdict at the end is "sound".
  Result<bool> run() {
    PAWL_TRY(fill_table());
    PAWL_TRY(show_incident());
    return prove();
  }

 private:
  Status fill_table() {
    headline(1, "A table, whose every version becomes one object");
    PAWL_TRY(client_.create_table());
    say("table users, key hashid, objects named logs/{{hashid}}-{{_version}}.log");
    PAWL_TRY(client_.add_user(kHero));
    ProgressLine progress;
    for (int number = 2; number <= kUsers; ++number) {
      PAWL_TRY(client_.add_user(user(number)));
      progress.show("registering users", static_cast<std::uint64_t>(number), kUsers);
    }
    for (int number = 2; number <= kUsers; ++number) {
      PAWL_TRY(client_.count_up(user(number)));
      progress.show("counting them up", static_cast<std::uint64_t>(number), kUsers);
    }
    for (int number = kUsers - kRemoved + 1; number <= kUsers; ++number) {
      PAWL_TRY(client_.remove_user(user(number)));
      PAWL_TRY(client_.add_user(user(number)));
    }
    PAWL_TRY(client_.count_up(kHero));
    PAWL_TRY(client_.count_up(kHero));
    progress.erase();
    PAWL_TRY(client_.wait_archived(kArchiveTimeout));
    say("{} users registered and counted up with ADD #v :one, {} deleted and created again", kUsers,
        kRemoved);
    show_objects(kHero);
    say("and of a deleted and re-created one, whose own counter started again at 0:");
    show_objects(user(kUsers));
    return ok();
  }

  // The article's figure: the table is at 5, 1 and 2 are archived, 3 and 4 are stuck.
  Status show_incident() {
    headline(2, "The archive stops working, and the table goes on");
    Blockade blockade(archive_);
    PAWL_TRY(blockade.put_up());
    say("blocked: {}/.pawl/tmp is no folder any more, so no object can be written", archive_);
    for (int i = 0; i < 3; ++i) {
      PAWL_ASSIGN_OR_RETURN(const auto version, client_.count_up(kHero));
      std::this_thread::sleep_for(std::chrono::milliseconds(700));
      PAWL_ASSIGN_OR_RETURN(const auto lag, client_.lag());
      say("{} is at version {}; held for the archive: {} {}, the oldest for {:.1f} s", kHero,
          version, lag.changes, lag.changes == 1 ? "change" : "changes",
          static_cast<double>(lag.oldest_ms) / 1000);
    }
    show_objects(kHero);
    PAWL_ASSIGN_OR_RETURN(const auto lag, client_.lag());
    say("{}", coloured(Colour::kYellow, "`pawl status` says why: " + lag.why));
    say("Elsewhere these versions would wait in a stream, unseen, and be gone after 24 hours. Here "
        "they are held.");
    headline(3, "The archive works again");
    PAWL_TRY(blockade.lift());
    PAWL_TRY(client_.wait_archived(kArchiveTimeout));
    show_objects(kHero);
    return ok();
  }

  Result<bool> prove() {
    headline(4, "The proof, from the archive alone: pawl verify --deep");
    PAWL_ASSIGN_OR_RETURN(const auto view, adapter::open_directory_archive(archive_));
    audit::VerifyOptions options;
    options.deep = true;
    options.check_signature = adapter::check_ed25519;
    PAWL_ASSIGN_OR_RETURN(const auto report, audit::verify(*view, options));
    say("{} of {}, {}", counted(report.versions, "version"), counted(report.items, "item"),
        counted(report.pages, "ledger page"));
    if (report.sound()) {
      say("{}", coloured(Colour::kGreen, "SOUND: nothing is missing, nothing was altered."));
      for (const auto& sentence : audit::proves(report)) say("  {}", sentence);
    } else {
      say("{}", coloured(Colour::kRed, "DAMAGED:"));
      for (const auto& finding : report.findings) say("  {}", printable(audit::to_text(finding)));
    }
    return report.sound();
  }

  void show_objects(const std::string& hashid) const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(archive_ + "/logs", ignored)) {
      const auto name = entry.path().filename().string();
      if (name.starts_with(hashid + "-")) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    std::string line;
    for (const auto& name : names) line += (line.empty() ? "" : "  ") + name;
    say("logs/: {}", coloured(Colour::kGreen, line));
  }

  std::string endpoint_;
  std::string archive_;
  DemoClient client_;
};

void say_what_next(const server::Server& server, const server::ServerConfig& config) {
  fmt::print("\n{}\n", coloured(Colour::kBold, "What to try next"));
  fmt::print(
      "   aws dynamodb get-item --endpoint-url {} --table-name users --key "
      "'{{\"hashid\":{{\"S\":\"{}\"}}}}'\n",
      server.endpoint(), kHero);
  fmt::print("   build/pawl status --endpoint {}\n", server.endpoint());
  fmt::print("   build/pawl history {} {}\n", config.archive_path(), kHero);
  fmt::print("   build/pawl verify {} --deep\n", config.archive_path());
  std::fflush(stdout);
}

// A folder of this run's own: a demo never touches what is there.
Result<std::string> fresh_folder(const std::string& wanted) {
  if (!wanted.empty()) {
    std::error_code error;
    if (fs::exists(wanted, error) && !fs::is_empty(wanted, error)) {
      return Error{ErrorCode::kExists,
                   fmt::format("the demo wants a fresh folder, and {} is not empty", wanted),
                   "give another one with --data, or none"};
    }
    return wanted;
  }
  std::string path = (fs::temp_directory_path() / "pawl-demo-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) {
    return Error{ErrorCode::kUnavailable,
                 "can't make a folder for the demo in " + fs::temp_directory_path().string(),
                 "give one with --data"};
  }
  return path + "/data";
}

int run_demo(const DemoArguments& arguments) {
  const sigset_t signals = block_stop_signals();
  ::signal(SIGPIPE, SIG_IGN);

  server::ServerConfig config;
  const auto folder = fresh_folder(arguments.data);
  if (!folder.ok()) return could_not(folder.error());
  config.data = *folder;
  config.tables["users"].names = "logs/{hashid}-{_version}.log";
  const auto listening = server::set_listen(config, arguments.listen);
  if (!listening.ok()) return could_not(listening.error());
  auto server = server::Server::start(config);
  if (!server.ok()) return could_not(server.error());
  fmt::print("{} serves the DynamoDB API at {}\n", coloured(Colour::kBold, "pawl " PAWL_VERSION),
             (*server)->endpoint());
  say("data in {}, archive in {}", config.data, config.archive_path());

  const auto sound = Demo(**server, config.archive_path()).run();
  if (!sound.ok()) return could_not(sound.error());
  say_what_next(**server, config);
  if (!arguments.exit && ::isatty(STDOUT_FILENO) == 1) {
    fmt::print("\nStill serving; Ctrl-C ends it.\n");
    std::fflush(stdout);
    const timespec interval{server::kHousekeepingInterval.count(), 0};
    while (::sigtimedwait(&signals, nullptr, &interval) < 0) (*server)->housekeeping();
  }
  (*server)->stop();
  return *sound ? kExitGood : kExitFound;
}

}  // namespace

void add_demo(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "demo", "The main job in front of you: versions archived, an outage survived, a proof");
  const auto arguments = std::make_shared<DemoArguments>();
  command->add_option("--data", arguments->data,
                      "A fresh folder [one of its own in the temporary folder]");
  command->add_option("--listen", arguments->listen, "HOST:PORT; port 0 takes any free one")
      ->capture_default_str();
  command->add_flag("--exit", arguments->exit, "End when it is done, also on a terminal");
  command->footer(
      "On a terminal it keeps serving until Ctrl-C. Exit status: 0 the archive is sound, 1 it is "
      "not, 2 it "
      "could not run.");
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_demo(*arguments); }; });
}

}  // namespace pawl::cli

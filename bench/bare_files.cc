// What the disk itself takes from a writer that makes the archiver's promises and does nothing else: files that become visible whole,
// under a name that was free, are durable, and are then entered in a log that is durable, too. The peer of the rows `drain` and
// `durable` (promises.py), written with none of Pawl's code.
//
//   bare_files DIR drain SECONDS         as fast as it goes, in batches of 1,024:  {"files_per_s": N}
//   bare_files DIR paced SECONDS RATE    RATE files a second arrive on a schedule, and whatever has arrived is the next batch; beside
//                                        it another log takes ten records and a sync at a time, RATE / 10 times a second, as a
//                                        store's log does for that many writes:  {"p50_ms": N, "p99_ms": N}
//
// DIR must not exist. A file has 340 bytes, as an object of the benchmark's table has.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration;

constexpr std::size_t kBatch = 1024;
constexpr std::size_t kBody = 340;
constexpr std::size_t kRecord = 300;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(2);
}

void check(bool done, const char* what) {
  if (!done) die(what);
}

class Log {
 public:
  explicit Log(const std::string& path)
      : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644)) {
    check(file_ >= 0, "opening a log");
  }
  ~Log() { ::close(file_); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void append(std::size_t records) {
    const std::string text(records * kRecord, 'r');
    check(::write(file_, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
          "writing a log");
    check(::fdatasync(file_) == 0, "syncing a log");
  }

 private:
  int file_;
};

class Files {
 public:
  explicit Files(const std::string& path) : ledger_(path + "/ledger"), body_(kBody, 'b') {
    check(::mkdir((path + "/tmp").c_str(), 0755) == 0 &&
              ::mkdir((path + "/objects").c_str(), 0755) == 0,
          "making directories");
    tmp_ = ::open((path + "/tmp").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    objects_ = ::open((path + "/objects").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(tmp_ >= 0 && objects_ >= 0, "opening directories");
  }
  ~Files() {
    ::close(tmp_);
    ::close(objects_);
  }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  void write(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) write_temporary(std::to_string(i));
    check(::syncfs(objects_) == 0, "syncing files");
    for (std::size_t i = 0; i < count; ++i) {
      check(::renameat2(tmp_, std::to_string(i).c_str(), objects_,
                        std::to_string(written_++).c_str(), RENAME_NOREPLACE) == 0,
            "renaming");
    }
    check(::fsync(objects_) == 0, "syncing a directory");
    ledger_.append(count);
  }
  std::size_t written() const { return written_; }

 private:
  void write_temporary(const std::string& name) const {
    const int file = ::openat(tmp_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    check(file >= 0, "creating a file");
    check(::write(file, body_.data(), body_.size()) == static_cast<ssize_t>(body_.size()),
          "writing a file");
    check(::close(file) == 0, "closing a file");
  }

  int tmp_ = -1;
  int objects_ = -1;
  Log ledger_;
  std::string body_;
  std::size_t written_ = 0;
};

void drain(const std::string& path, double seconds) {
  Files files(path);
  const auto begun = Clock::now();
  double passed = 0;
  do {
    files.write(kBatch);
    passed = duration<double>(Clock::now() - begun).count();
  } while (passed < seconds);
  std::printf("{\"files_per_s\": %.0f}\n", static_cast<double>(files.written()) / passed);
}

void paced(const std::string& path, double seconds, double rate) {
  constexpr std::size_t kTogether = 10;
  std::atomic<bool> stop = false;
  const auto begun = Clock::now();
  std::thread store([&] {
    Log log(path + "/store");
    for (std::size_t n = 1; !stop; ++n) {
      log.append(kTogether);
      std::this_thread::sleep_until(begun +
                                    duration<double>(static_cast<double>(n * kTogether) / rate));
    }
  });
  Files files(path);
  std::vector<double> waited_ms;
  for (;;) {
    const double now = duration<double>(Clock::now() - begun).count();
    if (now > seconds) break;
    const auto due = static_cast<std::size_t>(now * rate);
    const std::size_t first = files.written();
    if (due == first) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      continue;
    }
    files.write(std::min(due - first, kBatch));
    const double done = duration<double>(Clock::now() - begun).count();
    for (std::size_t n = first; n < files.written(); ++n) {
      // The first two seconds don't count, as in the row: a new directory is slow.
      if (const double arrived = static_cast<double>(n) / rate; arrived > 2)
        waited_ms.push_back((done - arrived) * 1e3);
    }
  }
  stop = true;
  store.join();
  if (waited_ms.empty()) {
    std::fputs("bare_files: nothing was measured in that time\n", stderr);
    std::exit(2);
  }
  std::sort(waited_ms.begin(), waited_ms.end());
  std::printf("{\"p50_ms\": %.2f, \"p99_ms\": %.2f}\n", waited_ms[waited_ms.size() / 2],
              waited_ms[waited_ms.size() * 99 / 100]);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[2] : "";
  if (!(mode == "drain" && argc == 4) && !(mode == "paced" && argc == 5)) {
    std::fputs("usage: bare_files DIR drain SECONDS | bare_files DIR paced SECONDS RATE\n", stderr);
    return 2;
  }
  check(::mkdir(argv[1], 0755) == 0, argv[1]);
  const double seconds = std::strtod(argv[3], nullptr);
  if (mode == "drain") {
    drain(argv[1], seconds);
  } else {
    paced(argv[1], seconds, std::strtod(argv[4], nullptr));
  }
  return 0;
}

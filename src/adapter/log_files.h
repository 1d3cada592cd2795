// The lines of functions in files: docs/internals/functions.md.
//
//   DATA/logs/NAME/00000000000000000000.log    one JSON object a line; its name is the offset of its first byte in all of them
//
// A file that is full is followed by the next; the oldest goes. So an offset means the same line for as long as that is kept.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "adapter/posix_file.h"
#include "port/function_log.h"

namespace pawl {

struct LogFilesOptions {
  std::uint64_t file_bytes_max = 4ULL << 20;
  std::size_t files_max = 4;             // of a function
  std::uint64_t reserve_bytes = 0;       // below, lines are dropped
  std::size_t page_bytes_max = 1 << 20;  // of read()
};

class LogFiles final : public FunctionLog, public FunctionLogReader {
 public:
  // `path` is DATA/logs, and is made if it is not there. Errors: as error_of_errno.
  static Result<std::unique_ptr<LogFiles>> open(const std::string& path,
                                                const LogFilesOptions& options);

  void write(std::string_view function, const LogLine& line) override;
  // What is written between the two is handed to the operating system in as few pieces as can be. Of the writer's thread.
  void hold() { holding_ = true; }
  void release();
  Result<LogPage> read(std::string_view function, const LogQuestion& question) override;

 private:
  struct OpenLog {
    FileDescriptor folder;
    FileDescriptor file;
    std::uint64_t start = 0;
    std::uint64_t size = 0;
  };

  explicit LogFiles(const LogFilesOptions& options) : options_(options) {}
  Result<OpenLog*> log_of(std::string_view function);
  Status start_file(OpenLog& log, std::uint64_t at);
  Status append(std::string_view function, std::string_view text);
  void append_held();
  bool has_room();

  LogFilesOptions options_;
  FileDescriptor root_;
  // Of the writer's thread.
  std::map<std::string, OpenLog, std::less<>> open_;
  std::map<std::string, std::uint64_t, std::less<>> lost_;  // lines, by function
  struct Held {
    std::string function;
    std::string text;
    std::uint64_t lines = 0;
    Instant at;  // of the first
  };
  Held held_;
  bool holding_ = false;
  std::uint64_t until_room_check_ = 0;
  bool room_ = true;
};

}  // namespace pawl

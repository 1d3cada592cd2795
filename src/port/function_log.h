// Where the lines go that functions write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"

namespace pawl {

struct LogLine {
  Instant at;
  std::string stream;      // "stdout", "stderr", or "platform": what Pawl says about an invocation
  std::string request_id;  // of the invocation; empty: outside of any
  std::string text;        // without its end of line; any bytes
};

class FunctionLog {
 public:
  virtual ~FunctionLog() = default;
  // Never fails: a line that can't be written is lost, and the log says so later. Handed to the operating system at once, so it
  // survives this process, but a power cut may take the last seconds. One thread.
  virtual void write(std::string_view function, const LogLine& line) = 0;
};

// What was written, read again.
struct LogPage {
  std::vector<std::string> lines;  // each a JSON object: time, stream, request_id, text
  std::uint64_t next = 0;          // what to ask for after this page
  bool more = false;               // there are more lines now
};
struct LogQuestion {
  std::uint64_t after = 0;  // the `next` of a page before; 0: from the oldest line that is kept
  Instant since;            // only lines from then on
};

class FunctionLogReader {
 public:
  virtual ~FunctionLogReader() = default;
  // Thread-safe; waits for the disk. Errors: kNotFound: the function has written nothing yet.
  virtual Result<LogPage> read(std::string_view function, const LogQuestion& question) = 0;
};

}  // namespace pawl

// The unpacked code of functions, and the small programs that speak the runtime API for Python and Node.js handlers.
//
// The zip files in DATA/functions are the truth; what is here is made from them when a process needs it. It is not in the data
// directory, which only its owner may enter (0700), because processes of functions run as another user where possible; so it is a
// folder of its own beneath TMPDIR (or /tmp), which is removed at the end, and after a crash at the next start: of the same data
// directory (by its inode: a copy of it names the same folder), and unless somebody holds its lock (flock, shared).
//
// What others remove of it (who cleans /tmp) is made again when it is needed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "adapter/posix_file.h"
#include "base/result.h"

namespace pawl {

struct CodeFoldersOptions {
  // Below, nothing is unpacked.
  std::uint64_t reserve_bytes = 0;
  std::uint64_t reserve_inodes = 0;
  // Of code that no function has any more, but that may still run.
  std::uint64_t retired_bytes_max = 1ULL << 30;
};

class CodeFolders {
 public:
  // `functions` is the open folder DATA/functions, in which it is remembered where the code is. Errors: as error_of_errno.
  static Result<std::unique_ptr<CodeFolders>> open(int functions,
                                                   const CodeFoldersOptions& options = {});
  ~CodeFolders();
  CodeFolders(const CodeFolders&) = delete;
  CodeFolders& operator=(const CodeFolders&) = delete;

  const std::string& path() const { return path_; }
  std::string python_bootstrap() const { return path_ + "/runtime/python_bootstrap.py"; }
  std::string node_bootstrap() const { return path_ + "/runtime/node_bootstrap.mjs"; }
  std::string python_path() const { return path_ + "/runtime/python"; }

  // The folder of the code `name` ([0-9a-z-]), unpacked from `zip` if it is not there: whole, or not at all. Thread-safe, and waits
  // for the disk. Errors: kInvalid: the zip file is bad, and how; kExhausted: no room; else as error_of_errno.
  Result<std::string> unpack(const std::string& name, std::string_view zip);
  bool has(const std::string& name);
  std::string folder(const std::string& name) const { return path_ + "/" + name; }
  // Thread-safe. Folders of other names are not needed for what begins from now on. They go a while later: what runs in them may
  // still load a part of itself. The oldest go at once if they are too large together.
  void keep_only(const std::set<std::string>& names);
  // Thread-safe. It goes at once.
  void remove(const std::string& name);

 private:
  using Clock = std::chrono::steady_clock;
  struct Code {
    std::uint64_t bytes = 0;
    std::optional<Clock::time_point> retired;
  };
  using Root = std::shared_ptr<const FileDescriptor>;

  explicit CodeFolders(const CodeFoldersOptions& options) : options_(options) {}
  bool is_there(const std::string& name) const;
  Result<Root> open_root();
  Result<Root> whole_root();
  Result<std::uint64_t> make(const FileDescriptor& root, const std::string& name,
                             std::string_view zip) const;
  std::string take_away(const std::string& name);

  CodeFoldersOptions options_;
  std::string path_;
  std::string owner_;  // which data directory it is of
  std::mutex mutex_;
  Root root_;                            // guarded by mutex_
  std::map<std::string, Code> present_;  // guarded by mutex_
  std::uint64_t newest_ = 0;             // guarded by mutex_
};

// Writes the folder that makes Python's older AWS SDKs follow AWS_ENDPOINT_URL: to be put into PYTHONPATH.
Status write_python_path(int folder);

}  // namespace pawl

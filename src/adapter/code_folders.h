// The unpacked code of functions, and the small programs that speak the runtime API for Python and Node.js handlers.
//
// The zip files in DATA/functions are the truth; what is here is made from them when a process needs it. It is not in the data
// directory, which only its owner may enter (0700), because processes of functions run as another user where possible; so it is a
// folder of its own beneath TMPDIR (or /tmp), which is removed at the end, and after a crash at the next start.
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

class CodeFolders {
 public:
  // `functions` is the open folder DATA/functions, in which it is remembered where the code is. Errors: as error_of_errno.
  static Result<std::unique_ptr<CodeFolders>> open(int functions);
  ~CodeFolders();
  CodeFolders(const CodeFolders&) = delete;
  CodeFolders& operator=(const CodeFolders&) = delete;

  const std::string& path() const { return path_; }
  std::string python_bootstrap() const { return path_ + "/runtime/python_bootstrap.py"; }
  std::string node_bootstrap() const { return path_ + "/runtime/node_bootstrap.mjs"; }
  std::string python_path() const { return path_ + "/runtime/python"; }

  // The folder of the code `name` ([0-9a-z-]), unpacked from `zip` if it is not there: whole, or not at all. Thread-safe, and waits
  // for the disk. Errors: kInvalid: the zip file is bad, and how; else as error_of_errno.
  Result<std::string> unpack(const std::string& name, std::string_view zip);
  bool has(const std::string& name);
  std::string folder(const std::string& name) const { return path_ + "/" + name; }
  // Thread-safe. Folders of other names are not needed for what begins from now on. They go a while later: what runs in them may
  // still load a part of itself.
  void keep_only(const std::set<std::string>& names);

 private:
  CodeFolders() = default;

  std::string path_;
  FileDescriptor root_;
  std::mutex mutex_;
  using Retired = std::optional<std::chrono::steady_clock::time_point>;
  std::map<std::string, Retired> present_;  // guarded by mutex_
  std::uint64_t newest_ = 0;                // guarded by mutex_
};

// Writes the folder that makes Python's older AWS SDKs follow AWS_ENDPOINT_URL: to be put into PYTHONPATH.
Status write_python_path(int folder);

}  // namespace pawl

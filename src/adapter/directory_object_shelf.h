// The objects of an archive directory, read beside its writer: docs/internals/archive-format.md. Pawl's own files (.pawl, .suspect)
// are no objects, nor is anything but a regular file; what stands under a hash has its own name here.
//
// A name is one look-up a component. A walk reads the folders that it comes through, each from its beginning to its end, since a
// directory has no order, and keeps the next kWindow entries. The last few windows are kept for kWindowKept, for walks that go on:
// to list a folder of a million objects reads it some thirty times, not once a page.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapter/posix_file.h"
#include "port/object_shelf.h"

namespace pawl {

class DirectoryObjectShelf final : public ObjectShelf {
 public:
  // The archive must be there. Takes no lock, and follows no symbolic link below `path`.
  static constexpr std::size_t kWindow = 32'768;
  static Result<std::unique_ptr<DirectoryObjectShelf>> open_archive(const std::string& path,
                                                                    std::size_t window = kWindow);

  // When the archive was made. Errors: kNotFound if it is none.
  Result<Instant> created() const;

  Result<std::optional<ShelvedObject>> open(std::string_view name) override;
  std::unique_ptr<NameWalk> walk(bool goes_on) override;

 private:
  class Walk;
  using Names = std::vector<std::string>;
  static constexpr std::size_t kWindowsKept = 4;
  static constexpr std::chrono::seconds kWindowKept{60};

  // Some of a folder's entries: those that are not less than `from`; all, or as many as a window has.
  struct Window {
    std::string folder, from;
    Names entries;  // "name" or "folder/", in order
    bool whole = false;
    std::chrono::steady_clock::time_point read;

    bool covers(std::string_view of, std::string_view position) const {
      return folder == of && from <= position &&
             (whole || (!entries.empty() && position <= entries.back()));
    }
  };
  using WindowPtr = std::shared_ptr<const Window>;

  DirectoryObjectShelf(std::string path, FileDescriptor root, std::size_t window)
      : path_(std::move(path)), root_(std::move(root)), window_(window) {}
  // "" or "a/b/"; none: it is no folder (any more).
  Result<std::optional<FileDescriptor>> open_folder(std::string_view folder) const;
  // The regular file of that object; none: there is no such.
  Result<std::optional<FileDescriptor>> open_file(std::string_view name) const;
  Result<WindowPtr> read_window(const std::string& folder, const std::string& from);
  WindowPtr kept_window(std::string_view folder, std::string_view position);
  // The names of the objects that stand under a hash, in order.
  Result<Names> hashed_names();

  const std::string path_;
  const FileDescriptor root_;
  const std::size_t window_;       // entries
  std::mutex mutex_;               // the two below
  std::deque<WindowPtr> windows_;  // the newest first
  std::map<std::string, std::string>
      hashed_;  // names that were read, by their file: they never change
};

}  // namespace pawl

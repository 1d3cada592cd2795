#include "adapter/log_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <vector>

#include "adapter/directory_listing.h"
#include "adapter/valid_text.h"
#include "base/json_writer.h"

namespace pawl {
namespace {

constexpr std::size_t kOpenMax = 64;
constexpr std::uint64_t kRoomCheckBytes = 256 * 1024;
constexpr std::size_t kHeldBytesMax = 256 * 1024;
constexpr std::size_t kDigits = 20;
constexpr std::string_view kEnd = ".log";
constexpr std::string_view kLineStart = R"({"time":")";
constexpr std::size_t kTimeSize = 27;
constexpr std::size_t kLineBytesMax = 512 * 1024;  // stored: of 64 KiB, each byte may be six

std::string file_name(std::uint64_t start) { return fmt::format("{:020}{}", start, kEnd); }

std::optional<std::uint64_t> start_of(std::string_view name) {
  if (name.size() != kDigits + kEnd.size() || !name.ends_with(kEnd)) return std::nullopt;
  std::uint64_t start = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + kDigits, start);
  if (error != std::errc() || stop != name.data() + kDigits) return std::nullopt;
  return start;
}

// Oldest first.
Result<std::vector<std::uint64_t>> starts_in(int folder, const std::string& function) {
  PAWL_ASSIGN_OR_RETURN(const auto names, list_directory(folder, "logs of " + function));
  std::vector<std::uint64_t> starts;
  for (const auto& name : names) {
    if (const auto start = start_of(name)) starts.push_back(*start);
  }
  std::sort(starts.begin(), starts.end());
  return starts;
}

std::string line_text(const LogLine& line) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .field("time", line.at.to_string())
      .field("stream", line.stream)
      .field("request_id", line.request_id)
      .field("text", valid_text(line.text))
      .end_object();
  out.push_back('\n');
  return out;
}

}  // namespace

Result<std::unique_ptr<LogFiles>> LogFiles::open(const std::string& path,
                                                 const LogFilesOptions& options) {
  PAWL_TRY(create_directories(path, 0700));
  std::unique_ptr<LogFiles> files(new LogFiles(options));
  PAWL_ASSIGN_OR_RETURN(files->root_, open_directory(path));
  return files;
}

bool LogFiles::has_room() {
  if (until_room_check_ > 0) return room_;
  until_room_check_ = kRoomCheckBytes;
  struct statvfs found {};
  if (::fstatvfs(root_.get(), &found) == 0) {
    room_ = static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize >= options_.reserve_bytes;
  }
  return room_;
}

Status LogFiles::start_file(OpenLog& log, std::uint64_t at) {
  const std::string name = file_name(at);
  log.file = FileDescriptor(::openat(log.folder.get(), name.c_str(),
                                     O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!log.file) return error_of_errno(errno, "opening log", name);
  struct stat found {};
  if (::fstat(log.file.get(), &found) != 0) return error_of_errno(errno, "opening log", name);
  log.start = at;
  log.size = static_cast<std::uint64_t>(found.st_size);
  char last = '\n';
  if (log.size > 0) static_cast<void>(!::pread(log.file.get(), &last, 1, found.st_size - 1));
  if (last != '\n') {  // a power cut took the end of the last line
    PAWL_TRY(write_all(log.file.get(), "\n", name));
    ++log.size;
  }
  return ok();
}

Result<LogFiles::OpenLog*> LogFiles::log_of(std::string_view function) {
  const auto found = open_.find(function);
  if (found != open_.end()) return &found->second;
  if (open_.size() >= kOpenMax) open_.clear();
  const std::string name(function);
  if (::mkdirat(root_.get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
    return error_of_errno(errno, "making the log of", name);
  }
  OpenLog log;
  log.folder = FileDescriptor(
      ::openat(root_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!log.folder) return error_of_errno(errno, "opening the log of", name);
  PAWL_ASSIGN_OR_RETURN(const auto starts, starts_in(log.folder.get(), name));
  PAWL_TRY(start_file(log, starts.empty() ? 0 : starts.back()));
  return &open_.insert_or_assign(name, std::move(log)).first->second;
}

Status LogFiles::append(std::string_view function, std::string_view text) {
  if (!has_room()) return Error{ErrorCode::kExhausted, "no room is left for logs", ""};
  PAWL_ASSIGN_OR_RETURN(OpenLog* const log, log_of(function));
  if (log->size > 0 && log->size + text.size() > options_.file_bytes_max) {
    PAWL_TRY(start_file(*log, log->start + log->size));
    PAWL_ASSIGN_OR_RETURN(const auto starts, starts_in(log->folder.get(), std::string(function)));
    for (std::size_t i = 0; i + options_.files_max < starts.size(); ++i) {
      ::unlinkat(log->folder.get(), file_name(starts[i]).c_str(), 0);
    }
  }
  auto written = write_all(log->file.get(), text, function);
  if (!written.ok()) {
    // What was written of it must not stand before the next line.
    static_cast<void>(!::ftruncate(log->file.get(), static_cast<off_t>(log->size)));
    return written;
  }
  log->size += text.size();
  until_room_check_ -= std::min<std::uint64_t>(until_room_check_, text.size());
  return ok();
}

void LogFiles::append_held() {
  if (held_.lines == 0) return;
  const auto lost = lost_.find(held_.function);
  if (lost != lost_.end()) {
    held_.text.insert(
        0, line_text({held_.at, "platform", "",
                      fmt::format("{} lines before this one are lost: no room", lost->second)}));
  }
  if (append(held_.function, held_.text).ok()) {
    if (lost != lost_.end()) lost_.erase(lost);
  } else {
    if (!room_) until_room_check_ -= std::min<std::uint64_t>(until_room_check_, 1024 * held_.lines);
    lost_[held_.function] += held_.lines;
  }
  held_ = Held();
}

void LogFiles::write(std::string_view function, const LogLine& line) {
  if (held_.function != function || held_.text.size() >= kHeldBytesMax) append_held();
  if (held_.lines++ == 0) {
    held_.function = function;
    held_.at = line.at;
  }
  held_.text += line_text(line);
  if (!holding_) append_held();
}

void LogFiles::release() {
  holding_ = false;
  append_held();
}

Result<LogPage> LogFiles::read(std::string_view function, const LogQuestion& question) {
  const std::string name(function);
  const FileDescriptor folder(
      ::openat(root_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return error_of_errno(errno, "opening the log of", name);
  PAWL_ASSIGN_OR_RETURN(const auto starts, starts_in(folder.get(), name));
  LogPage page;
  page.next = question.after;
  simdjson::dom::parser parser;
  std::size_t bytes = 0;
  std::string piece;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (i + 1 < starts.size() && starts[i + 1] <= question.after) continue;
    const FileDescriptor file(
        ::openat(folder.get(), file_name(starts[i]).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) continue;  // it was the oldest, and has gone
    page.next = std::max(page.next, starts[i]);
    for (;;) {
      piece.resize(kLineBytesMax);
      const auto size = ::pread(file.get(), piece.data(), piece.size(),
                                static_cast<off_t>(page.next - starts[i]));
      if (size <= 0) break;
      piece.resize(static_cast<std::size_t>(size));
      std::size_t begin = 0;
      for (auto end = piece.find('\n'); end != std::string::npos; end = piece.find('\n', begin)) {
        const std::string_view line(piece.data() + begin, end - begin);
        if (bytes + line.size() > options_.page_bytes_max && bytes > 0) {
          page.more = true;
          return page;
        }
        page.next += line.size() + 1;
        begin = end + 1;
        if (!line.starts_with(kLineStart) || line.size() < kLineStart.size() + kTimeSize) continue;
        const auto at = Instant::parse(line.substr(kLineStart.size(), kTimeSize));
        if (!at || *at < question.since) continue;
        // One that lost its end is passed over.
        if (parser.parse(line.data(), line.size()).error() != simdjson::SUCCESS) continue;
        bytes += line.size();
        page.lines.emplace_back(line);
      }
      if (begin == 0) break;  // the rest of a line that is being written
    }
  }
  return page;
}

}  // namespace pawl

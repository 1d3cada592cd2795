#include "audit/external_sort.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <queue>
#include <span>

#include "base/coding.h"

namespace pawl::audit {
namespace {

constexpr std::size_t kRecordMax = 1 << 20;
constexpr std::size_t kMemoryMin = 2 << 20;  // room for one record at least
constexpr std::size_t kReadAheadMin = 64 << 10;
constexpr std::size_t kWriteChunk = 1 << 20;
constexpr std::size_t kHeaderSize = 4;  // the record's size, big-endian

}  // namespace

// A sorted run in a file without a name, read back in pieces.
struct ExternalSort::Run {
  int fd = -1;
  std::uint64_t size = 0;
  std::uint64_t read_at = 0;
  std::string piece;
  std::size_t used = 0;  // bytes of `piece` that were consumed
  std::size_t read_ahead = kReadAheadMin;
  std::string_view record;  // the present one, in `piece`

  Run() = default;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    if (fd >= 0) ::close(fd);
  }

  Status append(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::write(fd, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        return Error{ErrorCode::kExhausted,
                     fmt::format("can't write a temporary sort file: {}", std::strerror(errno)),
                     "give a folder with more room with --tmp, or more --memory"};
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
      size += static_cast<std::uint64_t>(count);
    }
    return ok();
  }

  // At least `wanted` unconsumed bytes, unless the run ends before.
  Status fill(std::size_t wanted) {
    if (piece.size() - used >= wanted) return ok();
    piece.erase(0, used);
    used = 0;
    const std::size_t target = std::max(wanted, read_ahead);
    while (piece.size() < target && read_at < size) {
      const std::size_t before = piece.size();
      const std::size_t want = std::min<std::uint64_t>(target - before, size - read_at);
      piece.resize(before + want);
      const auto count = ::pread(fd, piece.data() + before, want, static_cast<off_t>(read_at));
      piece.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("can't read a temporary sort file: {}",
                                 count == 0 ? "it became shorter" : std::strerror(errno)),
                     "check the disk of --tmp"};
      }
      read_at += static_cast<std::uint64_t>(count);
    }
    return ok();
  }

  // False at the end.
  Result<bool> advance() {
    PAWL_TRY(fill(kHeaderSize));
    if (piece.size() == used) return false;
    Reader header(std::string_view(piece).substr(used));
    const std::size_t length = header.u32_be();
    PAWL_TRY(fill(kHeaderSize + length));
    if (!header.ok() || piece.size() - used < kHeaderSize + length) {
      return Error{ErrorCode::kCorrupt, "a temporary sort file is damaged",
                   "check the disk of --tmp"};
    }
    record = std::string_view(piece).substr(used + kHeaderSize, length);
    used += kHeaderSize + length;
    return true;
  }
};

namespace {

class MemoryRecords final : public SortedRecords {
 public:
  MemoryRecords(const char* bytes, std::span<const ExternalSort::Place> places)
      : bytes_(bytes), places_(places) {}
  Result<bool> next(std::string_view& record) override {
    if (places_.empty()) return false;
    record = {bytes_ + places_.front().offset, places_.front().size};
    places_ = places_.subspan(1);
    return true;
  }

 private:
  const char* bytes_;
  std::span<const ExternalSort::Place> places_;
};

class MergedRecords final : public SortedRecords {
 public:
  explicit MergedRecords(const std::vector<std::unique_ptr<ExternalSort::Run>>& runs) {
    for (const auto& run : runs) consumed_.push_back(run.get());
  }
  Result<bool> next(std::string_view& record) override {
    // A run moves on only when its record is no longer in use.
    for (auto* const run : consumed_) {
      PAWL_ASSIGN_OR_RETURN(const bool more, run->advance());
      if (more) heap_.push(run);
    }
    consumed_.clear();
    if (heap_.empty()) return false;
    auto* const least = heap_.top();
    heap_.pop();
    consumed_.push_back(least);
    record = least->record;
    return true;
  }

 private:
  struct Greater {
    bool operator()(const ExternalSort::Run* a, const ExternalSort::Run* b) const {
      return a->record > b->record;
    }
  };
  std::vector<ExternalSort::Run*> consumed_;
  std::priority_queue<ExternalSort::Run*, std::vector<ExternalSort::Run*>, Greater> heap_;
};

}  // namespace

ExternalSort::ExternalSort(std::size_t memory_max, std::string folder)
    : memory_max_(std::max(memory_max, kMemoryMin) / sizeof(Place) * sizeof(Place)),
      folder_(std::move(folder)) {}
ExternalSort::~ExternalSort() = default;

Status ExternalSort::add(std::string_view record) {
  PAWL_ASSERT(record.size() <= kRecordMax);
  if (!arena_) arena_ = std::make_unique_for_overwrite<char[]>(memory_max_);
  const std::size_t used = bytes_ + held_ * sizeof(Place);
  if (used + record.size() + sizeof(Place) > memory_max_) PAWL_TRY(spill());
  std::copy(record.begin(), record.end(), arena_.get() + bytes_);
  ++held_;
  *places().data() = {bytes_, static_cast<std::uint32_t>(record.size())};
  bytes_ += record.size();
  ++count_;
  return ok();
}

std::span<ExternalSort::Place> ExternalSort::places() {
  if (held_ == 0) return {};
  return {reinterpret_cast<Place*>(arena_.get() + memory_max_) - held_, held_};
}

void ExternalSort::sort_held() {
  const auto view = [bytes = arena_.get()](const Place& place) {
    return std::string_view(bytes + place.offset, place.size);
  };
  std::ranges::sort(places(), {}, view);
}

Status ExternalSort::spill() {
  sort_held();
  auto run = std::make_unique<Run>();
  run->fd = ::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (run->fd < 0) {  // file systems without O_TMPFILE
    std::string path = folder_ + "/pawl-sort-XXXXXX";
    run->fd = ::mkostemp(path.data(), O_CLOEXEC);
    if (run->fd >= 0) ::unlink(path.c_str());
  }
  if (run->fd < 0) {
    return Error{
        ErrorCode::kUnavailable,
        fmt::format("can't create a temporary file in {}: {}", folder_, std::strerror(errno)),
        "give a writable folder with --tmp"};
  }
  std::string chunk;
  for (const auto& [offset, size] : places()) {
    append_u32_be(chunk, size);
    chunk.append(arena_.get() + offset, size);
    if (chunk.size() >= kWriteChunk) {
      PAWL_TRY(run->append(chunk));
      chunk.clear();
    }
  }
  PAWL_TRY(run->append(chunk));
  runs_.push_back(std::move(run));
  bytes_ = 0;
  held_ = 0;
  return ok();
}

Result<std::unique_ptr<SortedRecords>> ExternalSort::drain() {
  if (runs_.empty()) {
    sort_held();
    return std::unique_ptr<SortedRecords>(std::make_unique<MemoryRecords>(arena_.get(), places()));
  }
  if (held_ > 0) PAWL_TRY(spill());
  arena_.reset();
  for (const auto& run : runs_) {
    run->read_ahead = std::clamp(memory_max_ / runs_.size(), kReadAheadMin, kWriteChunk);
  }
  return std::unique_ptr<SortedRecords>(std::make_unique<MergedRecords>(runs_));
}

}  // namespace pawl::audit

#include "adapter/directory_ledger_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "adapter/directory_listing.h"

namespace pawl {
namespace {

constexpr std::size_t kChainBytesMax = 64;
// A page holds at most 4,096 changes, each with a name of at most 1,024 bytes and a key of at most
// 3,072 that JSON or base64 may stretch; nothing near this is ever written.
constexpr std::uint64_t kLineBytesMax = 64ULL << 20;
constexpr std::uint64_t kTailChunk = 64ULL << 10;
constexpr std::size_t kReadChunk = 1ULL << 20;
constexpr std::size_t kTipBytesMax = 256ULL << 20;
constexpr std::string_view kVolumeEnding = ".pages";
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool is_legal(std::string_view chain) {
  return !chain.empty() && chain.size() <= kChainBytesMax &&
         std::all_of(chain.begin(), chain.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::string volume_name(std::uint32_t volume) {
  std::string digits = std::to_string(volume);
  return std::string(8 - std::min<std::size_t>(digits.size(), 8), '0') + digits +
         std::string(kVolumeEnding);
}

std::optional<std::uint32_t> parse_volume(std::string_view name) {
  if (name.size() != 8 + kVolumeEnding.size() || !name.ends_with(kVolumeEnding))
    return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + 8, number);
  if (error != std::errc() || end != name.data() + 8) return std::nullopt;
  return number;
}

std::string describe(std::string_view chain, std::uint32_t volume) {
  return "ledger/" + std::string(chain) + "/" + volume_name(volume);
}

Error corrupt(const std::string& what, std::string why) {
  return {ErrorCode::kCorrupt, "reading " + what + ": " + std::move(why),
          "put the ledger back from a copy of the archive; pawl verify says what is wrong"};
}

Result<FileDescriptor> open_volume(int dir, std::string_view chain, std::uint32_t volume,
                                   int flags) {
  FileDescriptor file(::openat(dir, volume_name(volume).c_str(),
                               flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
  if (!file) return error_of_errno(errno, "opening", describe(chain, volume));
  return file;
}

Result<std::uint64_t> size_of(int file, const std::string& what) {
  struct stat about {};
  if (::fstat(file, &about) != 0) return error_of_errno(errno, "reading", what);
  if (!S_ISREG(about.st_mode)) return corrupt(what, "not a regular file");
  return static_cast<std::uint64_t>(about.st_size);
}

Status read_at(int file, std::uint64_t at, std::size_t size, std::string& into,
               const std::string& what) {
  into.resize(size);
  for (std::size_t done = 0; done < size;) {
    const ssize_t got =
        ::pread(file, into.data() + done, size - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_of_errno(errno, "reading", what);
    if (got == 0) return corrupt(what, "it became shorter while it was read");
    done += static_cast<std::size_t>(got);
  }
  return ok();
}

// The end of one volume, read backwards from it.
struct VolumeTail {
  std::optional<std::string> last_line;
  std::uint64_t torn_bytes = 0;
};

Result<VolumeTail> read_tail(int file, std::uint64_t size, const std::string& what) {
  std::string tail;
  std::string chunk;
  std::uint64_t start = size;  // tail holds [start, size)
  while (true) {
    const std::size_t last = tail.rfind('\n');
    const std::size_t before =
        last == std::string::npos || last == 0 ? std::string::npos : tail.rfind('\n', last - 1);
    const bool whole_line =
        last != std::string::npos && (before != std::string::npos || start == 0);
    if (whole_line || start == 0) {
      VolumeTail result;
      result.torn_bytes = tail.size() - (last == std::string::npos ? 0 : last + 1);
      if (whole_line) {
        const std::size_t from = before == std::string::npos ? 0 : before + 1;
        result.last_line = tail.substr(from, last + 1 - from);
      }
      return result;
    }
    if (tail.size() > 2 * kLineBytesMax) return corrupt(what, "a line is longer than any page");
    // Twice as much each time, so that a long line costs no more than its length.
    const std::uint64_t step = std::min(start, std::max<std::uint64_t>(kTailChunk, tail.size()));
    PAWL_TRY(read_at(file, start - step, static_cast<std::size_t>(step), chunk, what));
    start -= step;
    tail.insert(0, chunk);
  }
}

}  // namespace

Result<std::unique_ptr<DirectoryLedgerStore>> DirectoryLedgerStore::open(
    const ArchiveDirectory& archive, DurabilityCalls& calls) {
  auto store = std::unique_ptr<DirectoryLedgerStore>(new DirectoryLedgerStore(archive, calls));
  PAWL_ASSIGN_OR_RETURN(const auto ledger, store->open_ledger());
  if (calls.syncfs(archive.for_syncfs()) != 0) {
    return error_of_errno(errno, "syncing archive", archive.path());
  }
  return store;
}

Result<FileDescriptor> DirectoryLedgerStore::open_ledger() const {
  FileDescriptor ledger(::openat(archive_.pawl(), "ledger", kDirectoryFlags));
  if (!ledger) return error_of_errno(errno, "opening directory", archive_.path() + "/.pawl/ledger");
  return ledger;
}

Result<std::optional<FileDescriptor>> DirectoryLedgerStore::open_chain(std::string_view chain,
                                                                       bool make) {
  const std::string name(chain);
  if (!is_legal(chain))
    return Error{ErrorCode::kInvalid, "opening chain " + name + ": not a chain's name", {}};
  PAWL_ASSIGN_OR_RETURN(const auto ledger, open_ledger());
  FileDescriptor dir(::openat(ledger.get(), name.c_str(), kDirectoryFlags));
  if (!dir && errno == ENOENT) {
    if (!make) return std::optional<FileDescriptor>();
    if (::mkdirat(ledger.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
      return error_of_errno(errno, "creating directory", "ledger/" + name);
    }
    dir = FileDescriptor(::openat(ledger.get(), name.c_str(), kDirectoryFlags));
  }
  if (!dir) return error_of_errno(errno, "opening directory", "ledger/" + name);
  return std::optional<FileDescriptor>(std::move(dir));
}

Result<DirectoryLedgerStore::End> DirectoryLedgerStore::find_end(std::string_view chain) {
  PAWL_ASSIGN_OR_RETURN(const auto dir, open_chain(chain, /*make=*/false));
  if (!dir) return End{};
  const std::string path = "ledger/" + std::string(chain);
  PAWL_ASSIGN_OR_RETURN(const auto names, list_directory(dir->get(), path));
  End end;
  for (const std::string& name : names) {  // in byte order, which is that of the numbers
    const auto volume = parse_volume(name);
    if (!volume) continue;
    if (*volume != end.volumes) return corrupt(path, volume_name(end.volumes) + " is missing");
    ++end.volumes;
  }
  if (end.volumes > 0) {
    const std::uint32_t last = end.volumes - 1;
    PAWL_ASSIGN_OR_RETURN(const auto file, open_volume(dir->get(), chain, last, O_RDONLY));
    PAWL_ASSIGN_OR_RETURN(end.size, size_of(file.get(), describe(chain, last)));
  }
  return end;
}

Result<DirectoryLedgerStore::Chain*> DirectoryLedgerStore::state_of(std::string_view chain) {
  auto it = chains_.find(chain);
  if (it == chains_.end()) {
    PAWL_ASSIGN_OR_RETURN(const End end, find_end(chain));
    it = chains_.emplace(std::string(chain), Chain{end, end, false, false}).first;
  }
  return &it->second;
}

Status DirectoryLedgerStore::refuse_if_failed(std::string_view attempted) const {
  if (!failed_) return ok();
  return Error{
      ErrorCode::kUnavailable,
      std::string(attempted) + " of " + archive_.path() + ": an earlier write or sync has failed",
      "reopen it"};
}

Awaitable<Result<std::vector<std::string>>> DirectoryLedgerStore::chains() {
  const auto list = [this]() -> Result<std::vector<std::string>> {
    PAWL_ASSIGN_OR_RETURN(const auto ledger, open_ledger());
    PAWL_ASSIGN_OR_RETURN(auto names, list_directory(ledger.get(), "ledger"));
    std::erase_if(names, [](const std::string& name) { return !is_legal(name); });
    return names;
  };
  co_return list();
}

Awaitable<Result<ChainEnd>> DirectoryLedgerStore::end_of(std::string_view chain) {
  co_return read_end(chain);
}

Result<ChainEnd> DirectoryLedgerStore::read_end(std::string_view chain) {
  PAWL_ASSIGN_OR_RETURN(const Chain* state, state_of(chain));
  ChainEnd end;
  end.volume_bytes = state->new_volume ? 0 : state->now.size;
  if (state->now.volumes == 0) return end;
  PAWL_ASSIGN_OR_RETURN(const auto dir, open_chain(chain, /*make=*/false));
  if (!dir) return corrupt("ledger/" + std::string(chain), "it has gone");
  // The last volume may hold nothing but a torn page, or nothing at all; then the page is in the
  // one before.
  for (std::uint32_t volume = state->now.volumes; volume > 0 && !end.last_line; --volume) {
    const std::string what = describe(chain, volume - 1);
    PAWL_ASSIGN_OR_RETURN(const auto file, open_volume(dir->get(), chain, volume - 1, O_RDONLY));
    PAWL_ASSIGN_OR_RETURN(const std::uint64_t size, size_of(file.get(), what));
    PAWL_ASSIGN_OR_RETURN(auto tail, read_tail(file.get(), size, what));
    if (volume == state->now.volumes) {
      end.torn_bytes = tail.torn_bytes;
    } else if (tail.torn_bytes > 0) {
      return corrupt(what, "it ends in the middle of a page, and is not the last volume");
    }
    end.last_line = std::move(tail.last_line);
  }
  return end;
}

Awaitable<Status> DirectoryLedgerStore::read(std::string_view chain,
                                             std::function<bool(std::string_view line)> visit) {
  co_return visit_lines(chain, visit);
}

Status DirectoryLedgerStore::visit_lines(std::string_view chain,
                                         const std::function<bool(std::string_view)>& visit) {
  PAWL_ASSIGN_OR_RETURN(const Chain* state, state_of(chain));
  if (state->now.volumes == 0) return ok();
  PAWL_ASSIGN_OR_RETURN(const auto dir, open_chain(chain, /*make=*/false));
  if (!dir) return corrupt("ledger/" + std::string(chain), "it has gone");
  for (std::uint32_t volume = 0; volume < state->now.volumes; ++volume) {
    const std::string what = describe(chain, volume);
    PAWL_ASSIGN_OR_RETURN(const auto file, open_volume(dir->get(), chain, volume, O_RDONLY));
    PAWL_ASSIGN_OR_RETURN(const std::uint64_t size, size_of(file.get(), what));
    std::string buffer;
    std::string chunk;
    for (std::uint64_t at = 0; at < size;) {
      const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(kReadChunk, size - at));
      PAWL_TRY(read_at(file.get(), at, step, chunk, what));
      at += step;
      buffer += chunk;
      std::size_t start = 0;
      for (std::size_t end = buffer.find('\n', buffer.size() - step); end != std::string::npos;
           end = buffer.find('\n', start)) {
        if (!visit(std::string_view(buffer).substr(start, end + 1 - start))) return ok();
        start = end + 1;
      }
      buffer.erase(0, start);
      if (buffer.size() > kLineBytesMax) return corrupt(what, "a line is longer than any page");
    }
    if (!buffer.empty() && volume + 1 < state->now.volumes) {
      return corrupt(what, "it ends in the middle of a page, and is not the last volume");
    }
  }
  return ok();
}

Awaitable<Status> DirectoryLedgerStore::append(std::span<const PageAppend> pages) {
  co_return append_all(pages);
}

Status DirectoryLedgerStore::append_all(std::span<const PageAppend> pages) {
  PAWL_TRY(refuse_if_failed("appending to the ledger"));
  std::map<std::string_view, std::string> lines;  // one write a chain
  for (const PageAppend& page : pages) {
    PAWL_ASSERT(!page.line.empty() && page.line.find('\n') == page.line.size() - 1);
    lines[page.chain] += page.line;
  }
  for (const auto& [chain, text] : lines) {
    Status appended = append_to(chain, text);
    if (!appended.ok()) {
      failed_ = true;
      return appended;
    }
  }
  return ok();
}

Status DirectoryLedgerStore::append_to(std::string_view chain, std::string_view lines) {
  PAWL_ASSIGN_OR_RETURN(Chain * state, state_of(chain));
  const bool makes_volume = state->new_volume || state->now.volumes == 0;
  PAWL_ASSIGN_OR_RETURN(const auto dir, open_chain(chain, /*make=*/makes_volume));
  if (!dir) return corrupt("ledger/" + std::string(chain), "it has gone");
  const End before = state->now;
  const End start = makes_volume ? End{before.volumes + 1, 0} : before;
  const std::string what = describe(chain, start.volumes - 1);
  PAWL_ASSIGN_OR_RETURN(const auto file,
                        open_volume(dir->get(), chain, start.volumes - 1,
                                    O_WRONLY | O_APPEND | (makes_volume ? O_CREAT | O_EXCL : 0)));
  PAWL_ASSIGN_OR_RETURN(const std::uint64_t size, size_of(file.get(), what));
  if (size != start.size) {
    return Error{ErrorCode::kConflict,
                 "appending to " + what + ": it has " + std::to_string(size) +
                     " bytes instead of " + std::to_string(start.size) +
                     ", so somebody else has changed it",
                 "only one server may write to an archive; see pawl verify"};
  }
  if (state->now == state->durable && !state->new_entries) ++dirty_;
  state->new_entries = state->new_entries || makes_volume;
  state->new_volume = false;
  state->now = {start.volumes, start.size + lines.size()};
  return write_all(file.get(), lines, what);
}

Awaitable<Status> DirectoryLedgerStore::start_volume(std::string_view chain) {
  const auto start = [this, chain]() -> Status {
    PAWL_TRY(refuse_if_failed("starting a volume of the ledger"));
    PAWL_ASSIGN_OR_RETURN(Chain * state, state_of(chain));
    // The file is made with its first page: an empty volume says nothing.
    if (state->now.volumes > 0 && state->now.size > 0) state->new_volume = true;
    return ok();
  };
  co_return start();
}

Awaitable<Status> DirectoryLedgerStore::sync() { co_return sync_all(); }

Status DirectoryLedgerStore::sync_all() {
  PAWL_TRY(refuse_if_failed("syncing the ledger"));
  if (dirty_ == 0) return ok();
  Status synced = ok();
  if (dirty_ > 1) {
    if (calls_.syncfs(archive_.for_syncfs()) != 0) {
      synced = error_of_errno(errno, "syncing archive", archive_.path());
    }
  } else {
    for (const auto& [name, chain] : chains_) {
      if (chain.now == chain.durable && !chain.new_entries) continue;
      synced = sync_one(name, chain);
      break;
    }
  }
  if (!synced.ok()) {
    failed_ = true;
    return synced;
  }
  for (auto& [name, chain] : chains_) {
    chain.durable = chain.now;
    chain.new_entries = false;
  }
  dirty_ = 0;
  return ok();
}

Status DirectoryLedgerStore::sync_one(std::string_view name, const Chain& chain) {
  PAWL_ASSIGN_OR_RETURN(const auto dir, open_chain(name, /*make=*/false));
  if (!dir) return corrupt("ledger/" + std::string(name), "it has gone");
  // Volumes that were finished since the last sync, too.
  const std::uint32_t first = chain.durable.volumes == 0 ? 0 : chain.durable.volumes - 1;
  for (std::uint32_t volume = first; volume < chain.now.volumes; ++volume) {
    PAWL_ASSIGN_OR_RETURN(const auto file, open_volume(dir->get(), name, volume, O_WRONLY));
    if (calls_.fsync(file.get()) != 0)
      return error_of_errno(errno, "syncing", describe(name, volume));
  }
  if (chain.new_entries) {
    PAWL_ASSIGN_OR_RETURN(const auto ledger, open_ledger());
    if (calls_.fsync(dir->get()) != 0 || calls_.fsync(ledger.get()) != 0) {
      return error_of_errno(errno, "syncing directory", "ledger/" + std::string(name));
    }
  }
  return ok();
}

Awaitable<Status> DirectoryLedgerStore::reopen() { co_return take_back(); }

Status DirectoryLedgerStore::take_back() {
  for (auto& [name, chain] : chains_) {
    chain.new_volume = false;
    if (failed_ || chain.now != chain.durable || chain.new_entries) {
      failed_ = true;  // until all of it has been taken back
      PAWL_TRY(take_back_one(name, chain));
    }
  }
  failed_ = false;
  dirty_ = 0;
  return ok();
}

// The pages after the last good sync are cut off. Those before it may share a block with what
// failed to be written, and that block may now be clean in the cache and old on the disk: so the
// block is written once more.
Status DirectoryLedgerStore::take_back_one(std::string_view name, Chain& chain) {
  PAWL_ASSIGN_OR_RETURN(const auto dir, open_chain(name, /*make=*/false));
  if (!dir) {
    if (chain.durable.volumes > 0) return corrupt("ledger/" + std::string(name), "it has gone");
    chain = Chain{};
    return ok();
  }
  for (std::uint32_t volume = chain.now.volumes + 1; volume > chain.durable.volumes; --volume) {
    if (::unlinkat(dir->get(), volume_name(volume - 1).c_str(), 0) != 0 && errno != ENOENT) {
      return error_of_errno(errno, "removing", describe(name, volume - 1));
    }
  }
  if (chain.durable.volumes > 0) {
    const std::uint32_t volume = chain.durable.volumes - 1;
    const std::uint64_t size = chain.durable.size;
    const std::string what = describe(name, volume);
    PAWL_ASSIGN_OR_RETURN(const auto file, open_volume(dir->get(), name, volume, O_RDWR));
    PAWL_ASSIGN_OR_RETURN(const std::uint64_t found, size_of(file.get(), what));
    if (found < size) return corrupt(what, "it is shorter than its last good sync left it");
    if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
      return error_of_errno(errno, "cutting", what);
    }
    constexpr std::uint64_t kBlock = 65536;  // no file system's block is larger
    const std::uint64_t block = size - size % kBlock;
    std::string bytes;
    PAWL_TRY(read_at(file.get(), block, static_cast<std::size_t>(size - block), bytes, what));
    if (::lseek(file.get(), static_cast<off_t>(block), SEEK_SET) < 0) {
      return error_of_errno(errno, "writing", what);
    }
    PAWL_TRY(write_all(file.get(), bytes, what));
    if (calls_.fsync(file.get()) != 0) return error_of_errno(errno, "syncing", what);
  }
  if (calls_.fsync(dir->get()) != 0) {
    return error_of_errno(errno, "syncing directory", "ledger/" + std::string(name));
  }
  chain.now = chain.durable;
  // A new chain's directory may stay behind; its entry above is synced with its first page.
  chain.new_entries = false;
  return ok();
}

Awaitable<Status> DirectoryLedgerStore::cut(std::string_view chain) { co_return cut_torn(chain); }

Status DirectoryLedgerStore::cut_torn(std::string_view chain) {
  PAWL_TRY(refuse_if_failed("cutting a torn page off the ledger"));
  PAWL_ASSIGN_OR_RETURN(Chain * state, state_of(chain));
  PAWL_ASSIGN_OR_RETURN(const ChainEnd end, read_end(chain));
  if (end.torn_bytes == 0) return ok();
  PAWL_ASSERT(end.torn_bytes <= state->now.size);
  PAWL_ASSIGN_OR_RETURN(const auto dir, open_chain(chain, /*make=*/false));
  if (!dir) return corrupt("ledger/" + std::string(chain), "it has gone");
  const std::uint32_t volume = state->now.volumes - 1;
  const std::string what = describe(chain, volume);
  PAWL_ASSIGN_OR_RETURN(const auto file, open_volume(dir->get(), chain, volume, O_WRONLY));
  const std::uint64_t size = state->now.size - end.torn_bytes;
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0)
    return error_of_errno(errno, "cutting", what);
  if (calls_.fsync(file.get()) != 0) return error_of_errno(errno, "syncing", what);
  state->now.size = size;
  state->durable.size = size;
  return ok();
}

Awaitable<Status> DirectoryLedgerStore::put_tip(std::string_view line) {
  const auto put = [this, line]() -> Status {
    FileDescriptor tmp(::openat(archive_.pawl(), "tmp", kDirectoryFlags));
    if (!tmp) return error_of_errno(errno, "opening directory", archive_.path() + "/.pawl/tmp");
    constexpr const char* kTemporary = "tip";
    {
      const FileDescriptor file(::openat(
          tmp.get(), kTemporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
      if (!file) return error_of_errno(errno, "creating temporary", kTemporary);
      PAWL_TRY(write_all(file.get(), line, "the tip"));
      if (calls_.fsync(file.get()) != 0) return error_of_errno(errno, "syncing", "the tip");
    }
    if (::renameat(tmp.get(), kTemporary, archive_.pawl(), "tip") != 0) {
      return error_of_errno(errno, "replacing", "the tip");
    }
    if (calls_.fsync(archive_.pawl()) != 0) {
      return error_of_errno(errno, "syncing directory", archive_.path() + "/.pawl");
    }
    return ok();
  };
  co_return put();
}

Awaitable<Result<std::optional<std::string>>> DirectoryLedgerStore::tip() {
  co_return read_file(archive_.pawl(), "tip", kTipBytesMax);
}

}  // namespace pawl

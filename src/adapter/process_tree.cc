#include "adapter/process_tree.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <memory>
#include <set>
#include <string>

#include "adapter/posix_file.h"

namespace pawl {
namespace {

constexpr std::size_t kFileMax = 256 * 1024;  // of one file that a process may grow
constexpr std::size_t kSocketsMax = 64 << 20;
constexpr std::size_t kThreadsMax = 4096;
// Killing looks again until nobody is left who may have started another meanwhile.
constexpr int kRoundsMax = 8;

std::string read_proc(const std::string& path, std::size_t most) {
  std::string text;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return text;
  std::array<char, 8192> piece;  // NOLINT: filled by read
  while (text.size() < most) {
    const auto size = ::read(file.get(), piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
  return text;
}

// Calls `each` with every number that is a name in the folder, until it says false.
template <typename F>
void each_number_in(const std::string& folder, F&& each) {
  struct Closing {
    void operator()(::DIR* open) const { ::closedir(open); }
  };
  const std::unique_ptr<::DIR, Closing> open(::opendir(folder.c_str()));
  if (!open) return;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): of a stream of its own
  while (const ::dirent* const entry = ::readdir(open.get())) {
    const std::string_view name(entry->d_name);
    int number = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || stop != name.data() + name.size()) continue;
    if (!each(number)) return;
  }
}

void children_of(::pid_t pid, std::vector<::pid_t>& into) {
  const std::string tasks = fmt::format("/proc/{}/task", pid);
  std::size_t threads = 0;
  each_number_in(tasks, [&](int thread) {
    const std::string text = read_proc(fmt::format("{}/{}/children", tasks, thread), kFileMax);
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
      ::pid_t child = 0;
      const auto [stop, error] = std::from_chars(at, end, child);
      if (error != std::errc()) break;
      into.push_back(child);
      at = stop + 1;
    }
    return ++threads < kThreadsMax && into.size() < kTreeProcessesMax;
  });
}

std::uint64_t resident_of(::pid_t pid) {
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::string statm = read_proc(fmt::format("/proc/{}/statm", pid), 4096);
  std::uint64_t pages = 0;
  if (const auto space = statm.find(' '); space != std::string::npos) {
    std::from_chars(statm.data() + space + 1, statm.data() + statm.size(), pages);
  }
  return pages * page;
}

std::uint64_t proportional_of(::pid_t pid) {
  const std::string rollup = read_proc(fmt::format("/proc/{}/smaps_rollup", pid), 4096);
  constexpr std::string_view kPss = "\nPss:";
  const auto found = rollup.find(kPss);
  if (found == std::string::npos) return resident_of(pid);  // it is not shown to us
  const auto digits = rollup.find_first_not_of(' ', found + kPss.size());
  std::uint64_t kibi = 0;
  if (digits != std::string::npos) {
    std::from_chars(rollup.data() + digits, rollup.data() + rollup.size(), kibi);
  }
  return kibi * 1024;
}

bool has_mark(::pid_t pid, ::uid_t user, std::string_view mark) {
  struct stat found {};
  const std::string folder = fmt::format("/proc/{}", pid);
  if (::stat(folder.c_str(), &found) != 0 || found.st_uid != user) return false;
  const std::string environment = read_proc(folder + "/environ", kFileMax);
  for (auto at = environment.find(mark); at != std::string::npos;
       at = environment.find(mark, at + 1)) {
    const auto end = at + mark.size();
    const bool begins = at == 0 || environment[at - 1] == '\0';
    if (begins && (end == environment.size() || environment[end] == '\0')) return true;
  }
  return false;
}

// The inode in a file as /proc/net/tcp: "sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...".
std::optional<std::uint64_t> inode_in(const std::string& path, std::string_view from,
                                      std::string_view to) {
  const std::string text = read_proc(path, kSocketsMax);
  std::string_view rest(text);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    std::array<std::string_view, 10> fields;
    for (auto& field : fields) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      const auto size = std::min(line.find(' '), line.size());
      field = line.substr(0, size);
      line.remove_prefix(size);
    }
    // An IPv4 address in an IPv6 socket stands at the end of that.
    if (!fields[1].ends_with(from) || !fields[2].ends_with(to)) continue;
    std::uint64_t inode = 0;
    std::from_chars(fields[9].data(), fields[9].data() + fields[9].size(), inode);
    if (inode != 0) return inode;
  }
  return std::nullopt;
}

// Of one connection, by sock_diag(7): 50 us, where reading /proc/net/tcp takes 10 ms and more. Finds it in IPv6 sockets, too.
std::optional<std::uint64_t> ask_kernel(const LoopbackConnection& connection) {
  const FileDescriptor socket(
      ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
  if (!socket) return std::nullopt;
  struct {
    ::nlmsghdr header;
    ::inet_diag_req_v2 asked;
  } question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  auto& asked = question.asked;
  asked.sdiag_family = AF_INET;
  asked.sdiag_protocol = IPPROTO_TCP;
  asked.idiag_states = ~0U;
  asked.id.idiag_sport = htons(connection.from_port);
  asked.id.idiag_dport = htons(connection.to_port);
  asked.id.idiag_src[0] = htonl(connection.from_address);
  asked.id.idiag_dst[0] = htonl(connection.to_address);
  asked.id.idiag_cookie[0] = asked.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (::send(socket.get(), &question, sizeof question, 0) != sizeof question) return std::nullopt;
  struct {
    ::nlmsghdr header;
    ::inet_diag_msg found;
    std::array<char, 1024> more;
  } answer{};
  // The kernel has answered within send().
  const auto size = ::recv(socket.get(), &answer, sizeof answer, 0);
  constexpr auto kLeast = static_cast<ssize_t>(sizeof answer.header + sizeof answer.found);
  if (size < kLeast || answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  if (answer.found.idiag_inode == 0) return std::nullopt;
  return answer.found.idiag_inode;
}

}  // namespace

std::vector<::pid_t> process_tree(::pid_t root) {
  std::vector<::pid_t> tree;
  if (root <= 0 || ::access(fmt::format("/proc/{}", root).c_str(), F_OK) != 0) return tree;
  tree.push_back(root);
  std::set<::pid_t> seen{root};
  std::vector<::pid_t> children;
  for (std::size_t i = 0; i < tree.size() && tree.size() < kTreeProcessesMax; ++i) {
    children.clear();
    children_of(tree[i], children);
    for (const ::pid_t child : children) {
      if (seen.insert(child).second) tree.push_back(child);
    }
  }
  return tree;
}

std::uint64_t resident_bytes(::pid_t root, std::uint64_t exact_beyond) {
  const auto tree = process_tree(root);
  std::uint64_t bytes = 0;
  for (const ::pid_t pid : tree) bytes += resident_of(pid);
  if (bytes <= exact_beyond || tree.size() < 2) return bytes;
  std::uint64_t exact = 0;
  for (const ::pid_t pid : tree) exact += proportional_of(pid);
  return std::min(exact, bytes);
}

void kill_tree(::pid_t root) {
  if (root <= 0) return;
  std::set<::pid_t> killed;
  for (int round = 0; round < kRoundsMax; ++round) {
    bool more = false;
    const auto tree = process_tree(root);
    for (std::size_t i = 1; i < tree.size(); ++i) {
      if (!killed.insert(tree[i]).second) continue;
      more = true;
      ::kill(tree[i], SIGKILL);
    }
    if (!more) break;
  }
  ::kill(-root, SIGKILL);
  ::kill(root, SIGKILL);
}

void kill_marked(::uid_t user, std::string_view mark) {
  for (int round = 0; round < kRoundsMax; ++round) {
    bool found = false;
    each_number_in("/proc", [&](int pid) {
      if (!has_mark(pid, user, mark)) return true;
      const FileDescriptor held(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
      // Looked at again: the number may have gone to another between the two.
      if (!held || !has_mark(pid, user, mark)) return true;
      found = true;
      ::syscall(SYS_pidfd_send_signal, held.get(), SIGKILL, nullptr, 0);
      return true;
    });
    if (!found) return;
  }
}

std::optional<std::uint64_t> inode_of(const LoopbackConnection& connection) {
  static std::atomic<bool> answers{
      false};  // the kernel has the module: what it does not find is gone
  if (const auto inode = ask_kernel(connection)) {
    answers = true;
    return inode;
  }
  if (answers) return std::nullopt;
  // The address as the bytes in memory, the port as a number.
  const std::string from =
      fmt::format("{:08X}:{:04X}", htonl(connection.from_address), connection.from_port);
  const std::string to =
      fmt::format("{:08X}:{:04X}", htonl(connection.to_address), connection.to_port);
  if (const auto inode = inode_in("/proc/net/tcp", from, to)) return inode;
  return inode_in("/proc/net/tcp6", from, to);
}

::pid_t owner_of_socket(::pid_t root, std::uint64_t inode) {
  const std::string wanted = fmt::format("socket:[{}]", inode);
  for (const ::pid_t pid : process_tree(root)) {
    const std::string folder = fmt::format("/proc/{}/fd", pid);
    bool found = false;
    each_number_in(folder, [&](int fd) {
      std::array<char, 64> to{};
      const auto size = ::readlink(fmt::format("{}/{}", folder, fd).c_str(), to.data(), to.size());
      found = size > 0 && std::string_view(to.data(), static_cast<std::size_t>(size)) == wanted;
      return !found;
    });
    if (found) return pid;
  }
  return -1;
}

}  // namespace pawl

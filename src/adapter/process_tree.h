// A process and all that it has started, as /proc has them: who they are, what memory they hold, whether a connection is one of
// theirs, and their end.
//
// They are hostile, and come and go while one looks: all is bounded, and what is gone is passed over. Linux's proc(5): the children
// of every thread stand in task/TID/children; a process whose parent has ended is in none. So each has a mark in its environment
// too, by which kill_marked() finds what has left the tree. What has both left it and changed its environment is not found.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pawl {

inline constexpr std::size_t kTreeProcessesMax = 2048;

// `root` first, then its children, and theirs; empty if it is gone.
std::vector<::pid_t> process_tree(::pid_t root);

// Bytes that the tree holds resident; 0 if it is gone. Beyond `exact_beyond` pages that several of them share are counted once (the
// kernel's proportional size, which costs more to ask for); below, once for each.
std::uint64_t resident_bytes(::pid_t root, std::uint64_t exact_beyond);

// Kills `root`, its process group, and its tree, the descendants before what they would be handed to.
void kill_tree(::pid_t root);
// Kills every process of `user` that has `mark` ("NAME=VALUE") in its environment. `mark` must be unguessable.
void kill_marked(::uid_t user, std::string_view mark);

// A loopback connection: address and port of its two ends, in the host's order, as the one who connected sees them.
struct LoopbackConnection {
  std::uint32_t from_address = 0;
  std::uint16_t from_port = 0;
  std::uint32_t to_address = 0;
  std::uint16_t to_port = 0;
};
// The inode of the socket of who connected, of this network namespace; nothing if it is not to be found any more.
std::optional<std::uint64_t> inode_of(const LoopbackConnection& connection);
// The first process of the tree that has this socket open, or -1: none.
::pid_t owner_of_socket(::pid_t root, std::uint64_t inode);

}  // namespace pawl

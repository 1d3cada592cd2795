"""Which folder may see what. The folders' own dependencies are declared in src/CMakeLists.txt; these rules
are about libraries, and about what would make a stage nondeterministic."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Where the logic of a stage lives. It gets clock, random source, files, sockets and threads as ports.
STAGES = frozenset({
    "base", "port", "item", "expression", "stream", "table", "bucket", "trigger", "archive", "ledger", "queue",
    "audit", "pipeline", "guard", "drill", "function",
})
COMPOSITIONS = frozenset({"server", "cli"})


@dataclass(frozen=True)
class LibraryRule:
    """Headers whose name starts with one of `prefixes` are seen only in `folders` and in `files`."""

    name: str
    prefixes: tuple[str, ...]
    folders: frozenset[str]
    files: frozenset[str] = frozenset()


LIBRARY_RULES = (
    LibraryRule("RocksDB", ("rocksdb/",), frozenset({"adapter"})),
    LibraryRule("libcurl", ("curl/",), frozenset({"adapter"}) | COMPOSITIONS),
    LibraryRule("OpenSSL", ("openssl/",), frozenset({"adapter", "sigv4", "wire"}), frozenset({"base/digest.cc"})),
    LibraryRule("simdjson", ("simdjson",),
                frozenset({"item", "archive", "adapter", "audit", "wire", "trigger", "drill"}) | COMPOSITIONS),
    LibraryRule("Boost.Beast", ("boost/beast",), frozenset({"adapter", "wire"}) | COMPOSITIONS),
    LibraryRule("libarchive", ("archive.h", "archive_entry.h"), frozenset({"adapter"})),
    LibraryRule("toml++", ("toml++/", "toml.hpp"), frozenset({"server"})),
    LibraryRule("CLI11", ("CLI/",), frozenset({"cli"})),
    LibraryRule("spdlog", ("spdlog/",), frozenset({"observe"}) | COMPOSITIONS),
    # Of Asio, stages see coroutines and the executor: never a timer, a socket or a signal.
    LibraryRule("Asio timers and sockets",
                tuple("boost/asio/" + name for name in (
                    "basic_waitable_timer", "basic_deadline_timer", "deadline_timer", "steady_timer",
                    "system_timer", "high_resolution_timer", "ip/", "local/", "posix/", "ssl", "signal_set",
                    "basic_socket", "basic_stream_socket", "basic_datagram_socket", "read.hpp", "write.hpp",
                    "connect.hpp", "io_context", "thread_pool", "serial_port", "stream_file",
                    "random_access_file")) + ("boost/asio.hpp",),
                frozenset({"adapter", "wire"}) | COMPOSITIONS),
    LibraryRule("sockets", ("sys/socket.h", "sys/un.h", "netinet/", "arpa/", "netdb.h", "sys/epoll.h", "poll.h"),
                frozenset({"adapter", "wire"}) | COMPOSITIONS),
)

# A stage that includes one of these has a thread, a file or a random source of its own. (A mutex is none of
# them: it guards what readers on other threads look at, and decides nothing.)
WORLD_HEADERS = frozenset({
    "thread", "condition_variable", "future", "semaphore", "latch", "barrier", "fstream", "filesystem", "random",
    "unistd.h", "fcntl.h", "dirent.h", "pthread.h", "sys/stat.h", "sys/file.h", "sys/random.h",
    "sys/mman.h", "sys/wait.h", "sys/statvfs.h", "time.h", "sys/time.h",
})

# The exceptions, each with its reason.
WORLD_HEADERS_ALLOWED = frozenset({
    "audit/external_sort.cc",  # the verifier spills to unnamed temporary files, which nothing outside it can see
    "trigger/state_thread.h", "trigger/state_thread.cc",  # runs the mappings' state in the server; tests step it themselves
})


@dataclass(frozen=True)
class TokenRule:
    """Text (comments and strings taken out) that is not written outside `folders`."""

    pattern: re.Pattern[str]
    folders: frozenset[str]
    why: str


TOKEN_RULES = (
    TokenRule(re.compile(r"\b(steady|system|high_resolution)_timer\b"), frozenset({"adapter", "wire", "server"}),
              "on a foreign executor it fires from a hidden real-time thread; use the Clock port"),
    TokenRule(re.compile(r"\b(steady|system|high_resolution)_clock::now\b"),
              frozenset({"adapter", "wire", "observe"}) | COMPOSITIONS, "a stage asks the Clock port"),
)

# The verifier shares nothing with the writers of what it verifies, but the digest and plain types below them.
VERIFIER = "audit"
VERIFIER_MAY_SEE = frozenset({"base", "port"})

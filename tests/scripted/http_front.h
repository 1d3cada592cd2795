// HTTP/1.1 on one loopback port, keep-alive, "Expect: 100-continue" answered: bytes in, bytes out.
#pragma once

#include <cstdint>

#include "dispatcher.h"

namespace scripted {

// Serves until SIGTERM or SIGINT, on `threads` threads; prints where it listens. Port 0: a free one. Throws
// std::exception where the port can't be had.
void serve(Dispatcher& dispatcher, std::uint16_t port, unsigned threads);

}  // namespace scripted

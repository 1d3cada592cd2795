// The signals by which a person or a supervisor ends what runs until then.
#pragma once

#include <signal.h>

namespace pawl::cli {

// Blocks SIGINT and SIGTERM, and gives them as a set for sigtimedwait(2). Before any thread is made: threads inherit it, so
// that only who waits for them takes them.
sigset_t block_stop_signals();

}  // namespace pawl::cli

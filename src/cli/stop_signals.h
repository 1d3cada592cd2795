// The signals by which a person or a supervisor ends what runs until then.
#pragma once

#include <signal.h>

#include <array>

namespace pawl::cli {

// Blocks SIGINT and SIGTERM, and gives them as a set for sigtimedwait(2). Before any thread is made: threads inherit it, so
// that only who waits for them takes them.
sigset_t block_stop_signals();

// Turns SIGINT and SIGTERM into a question, from here to its end, for a command that must not break off in the middle of a
// step; its threads may be there already. The second signal ends the process as ever. One at a time.
class StopQuestion {
 public:
  StopQuestion();
  ~StopQuestion();
  StopQuestion(const StopQuestion&) = delete;
  StopQuestion& operator=(const StopQuestion&) = delete;

  static bool asked();

 private:
  std::array<struct sigaction, 2> before_{};
};

}  // namespace pawl::cli

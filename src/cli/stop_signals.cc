#include "cli/stop_signals.h"

namespace pawl::cli {
namespace {

constexpr std::array<int, 2> kStopSignals{SIGINT, SIGTERM};
volatile sig_atomic_t stop_asked = 0;

void ask_to_stop(int /*signal*/) { stop_asked = 1; }

}  // namespace

StopQuestion::StopQuestion() {
  stop_asked = 0;
  struct sigaction ask {};
  ask.sa_handler = ask_to_stop;
  ask.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  for (std::size_t i = 0; i < kStopSignals.size(); ++i)
    ::sigaction(kStopSignals[i], &ask, &before_[i]);
}

StopQuestion::~StopQuestion() {
  for (std::size_t i = 0; i < kStopSignals.size(); ++i)
    ::sigaction(kStopSignals[i], &before_[i], nullptr);
}

bool StopQuestion::asked() { return stop_asked != 0; }

sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

}  // namespace pawl::cli

// The embedded server: every stage of one change put together, over real adapters. `pawl serve` and `pawl demo`.
//
// Threads: one or more of HTTP, one that commits, one that records. start(), stop() and housekeeping() from one
// thread; status_json() and metrics_text() from any.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "server/config.h"

namespace pawl::server {

// Milestones in how long a stop may take.
inline constexpr std::chrono::seconds kStopAnswersGrace{2};
// How often housekeeping() is to be called.
inline constexpr std::chrono::seconds kHousekeepingInterval{5};

class Server {
 public:
  // Opens data directory and archive, compares them, and listens. A disagreement between them is no error: reads are
  // served, writes refused until `pawl adopt`. Errors: as of the adapters, each saying what to do.
  static Result<std::unique_ptr<Server>> start(const ServerConfig& config);
  ~Server();

  const std::string& endpoint() const;  // "http://127.0.0.1:8000"
  // Why writes are refused since the start, if they are.
  const std::string& refusal() const;

  std::string status_json() const;
  std::string metrics_text() const;

  // Keeps the clock's file up to date and logs alarms that came up.
  void housekeeping();
  // Takes no more requests, lets what was acknowledged reach the archive for a few seconds (what does not is held in
  // the change log), and closes everything.
  void stop();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace pawl::server

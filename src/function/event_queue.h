// Asynchronous invocations (InvocationType Event): durable before they are accepted, and kept until their function has done them
// or they are discarded. At least once: after a crash, what was under way is begun again.
//
// Payloads stay in the store; in memory is where each event stands.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "function/event_lines.h"
#include "function/function_pool.h"
#include "function/function_types.h"
#include "port/clock.h"
#include "port/key_value_store.h"

namespace pawl::function {

inline constexpr std::size_t kEventBytesMax = 256 * 1024;  // a payload: the service's bound

// All must outlive the queue.
struct EventPorts {
  KeyValueStore& store;
  Clock& clock;
  FunctionLog& log;                                           // on the executor of run()
  std::function<FunctionPtr(std::string_view name)> find;     // thread-safe
  std::function<void(FunctionCall call)> submit;              // thread-safe
  std::function<void(std::function<void()> work)> elsewhere;  // where the store may be written
  std::function<void(std::uint64_t function)> on_discarded;   // by its id; on the executor of run()
  std::function<void(const std::string& why)> on_unknown;
};

class EventQueue {
 public:
  // Reads what was accepted before. Errors: kCorrupt; the store's.
  static Result<std::unique_ptr<EventQueue>> open(EventPorts ports);

  // Durable when it returns. Where the store may be written. Errors: kExhausted (too many wait, of which
  // function, and why), kUnavailable, kUnknown.
  Status add(const FunctionRecord& function, std::string request_id, std::string trace_id,
             std::string payload);

  // Hands out what is due, until stop(). Once.
  Awaitable<void> run();
  // Nothing is begun from then on. What is under way may go on: what comes to its end is not begun again by the next server, if
  // `elsewhere` still runs what it is given.
  void stop();

  std::size_t size() const;
  // How many there are of each function that has any, by its id. No walk over the events.
  std::map<std::uint64_t, std::uint64_t> waiting() const;

 private:
  struct Event {
    EventState state;
    std::uint64_t function = 0;  // its id
    std::string name;
    std::string request_id;
    std::string trace_id;
    std::uint64_t bytes = 0;
  };

  explicit EventQueue(EventPorts ports);
  static std::string key_of(std::string_view prefix, std::uint64_t number);
  static std::string encode(const Event& event);
  static Result<Event> decode(std::string_view bytes);
  Status load();
  Status write(const WriteBatch& batch, Sync sync);
  // What is due, marked as under way; and when something will be.
  std::vector<std::pair<std::uint64_t, Event>> take_due(MonotonicInstant& wake);
  Error too_many(const FunctionRecord& function) const;
  void begin(std::uint64_t number, const Event& event);
  void ended(std::uint64_t number, const InvocationResult& result);
  void forget(std::uint64_t number);

  EventPorts ports_;
  std::unique_ptr<Alarm> alarm_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Event> events_;  // guarded by mutex_
  EventLines lines_;                       // guarded by mutex_; of the same events
  std::uint64_t newest_ = 0;               // guarded by mutex_
  bool stopping_ = false;                  // guarded by mutex_
};

}  // namespace pawl::function

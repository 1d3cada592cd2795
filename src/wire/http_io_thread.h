// One I/O thread of the server: its event loop, its sessions and the mailbox through which answers that were
// made elsewhere come back. Internal to http_server.cc and http_session.cc.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "wire/http_server.h"

namespace pawl::wire {

class HttpSession;

// What all threads of one server share. Outlives every session.
struct HttpServerState {
  HttpServerOptions options;
  HttpHandler* handler = nullptr;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> held_body_bytes{0};
  std::atomic<bool> stopping{false};
};

class HttpIoThread : public std::enable_shared_from_this<HttpIoThread> {
 public:
  explicit HttpIoThread(std::shared_ptr<HttpServerState> state);

  void run();   // starts the thread
  void join();  // asks the loop to end, and waits; whatever it still held is destroyed

  // From any thread: the answer reaches its session on this thread. Many answers wake it once.
  void hand_over(std::shared_ptr<HttpSession> session, std::optional<HttpResponse> response);
  // From any thread: `work` is done on this thread, or never, once the loop is ending.
  void run_later(std::function<void()> work);
  bool is_current() const {
    return std::this_thread::get_id() == thread_id_.load(std::memory_order_relaxed);
  }

  boost::asio::io_context& context() { return context_; }
  HttpServerState& state() { return *state_; }

  // On this thread only.
  bool add(
      const std::shared_ptr<HttpSession>& session);  // false: the loop is ending, and takes no more
  void remove(HttpSession& session);
  void close_idle();  // those that wait for a request
  void close_all();
  std::chrono::steady_clock::time_point now() const {
    return now_;
  }                                                       // as of the last tick, or newer
  std::string_view date_header() const { return date_; }  // "Date: …\r\n"
  std::string next_request_id();

 private:
  void tick();
  void deliver();

  std::shared_ptr<HttpServerState> state_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::thread thread_;
  std::atomic<std::thread::id> thread_id_{};
  std::list<std::weak_ptr<HttpSession>> sessions_;
  bool ending_ = false;  // nothing may begin to wait any more: the loop ends when nothing waits
  std::chrono::steady_clock::time_point now_;
  std::string date_;
  std::uint64_t id_high_ = 0, id_low_ = 0;

  using Answer = std::pair<std::shared_ptr<HttpSession>, std::optional<HttpResponse>>;
  std::mutex mutex_;
  std::vector<Answer> answers_;     // guarded by mutex_
  bool delivery_posted_ = false;    // guarded by mutex_
  bool ended_ = false;              // guarded by mutex_
  std::vector<Answer> delivering_;  // this thread only; kept for its memory
};

}  // namespace pawl::wire

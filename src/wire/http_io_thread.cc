#include "wire/http_io_thread.h"

#include <boost/asio/post.hpp>
#include <ctime>
#include <random>

#include "wire/http_session.h"

namespace pawl::wire {
namespace {

namespace asio = boost::asio;

// Sessions, requests and dates are looked at this often.
constexpr std::chrono::milliseconds kTick{1000};

std::string make_date_header() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  // The C locale's names: nothing in Pawl sets another.
  const std::size_t size =
      std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
  return {text, size};
}

}  // namespace

HttpIoThread::HttpIoThread(std::shared_ptr<HttpServerState> state)
    : state_(std::move(state)),
      work_(asio::make_work_guard(context_)),
      timer_(context_),
      now_(std::chrono::steady_clock::now()),
      date_(make_date_header()) {
  std::random_device device;
  id_high_ = (std::uint64_t{device()} << 32) | device();
  id_low_ = (std::uint64_t{device()} << 32) | device();
}

void HttpIoThread::run() {
  thread_ = std::thread([this] {
    thread_id_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    tick();
    context_.run();
  });
}

void HttpIoThread::join() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    answers_.clear();
  }
  asio::post(context_, [this] {
    ending_ = true;
    timer_.cancel();
    close_all();
    work_.reset();
  });
  if (thread_.joinable()) thread_.join();
  // Handlers that never ran hold sessions, which hold this: let them go.
  context_.restart();
  context_.poll();
}

void HttpIoThread::hand_over(std::shared_ptr<HttpSession> session,
                             std::optional<HttpResponse> response) {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  answers_.emplace_back(std::move(session), std::move(response));
  if (delivery_posted_) return;
  delivery_posted_ = true;
  asio::post(context_, [this] { deliver(); });
}

void HttpIoThread::run_later(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (!ended_) asio::post(context_, std::move(work));
}

void HttpIoThread::deliver() {
  {
    const std::lock_guard lock(mutex_);
    delivering_.swap(answers_);
    delivery_posted_ = false;
  }
  for (Answer& answer : delivering_) answer.first->deliver(std::move(answer.second));
  delivering_.clear();
}

bool HttpIoThread::add(const std::shared_ptr<HttpSession>& session) {
  if (ending_) return false;
  now_ = std::chrono::steady_clock::now();
  session->place = sessions_.insert(sessions_.end(), session);
  return true;
}

void HttpIoThread::remove(HttpSession& session) {
  if (session.place) sessions_.erase(*session.place);
  session.place.reset();
}

void HttpIoThread::close_idle() {
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const auto session = (at++)->lock();
    if (session) session->close_if_idle();
  }
}

void HttpIoThread::close_all() {
  while (!sessions_.empty()) {
    const auto session = sessions_.front().lock();
    if (session) {
      session->close();
    } else {
      sessions_.pop_front();
    }
  }
}

void HttpIoThread::tick() {
  now_ = std::chrono::steady_clock::now();
  date_ = make_date_header();
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const auto session = (at++)->lock();
    if (session) session->check_deadline(now_);
  }
  timer_.expires_after(kTick);
  timer_.async_wait([this](boost::system::error_code ec) {
    // A wait that had run out before it was cancelled knows nothing of that: its handler was queued already.
    if (!ec && !ending_) tick();
  });
}

std::string HttpIoThread::next_request_id() {
  // SplitMix64 of a counter that starts at random: unique in this thread, and not to be guessed by chance.
  std::uint64_t x = id_low_ += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  x ^= x >> 31;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id(32, '0');
  const std::uint64_t high = id_high_;
  for (unsigned i = 0; i < 16; ++i) {
    id[i] = kDigits[(high >> (60 - 4 * i)) & 15];
    id[16 + i] = kDigits[(x >> (60 - 4 * i)) & 15];
  }
  return id;
}

}  // namespace pawl::wire

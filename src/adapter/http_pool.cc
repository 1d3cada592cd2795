#include "adapter/http_pool.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "adapter/curl_global.h"
#include "adapter/posix_file.h"
#include "base/assert.h"
#include "base/http_header.h"

namespace pawl {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kHeadersMax = 100;
constexpr std::size_t kHeaderBytesMax = 8192;  // of one header; longer ones are dropped
constexpr int kEventsAtOnce = 128;

using Steady = std::chrono::steady_clock;

}  // namespace

std::string_view HttpReply::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

// One request on its way. Owned by the queue, then by the thread.
struct Transfer {
  HttpCall call;
  asio::any_io_executor executor;
  std::function<void(HttpReply)> resume;  // its coroutine; on the executor
  HttpReply reply;
  curl_slist* headers = nullptr;
  bool too_large = false;
  char why[CURL_ERROR_SIZE] = "";

  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() { curl_slist_free_all(headers); }
};

namespace {

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* out) {
  auto& transfer = *static_cast<Transfer*>(out);
  if (transfer.reply.body.size() + size * count > transfer.call.answer_bytes_max) {
    transfer.too_large = true;
    return 0;  // curl gives up
  }
  transfer.reply.body.append(bytes, size * count);
  return size * count;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* out) {
  auto& reply = static_cast<Transfer*>(out)->reply;
  const std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) reply.headers.clear();  // after a 100 Continue another head comes
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || line.size() > kHeaderBytesMax ||
      reply.headers.size() == kHeadersMax)
    return line.size();
  std::string name(line.substr(0, colon));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::string_view value = line.substr(colon + 1);
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!value.empty() && blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && blank(value.back())) value.remove_suffix(1);
  reply.headers.emplace_back(std::move(name), value);
  return line.size();
}

int ask_whether_to_send(void* in, char* /*to*/, char* /*from*/, int /*to_port*/,
                        int /*from_port*/) {
  return static_cast<Transfer*>(in)->call.may_send() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

}  // namespace

// The thread learns from epoll which connections have something to say and tells curl of these alone: what one answer costs doesn't
// depend on how many others are awaited (curl_multi_perform() looks at all of them each time).
struct HttpPool::Engine {
  explicit Engine(HttpPoolOptions settings) : options(std::move(settings)) {
    initialise_curl();
    multi = curl_multi_init();
    PAWL_ASSERT(multi != nullptr);
    const auto most =
        static_cast<long>(options.connections_max);  // NOLINT(google-runtime-int): curl's
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, most);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    PAWL_ASSERT(poll && woken);
    watch(woken.get(), EPOLLIN, EPOLL_CTL_ADD);
    thread = std::thread([this] { run(); });
  }
  ~Engine() {
    stopping = true;
    wake();
    thread.join();
    for (CURL* const easy : idle) curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void enqueue(std::unique_ptr<Transfer> transfer) {
    bool first = false;
    {
      const std::lock_guard lock(mutex);
      first = queue.empty();
      queue.push_back(std::move(transfer));
    }
    if (first) wake();  // who takes one takes all
  }
  void wake() const {
    const std::uint64_t one = 1;
    PAWL_ASSERT(::write(woken.get(), &one, sizeof one) == sizeof one);
  }
  void watch(int socket, std::uint32_t events, int operation) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = socket;
    PAWL_ASSERT(::epoll_ctl(poll.get(), operation, socket, &event) == 0);
  }

  // curl's callbacks, on the thread. `known` is what curl_multi_assign() has given.
  static int watch_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* self, void* known);
  static int set_timer(CURLM* /*multi*/, long milliseconds,  // NOLINT(google-runtime-int): curl's
                       void* self);

  void run();
  void wait();
  int milliseconds_to_wait() const;
  void take_queue();
  void start_waiting();
  void take_answers();
  void start(std::unique_ptr<Transfer> transfer);
  void finish(CURL* easy, CURLcode code);
  void hand_out();

  HttpPoolOptions options;
  CURLM* multi = nullptr;
  FileDescriptor poll{::epoll_create1(EPOLL_CLOEXEC)};
  FileDescriptor woken{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::atomic<bool> stopping = false;
  std::mutex mutex;
  std::deque<std::unique_ptr<Transfer>> queue;
  // The thread's own:
  std::deque<std::unique_ptr<Transfer>> waiting;  // for a connection
  std::optional<Steady::time_point> timer;        // when curl wants to be called
  std::map<CURL*, std::unique_ptr<Transfer>> running;
  std::vector<std::unique_ptr<Transfer>> answered;  // to be handed out
  std::vector<CURL*> idle;  // handles to use again: making one costs more than a small request
  std::thread thread;       // last: it uses the others
};

int HttpPool::Engine::watch_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* self,
                                   void* known) {
  auto& engine = *static_cast<Engine*>(self);
  if (what == CURL_POLL_REMOVE) {
    if (known != nullptr) ::epoll_ctl(engine.poll.get(), EPOLL_CTL_DEL, socket, nullptr);
    curl_multi_assign(engine.multi, socket, nullptr);
    return 0;
  }
  std::uint32_t events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
  engine.watch(socket, events, known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);
  curl_multi_assign(engine.multi, socket, self);
  return 0;
}

int HttpPool::Engine::set_timer(CURLM* /*multi*/,
                                long milliseconds,  // NOLINT(google-runtime-int): curl's
                                void* self) {
  auto& engine = *static_cast<Engine*>(self);
  engine.timer.reset();
  if (milliseconds >= 0) engine.timer = Steady::now() + std::chrono::milliseconds(milliseconds);
  return 0;
}

void HttpPool::Engine::run() {
  while (!stopping) {
    take_queue();
    start_waiting();
    wait();
    take_answers();
  }
  while (!running.empty()) finish(running.begin()->first, CURLE_ABORTED_BY_CALLBACK);
  take_queue();
  for (auto& transfer : waiting) {
    transfer->reply = {HttpReply::Kind::kNotSent, 0, {}, {}, "the client is being closed"};
    answered.push_back(std::move(transfer));
  }
  waiting.clear();
  hand_out();
}

void HttpPool::Engine::take_queue() {
  const std::lock_guard lock(mutex);
  std::move(queue.begin(), queue.end(), std::back_inserter(waiting));
  queue.clear();
}

// Curl gets no more than it has connections for: it goes through those that wait for one whenever it removes a handle.
void HttpPool::Engine::start_waiting() {
  while (!waiting.empty() && running.size() < options.connections_max) {
    start(std::move(waiting.front()));
    waiting.pop_front();
  }
}

int HttpPool::Engine::milliseconds_to_wait() const {
  if (!timer) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*timer - Steady::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

// Until a connection, the timer or another thread has something to say; then lets curl act on it.
void HttpPool::Engine::wait() {
  std::array<epoll_event, kEventsAtOnce> events{};
  const int count = ::epoll_wait(poll.get(), events.data(), kEventsAtOnce, milliseconds_to_wait());
  int active = 0;
  for (int i = 0; i < count; ++i) {
    const auto& event = events.at(static_cast<std::size_t>(i));
    if (event.data.fd == woken.get()) {
      std::uint64_t times = 0;
      (void)!::read(woken.get(), &times, sizeof times);
      continue;
    }
    int what = 0;  // of an error alone: curl looks for itself
    if ((event.events & EPOLLIN) != 0) what |= CURL_CSELECT_IN;
    if ((event.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
    curl_multi_socket_action(multi, event.data.fd, what, &active);
  }
  if (!timer || *timer > Steady::now()) return;
  timer.reset();  // curl sets the next
  curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &active);
}

// All messages are taken first: to remove a handle curl goes through those that are left.
void HttpPool::Engine::take_answers() {
  std::vector<std::pair<CURL*, CURLcode>> done;
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) done.emplace_back(message->easy_handle, message->data.result);
  }
  for (const auto& [easy, code] : done) finish(easy, code);
  hand_out();
}

// What was answered together is resumed together: one post for each executor, which wakes it once.
void HttpPool::Engine::hand_out() {
  while (!answered.empty()) {
    const auto executor = answered.front()->executor;
    const auto others =
        std::stable_partition(answered.begin(), answered.end(),
                              [&](const auto& transfer) { return transfer->executor == executor; });
    // std::function, and so a posted handler of any_io_executor, copies what it holds.
    const auto batch = std::make_shared<std::vector<std::unique_ptr<Transfer>>>(
        std::make_move_iterator(answered.begin()), std::make_move_iterator(others));
    answered.erase(answered.begin(), others);
    const auto posted = std::make_shared<std::atomic<bool>>(false);
    asio::post(executor, [batch, posted] {
      // Microseconds at most: whom this resumes may destroy the context next, and the pool's thread may still be in post().
      posted->wait(false);
      for (auto& transfer : *batch) transfer->resume(std::move(transfer->reply));
    });
    posted->store(true);
    posted->notify_one();
  }
}

void HttpPool::Engine::start(std::unique_ptr<Transfer> transfer) {
  CURL* easy = nullptr;
  if (idle.empty()) {
    easy = curl_easy_init();
    PAWL_ASSERT(easy != nullptr);
  } else {
    easy = idle.back();
    idle.pop_back();
    curl_easy_reset(easy);
  }
  const HttpCall& call = transfer->call;
  for (const auto& [name, value] : call.headers) {
    // "Name;" is how curl is told of a header without a value.
    std::string line = name;
    line.append(value.empty() ? ";" : ": ").append(value);
    transfer->headers = curl_slist_append(transfer->headers, line.c_str());
  }
  transfer->headers = curl_slist_append(transfer->headers, "Expect:");
  transfer->headers = curl_slist_append(transfer->headers, "Accept:");
  curl_easy_setopt(easy, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->why);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer.get());
  if (call.may_send) {
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, ask_whether_to_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer.get());
  }
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  if (call.method == "PUT" || call.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.empty() ? "" : call.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  } else if (call.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  running.emplace(easy, std::move(transfer));
  PAWL_ASSERT(curl_multi_add_handle(multi, easy) == CURLM_OK);
}

void HttpPool::Engine::finish(CURL* easy, CURLcode code) {
  const auto found = running.find(easy);
  PAWL_ASSERT(found != running.end());
  auto transfer = std::move(found->second);
  running.erase(found);
  long status = 0;  // NOLINT(google-runtime-int): curl's
  long sent = 0;    // NOLINT(google-runtime-int): curl's
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
  HttpReply& reply = transfer->reply;
  reply.status = static_cast<unsigned>(status);
  if (code == CURLE_OK) {
    reply.kind = HttpReply::Kind::kAnswered;
  } else {
    reply.kind = transfer->too_large ? HttpReply::Kind::kTooLarge
                 : sent == 0         ? HttpReply::Kind::kNotSent
                                     : HttpReply::Kind::kNoAnswer;
    reply.why = *transfer->why != '\0' ? transfer->why : curl_easy_strerror(code);
  }
  curl_multi_remove_handle(multi, easy);
  idle.push_back(easy);
  answered.push_back(std::move(transfer));
}

HttpPool::HttpPool(HttpPoolOptions options)
    : engine_(std::make_unique<Engine>(std::move(options))) {}
HttpPool::~HttpPool() = default;

Awaitable<HttpReply> HttpPool::send(HttpCall call) {
  auto transfer = std::make_unique<Transfer>();
  transfer->call = std::move(call);
  const auto initiate = [this, &transfer](auto handler) {
    // std::function copies what it holds; the handler can only be moved.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    // The coroutine's own frame keeps the executor's context at work until then.
    transfer->executor = asio::get_associated_executor(*shared);
    transfer->resume = [shared](HttpReply reply) {
      auto resume = std::move(*shared);
      std::move(resume)(std::move(reply));
    };
    engine_->enqueue(std::move(transfer));
  };
  auto reply = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(HttpReply)>(
      initiate, asio::use_awaitable);
  co_return reply;
}

}  // namespace pawl

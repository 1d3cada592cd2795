#include "adapter/http_pool.h"

#include <curl/curl.h>

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "adapter/curl_global.h"
#include "base/assert.h"
#include "base/http_header.h"

namespace pawl {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kHeadersMax = 100;
constexpr std::size_t kHeaderBytesMax = 8192;  // of one header; longer ones are dropped
constexpr int kPollMilliseconds = 1000;        // a wake-up comes by curl_multi_wakeup()

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
  std::function<void(HttpReply)> answer;
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

struct HttpPool::Engine {
  explicit Engine(HttpPoolOptions settings) : options(std::move(settings)) {
    initialise_curl();
    multi = curl_multi_init();
    PAWL_ASSERT(multi != nullptr);
    const auto most =
        static_cast<long>(options.connections_max);  // NOLINT(google-runtime-int): curl's
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, most);
    thread = std::thread([this] { run(); });
  }
  ~Engine() {
    stopping = true;
    curl_multi_wakeup(multi);
    thread.join();
    for (CURL* const easy : idle) curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void enqueue(std::unique_ptr<Transfer> transfer) {
    {
      const std::lock_guard lock(mutex);
      queue.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi);
  }

  void run();
  void start(std::unique_ptr<Transfer> transfer);
  void finish(CURL* easy, CURLcode code);

  HttpPoolOptions options;
  CURLM* multi = nullptr;
  std::atomic<bool> stopping = false;
  std::mutex mutex;
  std::deque<std::unique_ptr<Transfer>> queue;
  // The thread's own:
  std::map<CURL*, std::unique_ptr<Transfer>> running;
  std::vector<CURL*> idle;  // handles to use again: making one costs more than a small request
  std::thread thread;       // last: it uses the others
};

void HttpPool::Engine::run() {
  while (!stopping) {
    std::deque<std::unique_ptr<Transfer>> fresh;
    {
      const std::lock_guard lock(mutex);
      fresh.swap(queue);
    }
    for (auto& transfer : fresh) start(std::move(transfer));
    int active = 0;
    curl_multi_perform(multi, &active);
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
    }
    curl_multi_poll(multi, nullptr, 0, kPollMilliseconds, nullptr);
  }
  while (!running.empty()) finish(running.begin()->first, CURLE_ABORTED_BY_CALLBACK);
  const std::lock_guard lock(mutex);
  for (auto& transfer : queue) {
    transfer->answer({HttpReply::Kind::kNotSent, 0, {}, {}, "the client is being closed"});
  }
  queue.clear();
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
  const auto transfer = std::move(found->second);
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
  transfer->answer(std::move(reply));
}

HttpPool::HttpPool(HttpPoolOptions options)
    : engine_(std::make_unique<Engine>(std::move(options))) {}
HttpPool::~HttpPool() = default;

Awaitable<HttpReply> HttpPool::send(HttpCall call) {
  auto transfer = std::make_unique<Transfer>();
  transfer->call = std::move(call);
  const auto posted = std::make_shared<std::atomic<bool>>(false);
  const auto initiate = [this, &transfer, posted](auto handler) {
    // std::function copies what it holds; the handler can only be moved.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto executor = asio::get_associated_executor(*shared);
    // The coroutine's own frame keeps the executor's context at work until then.
    transfer->answer = [shared, executor, posted](HttpReply reply) {
      asio::post(executor, [shared, reply = std::move(reply)]() mutable {
        auto resume = std::move(*shared);
        std::move(resume)(std::move(reply));
      });
      posted->store(true);
      posted->notify_one();
    };
    engine_->enqueue(std::move(transfer));
  };
  auto reply = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(HttpReply)>(
      initiate, asio::use_awaitable);
  // Microseconds at most: whoever runs this may destroy the context next, and the pool's thread may still be in post().
  posted->wait(false);
  co_return reply;
}

}  // namespace pawl

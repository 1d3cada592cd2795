#include "adapter/runtime_api.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <list>
#include <optional>

#include "adapter/process_tree.h"
#include "adapter/runtime_request.h"
#include "adapter/valid_text.h"
#include "base/json_writer.h"
#include "port/function_host.h"

namespace pawl {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Socket = asio::ip::tcp::socket;
using Response = http::response<http::string_body>;

constexpr std::size_t kConnectionsMax = 16;
constexpr std::size_t kAdmittingMax = 64;
constexpr std::size_t kErrorBytesMax =
    256 * 1024;  // of an error's document: what is more is nothing that a person reads
constexpr std::size_t kShownBytesMax = 1024;  // of what was to be a document, and is none
constexpr std::chrono::milliseconds kAcceptAgain{100};
// The list of a process's children may lack one while others come and go: who is not found is looked for again.
constexpr int kAdmitTries = 3;
constexpr std::chrono::milliseconds kAdmitAgain{10};
constexpr std::string_view kPrefix = "/2018-06-01/runtime/";

bool is_json(const std::string& text) {
  simdjson::dom::parser parser;
  return parser.parse(text).error() == simdjson::SUCCESS;
}

std::string error_text(std::string_view type, std::string_view message) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .field("errorMessage", message)
      .field("errorType", type)
      .end_object();
  return out;
}

std::string unknown_error(std::string_view body) {
  return error_text("Runtime.Unknown", valid_text(body, kShownBytesMax));
}

bool is_alive(::pid_t pid) { return pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM); }

struct Connection {
  explicit Connection(const asio::any_io_executor& executor) : socket(executor) {}
  Socket socket;
  ::pid_t owner = -1;  // which of the processes
};

class AsioRuntimeApi final : public RuntimeApi {
 public:
  // What outlives the facade, while a coroutine still looks at it.
  struct Shared : std::enable_shared_from_this<Shared> {
    Shared(const asio::any_io_executor& executor, ProcessListener& to)
        : acceptor(executor), given(executor), listener(&to) {
      given.expires_at(asio::steady_timer::time_point::max());
    }

    asio::ip::tcp::acceptor acceptor;
    asio::steady_timer given;   // cancelled when an invocation is there, or another asks for it
    ProcessListener* listener;  // null: closed
    ::pid_t root = -1;          // of the processes that are served
    std::string address;
    std::list<std::weak_ptr<Connection>> connections;
    std::size_t admitting = 0;  // looked for again
    // The invocation under way to the process: asked for (awaiting), given (next), being written (sending), then it has it.
    bool awaiting = false;
    std::optional<ProcessInvocation> next;
    bool sending = false;
    std::uint64_t turn = 0;  // of who asked last: whoever asked before is not answered
    std::string current;     // the id of what it has; empty: nothing
    ::pid_t holder = -1;     // which process has it

    void close();
    static asio::awaitable<void> accept(std::shared_ptr<Shared> self);
    static asio::awaitable<void> admit(std::shared_ptr<Shared> self,
                                       std::shared_ptr<Connection> connection);
    static asio::awaitable<void> serve(std::shared_ptr<Shared> self,
                                       std::shared_ptr<Connection> connection);
    static asio::awaitable<bool> serve_next(std::shared_ptr<Shared> self,
                                            std::shared_ptr<Connection> connection, bool keep);
    std::optional<Response> ask(const Connection& connection);
    Response hand_out(const Connection& connection);
    void handed_out(bool done);
    Response answer(const RuntimeRequest& request);
    Response take(std::string_view id, bool is_error, std::string body);
    Response too_large(std::string_view target);
    Response refuse(http::status status, std::string_view type, std::string_view message) const;
  };

  explicit AsioRuntimeApi(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  ~AsioRuntimeApi() override { shared_->close(); }
  const std::string& address() const override { return shared_->address; }
  void serve_only(::pid_t root) override { shared_->root = root; }
  void give(ProcessInvocation invocation) override {
    shared_->next = std::move(invocation);
    shared_->given.cancel();
  }
  void close() override { shared_->close(); }

 private:
  std::shared_ptr<Shared> shared_;
};

using Shared = AsioRuntimeApi::Shared;

Response make_response(http::status status, std::string body) {
  Response response(status, 11);
  response.set(http::field::content_type, "application/json");
  response.body() = std::move(body);
  response.prepare_payload();
  return response;
}

// "invocation/ID/response": the id; nothing if the path is another.
std::optional<std::string_view> id_in(std::string_view path, std::string_view end) {
  constexpr std::string_view kStart = "invocation/";
  if (!path.starts_with(kStart) || !path.ends_with(end)) return std::nullopt;
  path.remove_prefix(kStart.size());
  if (path.size() < end.size()) return std::nullopt;
  path.remove_suffix(end.size());
  if (path.find('/') != std::string_view::npos) return std::nullopt;
  return path;
}

void Shared::close() {
  listener = nullptr;
  error_code ignored;
  acceptor.close(ignored);
  given.cancel();
  for (const auto& weak : connections) {
    if (const auto connection = weak.lock()) connection->socket.close(ignored);
  }
  connections.clear();
}

Response Shared::refuse(http::status status, std::string_view type,
                        std::string_view message) const {
  return make_response(status, error_text(type, message));
}

Response Shared::take(std::string_view id, bool is_error, std::string body) {
  if (id != current || current.empty()) {
    return refuse(http::status::bad_request, "InvalidRequestID",
                  "This invocation is not under way.");
  }
  current.clear();
  // Until then the listener may have closed all: the answer goes out if it can.
  auto response = make_response(http::status::accepted, R"({"status":"OK"})");
  const bool valid = is_json(body);
  if (is_error) {
    if (!valid) body = unknown_error(body);
    listener->on_error(std::move(body));
  } else if (valid) {
    listener->on_response(std::move(body));
  } else {
    listener->on_error(
        error_text("Runtime.InvalidResponse", "The function answered with what is not JSON."));
  }
  return response;
}

Response Shared::too_large(std::string_view target) {
  if (!target.starts_with(kPrefix)) return refuse(http::status::payload_too_large, "TooLarge", "");
  const auto id = id_in(target.substr(kPrefix.size()), "/response");
  const auto text = error_text(
      "Function.ResponseSizeTooLarge",
      fmt::format("Response payload size exceeded maximum allowed payload size ({} bytes).",
                  FunctionHost::kPayloadMax));
  if (id && *id == current && !current.empty()) {
    current.clear();
    listener->on_error(text);
  }
  return make_response(http::status::payload_too_large, text);
}

Response Shared::answer(const RuntimeRequest& request) {
  const std::string_view target = request.target;
  if (!target.starts_with(kPrefix)) {
    return refuse(http::status::not_found, "NotFound", "The runtime API has no such path.");
  }
  const std::string_view path = target.substr(kPrefix.size());
  if (request.method == http::verb::post) {
    if (path == "init/error") {
      std::string body = request.body;
      if (body.size() > kErrorBytesMax || !is_json(body)) {
        body = unknown_error(body);
      }
      listener->on_start_error(std::move(body));
      return make_response(http::status::accepted, R"({"status":"OK"})");
    }
    if (const auto id = id_in(path, "/response")) return take(*id, false, request.body);
    if (const auto id = id_in(path, "/error")) {
      return take(*id, true, request.body.substr(0, kErrorBytesMax));
    }
  }
  return refuse(http::status::not_found, "NotFound", "The runtime API has no such path.");
}

// What refuses it; nothing: it may wait for its turn.
std::optional<Response> Shared::ask(const Connection& connection) {
  const bool has_it = holder == connection.owner || !is_alive(holder);
  if (sending || (!current.empty() && !has_it)) {
    return refuse(http::status::forbidden, "InvalidStateTransition",
                  "The invocation that was handed out is not answered yet.");
  }
  ++turn;
  given.cancel();
  if (awaiting) return std::nullopt;  // whoever asked for it has gone, or does not get it any more
  awaiting = true;
  current.clear();
  listener->on_ready();
  return std::nullopt;
}

Response Shared::hand_out(const Connection& connection) {
  sending = true;
  current = next->request_id;
  holder = connection.owner;
  Response response = make_response(http::status::ok, next->payload);
  response.set("Lambda-Runtime-Aws-Request-Id", next->request_id);
  response.set("Lambda-Runtime-Deadline-Ms", std::to_string(next->deadline_ms));
  response.set("Lambda-Runtime-Invoked-Function-Arn", next->function_arn);
  response.set("Lambda-Runtime-Trace-Id", next->trace_id);
  return response;
}

// Not done: it stays for who asks again.
void Shared::handed_out(bool done) {
  sending = false;
  if (done) {
    next.reset();
    awaiting = false;
  } else {
    current.clear();
    holder = -1;
  }
}

// Whether the connection goes on.
asio::awaitable<bool> Shared::serve_next(std::shared_ptr<Shared> self,
                                         std::shared_ptr<Connection> connection, bool keep) {
  std::optional<Response> response = self->ask(*connection);
  bool has_it = false;
  if (!response) {
    const std::uint64_t turn = self->turn;
    while (self->listener != nullptr && self->turn == turn && !self->next) {
      error_code ignored;
      co_await self->given.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (self->listener == nullptr) {
      response = self->refuse(http::status::gone, "Stopped", "It is stopped.");
    } else if (self->turn != turn) {
      response = self->refuse(http::status::forbidden, "InvalidStateTransition",
                              "The next invocation has been asked for again.");
    } else if (hung_up(connection->socket)) {
      co_return false;  // what is there stays for who asks again
    } else {
      has_it = true;
      response = self->hand_out(*connection);
    }
  }
  response->keep_alive(keep);
  error_code ec;
  co_await http::async_write(connection->socket, *response,
                             asio::redirect_error(asio::use_awaitable, ec));
  if (has_it) self->handed_out(!ec);
  co_return !ec && keep;
}

asio::awaitable<void> Shared::serve(std::shared_ptr<Shared> self,
                                    std::shared_ptr<Connection> connection) {
  boost::beast::flat_buffer buffer;
  RuntimeRequest request;
  bool keep = true;
  while (keep) {
    const bool came =
        co_await read_runtime_request(connection->socket, buffer, self->address, request);
    if (!came || self->listener == nullptr) co_return;
    keep = request.keep_alive;
    if (!request.forbidden && request.method == http::verb::get &&
        request.target == "/2018-06-01/runtime/invocation/next") {
      keep = co_await serve_next(self, connection, keep);
      continue;
    }
    Response response;
    if (request.forbidden) {
      response = self->refuse(http::status::forbidden, "Forbidden", "This is not for web pages.");
    } else if (request.too_large) {
      response = self->too_large(request.target);
    } else {
      response = self->answer(request);
    }
    response.keep_alive(keep);
    error_code ec;
    co_await http::async_write(connection->socket, response,
                               asio::redirect_error(asio::use_awaitable, ec));
    if (ec) keep = false;
  }
  error_code ignored;
  connection->socket.shutdown(Socket::shutdown_both, ignored);
}

// Serves it if it is one of the processes'. Any other is closed without a word.
asio::awaitable<void> Shared::admit(std::shared_ptr<Shared> self,
                                    std::shared_ptr<Connection> connection) {
  error_code ec;
  const auto from = connection->socket.remote_endpoint(ec);
  const auto to = connection->socket.local_endpoint(ec);
  if (ec) co_return;
  const LoopbackConnection asked{from.address().to_v4().to_uint(), from.port(),
                                 to.address().to_v4().to_uint(), to.port()};
  const auto inode = inode_of(asked);
  if (!inode) co_return;
  asio::steady_timer again(self->acceptor.get_executor());
  for (int left = kAdmitTries; connection->owner < 0 && left > 0; --left) {
    connection->owner = owner_of_socket(self->root, *inode);
    if (connection->owner >= 0 || left == 1 || self->admitting >= kAdmittingMax) break;
    ++self->admitting;
    again.expires_after(kAdmitAgain);
    co_await again.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    --self->admitting;
  }
  if (connection->owner < 0 || self->listener == nullptr) co_return;
  self->connections.remove_if([](const auto& weak) { return weak.expired(); });
  if (self->connections.size() >= kConnectionsMax) co_return;
  self->connections.push_back(connection);
  connection->socket.set_option(asio::ip::tcp::no_delay(true), ec);
  co_await serve(self, connection);
}

asio::awaitable<void> Shared::accept(std::shared_ptr<Shared> self) {
  const auto executor = self->acceptor.get_executor();
  asio::steady_timer again(executor);
  while (self->acceptor.is_open()) {
    auto connection = std::make_shared<Connection>(executor);
    error_code ec;
    co_await self->acceptor.async_accept(connection->socket,
                                         asio::redirect_error(asio::use_awaitable, ec));
    if (ec == asio::error::operation_aborted || self->listener == nullptr) co_return;
    if (ec) {  // no descriptor is left, say: others may be given back
      again.expires_after(kAcceptAgain);
      co_await again.async_wait(asio::redirect_error(asio::use_awaitable, ec));
      continue;
    }
    asio::co_spawn(executor, admit(self, std::move(connection)), asio::detached);
  }
}

}  // namespace

Result<std::unique_ptr<RuntimeApi>> RuntimeApi::listen(const asio::any_io_executor& executor,
                                                       ProcessListener& listener) {
  const auto shared = std::make_shared<Shared>(executor, listener);
  error_code ec;
  auto& acceptor = shared->acceptor;
  acceptor.open(asio::ip::tcp::v4(), ec);
  if (!ec) acceptor.bind({asio::ip::address_v4::loopback(), 0}, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  asio::ip::tcp::endpoint at;
  if (!ec) at = acceptor.local_endpoint(ec);
  if (ec) {
    return Error{ErrorCode::kUnavailable, "listening for a function's process: " + ec.message(),
                 ""};
  }
  shared->address = fmt::format("127.0.0.1:{}", at.port());
  asio::co_spawn(executor, Shared::accept(shared), asio::detached);
  return std::unique_ptr<RuntimeApi>(std::make_unique<AsioRuntimeApi>(shared));
}

}  // namespace pawl

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
#include <list>
#include <optional>

#include "base/json_writer.h"
#include "port/clock.h"
#include "port/function_host.h"

namespace pawl {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Socket = asio::ip::tcp::socket;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr std::size_t kConnectionsMax = 16;
constexpr std::uint32_t kHeaderBytesMax = 16 * 1024;
constexpr std::size_t kErrorBytesMax =
    256 * 1024;  // of an error's document: what is more is nothing that a person reads
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

class AsioRuntimeApi final : public RuntimeApi {
 public:
  // What outlives the facade, while a coroutine still looks at it.
  struct Shared : std::enable_shared_from_this<Shared> {
    Shared(const asio::any_io_executor& executor, ProcessListener& to)
        : acceptor(executor), given(executor), listener(&to) {
      given.expires_at(asio::steady_timer::time_point::max());
    }

    asio::ip::tcp::acceptor acceptor;
    asio::steady_timer given;   // cancelled when an invocation is there
    ProcessListener* listener;  // null: closed
    std::string address;
    std::list<std::weak_ptr<Socket>> sockets;
    std::optional<ProcessInvocation> next;  // given, and not fetched
    std::string current;                    // the id of what it has; empty: nothing
    bool asking = false;

    void close();
    static asio::awaitable<void> accept(std::shared_ptr<Shared> self);
    static asio::awaitable<void> serve(std::shared_ptr<Shared> self,
                                       std::shared_ptr<Socket> socket);
    static asio::awaitable<Response> next_invocation(std::shared_ptr<Shared> self);
    Response answer(const Request& request);
    Response take(std::string_view id, bool is_error, std::string body);
    Response too_large(std::string_view target);
    Response refuse(http::status status, std::string_view type, std::string_view message) const;
  };

  explicit AsioRuntimeApi(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  ~AsioRuntimeApi() override { shared_->close(); }
  const std::string& address() const override { return shared_->address; }
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

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

void Shared::close() {
  listener = nullptr;
  error_code ignored;
  acceptor.close(ignored);
  given.cancel();
  for (const auto& weak : sockets) {
    if (const auto socket = weak.lock()) socket->close(ignored);
  }
  sockets.clear();
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
    if (!valid) body = error_text("Runtime.Unknown", body.substr(0, 1024));
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

Response Shared::answer(const Request& request) {
  const std::string_view target = view_of(request.target());
  if (!target.starts_with(kPrefix)) {
    return refuse(http::status::not_found, "NotFound", "The runtime API has no such path.");
  }
  const std::string_view path = target.substr(kPrefix.size());
  if (request.method() == http::verb::post) {
    if (path == "init/error") {
      std::string body = request.body();
      if (body.size() > kErrorBytesMax || !is_json(body)) {
        body = error_text("Runtime.Unknown", body.substr(0, 1024));
      }
      listener->on_start_error(std::move(body));
      return make_response(http::status::accepted, R"({"status":"OK"})");
    }
    if (const auto id = id_in(path, "/response")) return take(*id, false, request.body());
    if (const auto id = id_in(path, "/error")) {
      return take(*id, true, request.body().substr(0, kErrorBytesMax));
    }
  }
  return refuse(http::status::not_found, "NotFound", "The runtime API has no such path.");
}

asio::awaitable<Response> Shared::next_invocation(std::shared_ptr<Shared> self) {
  if (self->asking || self->next) {
    co_return self->refuse(http::status::forbidden, "InvalidStateTransition",
                           "The next invocation has been asked for already.");
  }
  self->asking = true;
  self->current.clear();
  self->listener->on_ready();
  while (self->listener != nullptr && !self->next) {
    error_code ignored;
    co_await self->given.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    self->given.expires_at(asio::steady_timer::time_point::max());
  }
  self->asking = false;
  if (self->listener == nullptr)
    co_return self->refuse(http::status::gone, "Stopped", "It is stopped.");
  ProcessInvocation invocation = std::move(*self->next);
  self->next.reset();
  self->current = invocation.request_id;
  Response response = make_response(http::status::ok, std::move(invocation.payload));
  response.set("Lambda-Runtime-Aws-Request-Id", invocation.request_id);
  response.set("Lambda-Runtime-Deadline-Ms", std::to_string(invocation.deadline_ms));
  response.set("Lambda-Runtime-Invoked-Function-Arn", invocation.function_arn);
  response.set("Lambda-Runtime-Trace-Id", invocation.trace_id);
  co_return response;
}

asio::awaitable<void> Shared::serve(std::shared_ptr<Shared> self, std::shared_ptr<Socket> socket) {
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(FunctionHost::kPayloadMax);
    error_code ec;
    co_await http::async_read(*socket, buffer, parser,
                              asio::redirect_error(asio::use_awaitable, ec));
    if (self->listener == nullptr) co_return;
    Response response;
    bool keep = !ec;
    if (ec == http::error::body_limit) {
      response = self->too_large(view_of(parser.get().target()));
    } else if (ec) {
      co_return;
    } else if (parser.get().count(http::field::origin) != 0 ||
               view_of(parser.get()[http::field::host]) != self->address) {
      response = self->refuse(http::status::forbidden, "Forbidden", "This is not for web pages.");
      keep = false;
    } else if (parser.get().method() == http::verb::get &&
               parser.get().target() == "/2018-06-01/runtime/invocation/next") {
      response = co_await next_invocation(self);
    } else {
      response = self->answer(parser.get());
    }
    keep = keep && parser.get().keep_alive();
    response.keep_alive(keep);
    co_await http::async_write(*socket, response, asio::redirect_error(asio::use_awaitable, ec));
    if (ec || !keep) break;
  }
  error_code ignored;
  socket->shutdown(Socket::shutdown_both, ignored);
}

asio::awaitable<void> Shared::accept(std::shared_ptr<Shared> self) {
  while (self->acceptor.is_open()) {
    auto socket = std::make_shared<Socket>(self->acceptor.get_executor());
    error_code ec;
    co_await self->acceptor.async_accept(*socket, asio::redirect_error(asio::use_awaitable, ec));
    if (ec || self->listener == nullptr) co_return;
    self->sockets.remove_if([](const auto& weak) { return weak.expired(); });
    if (self->sockets.size() >= kConnectionsMax) continue;  // it is closed
    self->sockets.push_back(socket);
    socket->set_option(asio::ip::tcp::no_delay(true), ec);
    asio::co_spawn(self->acceptor.get_executor(), serve(self, socket), asio::detached);
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

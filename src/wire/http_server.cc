#include "wire/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <future>

#include "wire/http_io_thread.h"
#include "wire/http_session.h"

namespace pawl::wire {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::string_view kTooMany =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 41\r\n"
    "Content-Type: text/plain\r\n\r\nToo many connections are open; try again.";

class AsioHttpServer : public HttpServer {
 public:
  AsioHttpServer(const HttpServerOptions& options, HttpHandler& handler)
      : state_(std::make_shared<HttpServerState>()) {
    state_->options = options;
    state_->handler = &handler;
    for (unsigned i = 0; i < std::max(1U, options.io_threads); ++i) {
      threads_.push_back(std::make_shared<HttpIoThread>(state_));
    }
    acceptor_.emplace(threads_.front()->context());
    retry_.emplace(threads_.front()->context());
  }
  ~AsioHttpServer() override { stop(std::chrono::milliseconds(0)); }

  Status listen() {
    const HttpServerOptions& options = state_->options;
    error_code ec;
    const auto address =
        asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, ec);
    const std::string where = options.host + ":" + std::to_string(options.port);
    if (ec) {
      return Error{ErrorCode::kInvalid, "cannot listen on " + where + ": this is not an IP address",
                   "give an address such as 127.0.0.1"};
    }
    const tcp::endpoint endpoint(address, options.port);
    acceptor_->open(endpoint.protocol(), ec);
    if (!ec) acceptor_->set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) acceptor_->bind(endpoint, ec);
    if (!ec) acceptor_->listen(asio::socket_base::max_listen_connections, ec);
    if (ec) {
      return Error{ErrorCode::kUnavailable, "cannot listen on " + where + ": " + ec.message(),
                   "another process may have the port: stop it, or choose another with --listen"};
    }
    port_ = acceptor_->local_endpoint(ec).port();
    accept();
    for (const auto& thread : threads_) thread->run();
    return ok();
  }

  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return state_->connections.load(); }

  void stop(std::chrono::milliseconds grace) override {
    if (stopped_) return;
    stopped_ = true;
    state_->stopping.store(true);
    on_first_thread([this] {
      error_code ec;
      acceptor_->close(ec);
      retry_->cancel();
    });
    for (const auto& thread : threads_) {
      asio::post(thread->context(), [thread] { thread->close_idle(); });
    }
    const auto deadline = std::chrono::steady_clock::now() + grace;
    while (state_->connections.load() > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    for (const auto& thread : threads_) thread->join();
    acceptor_.reset();
    retry_.reset();
  }

 private:
  template <typename Function>
  void on_first_thread(Function function) {
    asio::post(threads_.front()->context(), std::move(function));
  }

  void accept() {
    const std::shared_ptr<HttpIoThread> thread = threads_[next_++ % threads_.size()];
    acceptor_->async_accept(thread->context(), [this, thread](error_code ec, tcp::socket socket) {
      if (state_->stopping.load()) return;
      if (!ec) admit(thread, std::move(socket));
      if (ec == asio::error::no_descriptors || ec == asio::error::no_memory) {
        // Accepting again at once would spin: wait until something may have been given back.
        retry_->expires_after(std::chrono::milliseconds(100));
        retry_->async_wait([this](error_code cancelled) {
          if (!cancelled) accept();
        });
        return;
      }
      if (ec != asio::error::operation_aborted) accept();
    });
  }

  void admit(const std::shared_ptr<HttpIoThread>& thread, tcp::socket socket) {
    if (state_->connections.fetch_add(1) >= state_->options.connections_max) {
      state_->connections.fetch_sub(1);
      error_code ec;
      socket.non_blocking(true, ec);
      socket.write_some(asio::buffer(kTooMany), ec);
      return;  // closes it
    }
    auto session = std::make_shared<HttpSession>(thread, std::move(socket));
    asio::post(thread->context(), [session] { session->start(); });
  }

  std::shared_ptr<HttpServerState> state_;
  std::vector<std::shared_ptr<HttpIoThread>> threads_;
  std::optional<tcp::acceptor> acceptor_;    // on the first thread
  std::optional<asio::steady_timer> retry_;  // on the first thread
  std::size_t next_ = 0;
  std::uint16_t port_ = 0;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options,
                                                      HttpHandler& handler) {
  auto server = std::make_unique<AsioHttpServer>(options, handler);
  PAWL_TRY(server->listen());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace pawl::wire

// One connection. Internal to the server. Lives on one I/O thread; only respond() may be called elsewhere.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wire/http_io_thread.h"
#include "wire/http_message.h"
#include "wire/http_request_parser.h"

namespace pawl::wire {

class HttpSession : public Responder, public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(std::shared_ptr<HttpIoThread> thread, boost::asio::ip::tcp::socket socket);
  ~HttpSession() override;

  void start();
  void respond(std::optional<HttpResponse> response) override;  // from any thread

  // On the I/O thread.
  void deliver(std::optional<HttpResponse> response);
  void close();
  void close_if_idle();
  void check_deadline(std::chrono::steady_clock::time_point now);

  std::optional<std::list<std::weak_ptr<HttpSession>>::iterator> place;  // in its thread's list

 private:
  enum class Step {
    kIdle,       // no byte of the next request
    kReading,    // some of it
    kReceiving,  // a receiver has a piece of its body
    kHandling,   // the handler has it
    kWriting,    // its answer
    kFetching,   // the next piece of the answer is being made
    kLingering,  // the last answer is written; the client may still be sending
    kClosed,
  };

  void read();
  void on_read(std::size_t size);
  void pump();          // works through what is buffered until it needs the socket or the handler
  bool take_request();  // parses; true if a whole request was handed to the handler
  bool plan_body();     // false: the request was refused
  void name_request();  // before anybody sees it
  void give_piece();
  void on_piece_taken(std::optional<HttpResponse> refusal);
  void hand_to_handler();
  bool account_body();  // false: too much is held by all connections together
  void send_continue();
  void refuse(unsigned status, std::string_view message);
  void write(HttpResponse response);
  bool write_some();  // true once everything is written
  void on_written();
  void fetch_piece();  // of an answer that has a source
  void on_piece(std::optional<std::string> piece);
  void linger();
  void set_deadline(std::chrono::milliseconds after);

  std::shared_ptr<HttpIoThread> thread_;
  boost::asio::ip::tcp::socket socket_;
  HttpRequestParser parser_;
  std::string peer_;
  std::string request_id_;
  Step step_ = Step::kIdle;
  std::chrono::steady_clock::time_point deadline_;
  std::string input_;  // what was read; [input_begin_, input_end_) is not yet parsed
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  std::string head_out_;  // the answer's head
  std::string body_out_;
  std::size_t written_ = 0;             // of both
  std::shared_ptr<BodySource> source_;  // of the answer, while it is being written
  std::uint64_t source_left_ = 0;
  std::shared_ptr<BodyReceiver> receiver_;  // of the request's body
  std::size_t body_accounted_ = 0;
  bool close_after_write_ = false;
  bool in_handler_ = false;  // the handler is being called: an answer that it makes waits here
  bool pumping_ = false;
  bool continue_sent_ = false;
  std::optional<std::optional<HttpResponse>> early_answer_;
};

}  // namespace pawl::wire

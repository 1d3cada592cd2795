#include "wire/http_session.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

#include "wire/http_status.h"

namespace pawl::wire {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kReadSize = kHttpHeaderBytesMax + 1024;  // a whole header always fits
constexpr std::size_t kAccountedFrom =
    64 * 1024;  // smaller bodies are bounded by the connections alone
constexpr std::size_t kReceivedPiece = 256 * 1024;  // what a receiver is given at once
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

HttpSession::HttpSession(std::shared_ptr<HttpIoThread> thread, asio::ip::tcp::socket socket)
    : thread_(std::move(thread)),
      socket_(std::move(socket)),
      parser_(thread_->state().options.body_bytes_max) {}

HttpSession::~HttpSession() {
  thread_->state().held_body_bytes.fetch_sub(body_accounted_);
  thread_->state().connections.fetch_sub(1);
}

void HttpSession::start() {
  error_code ec;
  socket_.set_option(asio::ip::tcp::no_delay(true), ec);
  socket_.non_blocking(true, ec);
  const auto remote = socket_.remote_endpoint(ec);
  if (ec) return;  // gone already
  peer_ = remote.address().to_string();
  input_.resize(kReadSize);
  if (!thread_->add(shared_from_this())) return;
  set_deadline(thread_->state().options.idle_max);
  read();
}

void HttpSession::set_deadline(std::chrono::milliseconds after) {
  deadline_ = thread_->now() + after;
}

void HttpSession::check_deadline(std::chrono::steady_clock::time_point now) {
  // A handler has no deadline: whoever took the command answers it, or drops the completion.
  // Nor has who takes or makes a piece of a body: a disk.
  const bool ours = step_ != Step::kHandling && step_ != Step::kReceiving &&
                    step_ != Step::kFetching && step_ != Step::kClosed;
  if (ours && now > deadline_) close();
}

void HttpSession::close_if_idle() {
  if (step_ == Step::kIdle || step_ == Step::kReading) close();
}

void HttpSession::close() {
  if (step_ == Step::kClosed) return;
  step_ = Step::kClosed;
  receiver_.reset();
  source_.reset();
  error_code ec;
  socket_.close(ec);
  thread_->remove(*this);
}

void HttpSession::read() {
  if (input_begin_ > 0) {
    std::memmove(input_.data(), input_.data() + input_begin_, input_end_ - input_begin_);
    input_end_ -= input_begin_;
    input_begin_ = 0;
  }
  // The parser refuses a header that does not fit, and takes body bytes as they come: there is room.
  socket_.async_read_some(asio::buffer(input_.data() + input_end_, input_.size() - input_end_),
                          [self = shared_from_this()](error_code ec, std::size_t size) {
                            if (self->step_ == Step::kClosed) return;
                            if (ec) return self->close();
                            self->on_read(size);
                          });
}

void HttpSession::on_read(std::size_t size) {
  if (step_ == Step::kLingering) return linger();
  input_end_ += size;
  if (step_ == Step::kIdle) {
    step_ = Step::kReading;
    set_deadline(thread_->state().options.header_max);
  }
  pump();
}

void HttpSession::pump() {
  if (pumping_) return;  // an answer made inside the handler: the loop below goes on
  pumping_ = true;
  // Requests that a client sent without waiting are served in turns with other connections.
  for (int turn = 0; turn < 16; ++turn) {
    if (!take_request()) {
      pumping_ = false;
      return;
    }
  }
  pumping_ = false;
  asio::post(thread_->context(), [self = shared_from_this()] {
    if (self->step_ == Step::kReading) self->pump();
  });
}

bool HttpSession::take_request() {
  if (step_ != Step::kReading) return false;
  const bool had_head = parser_.state() != HttpRequestParser::State::kHead;
  input_begin_ += parser_.feed({input_.data() + input_begin_, input_end_ - input_begin_});
  if (parser_.state() == HttpRequestParser::State::kPlan) {
    if (!plan_body()) return false;
    input_begin_ += parser_.feed({input_.data() + input_begin_, input_end_ - input_begin_});
  }
  switch (parser_.state()) {
    case HttpRequestParser::State::kRefused:
      refuse(parser_.error_status(), parser_.error_message());
      return false;
    case HttpRequestParser::State::kBody:
      if (!had_head) set_deadline(thread_->state().options.body_max);
      if (!account_body()) {
        refuse(503, "Too many bytes of requests are being received; try again.");
        return false;
      }
      if (parser_.expects_continue() && !continue_sent_) send_continue();
      if (input_end_ - input_begin_ == input_.size()) {
        refuse(400, "The chunked body is not well-formed.");  // framing that never ends
        return false;
      }
      if (receiver_ && parser_.body_bytes() >= kReceivedPiece) {
        give_piece();
      } else if (step_ == Step::kReading) {
        read();
      }
      return false;
    case HttpRequestParser::State::kHead:
    case HttpRequestParser::State::kPlan:
      read();
      return false;
    case HttpRequestParser::State::kComplete:
      // botocore waits for it though there is no body, and takes a final answer in its place for the next one's, too.
      if (parser_.expects_continue() && !continue_sent_ && parser_.body_bytes() == 0) {
        send_continue();
        if (step_ == Step::kClosed) return false;
      }
      hand_to_handler();
      return step_ == Step::kReading;
  }
  return false;
}

bool HttpSession::account_body() {
  const std::size_t held = parser_.body_bytes();
  if (held < kAccountedFrom || held <= body_accounted_) return true;
  // In steps, so that the shared counter is touched seldom.
  const std::size_t step = held - body_accounted_ + kAccountedFrom;
  HttpServerState& state = thread_->state();
  if (state.held_body_bytes.fetch_add(step) + step > state.options.held_body_bytes_max) {
    state.held_body_bytes.fetch_sub(step);
    return false;
  }
  body_accounted_ += step;
  return true;
}

void HttpSession::send_continue() {
  continue_sent_ = true;
  error_code ec;
  // Twenty-five bytes into an empty socket buffer; a client for which that blocks is not worth keeping.
  if (socket_.write_some(asio::buffer(kContinue), ec) != kContinue.size()) close();
}

void HttpSession::name_request() {
  HttpRequest& request = parser_.request();
  request_id_ = thread_->next_request_id();
  request.id = request_id_;
  request.peer = peer_;
  close_after_write_ = !request.keep_alive;
}

bool HttpSession::plan_body() {
  name_request();
  BodyPlan plan = thread_->state().handler->plan_body(parser_.request());
  if (plan.refusal) {
    plan.refusal->close = true;
    step_ = Step::kHandling;
    write(std::move(*plan.refusal));
    return false;
  }
  receiver_ = std::move(plan.receiver);
  parser_.plan_body(receiver_ ? plan.bytes_max : thread_->state().options.body_bytes_max);
  return true;
}

void HttpSession::give_piece() {
  step_ = Step::kReceiving;
  const auto receiver = receiver_;
  receiver->receive(
      parser_.take_body(), [self = shared_from_this()](std::optional<HttpResponse> refusal) {
        auto taken = std::make_shared<std::optional<HttpResponse>>(std::move(refusal));
        self->thread_->run_later([self, taken] { self->on_piece_taken(std::move(*taken)); });
      });
}

void HttpSession::on_piece_taken(std::optional<HttpResponse> refusal) {
  if (step_ != Step::kReceiving) return;
  if (refusal) {
    refusal->close = true;
    receiver_.reset();
    return write(std::move(*refusal));
  }
  step_ = Step::kReading;
  // A client has this long for each piece.
  set_deadline(thread_->state().options.body_max);
  pump();
}

void HttpSession::hand_to_handler() {
  if (!receiver_) name_request();
  step_ = Step::kHandling;
  in_handler_ = true;
  if (receiver_) {
    const auto receiver = std::move(receiver_);
    receiver_.reset();
    receiver->complete(parser_.take_body(), Completion(shared_from_this()));
  } else {
    thread_->state().handler->handle(parser_.request(), Completion(shared_from_this()));
  }
  in_handler_ = false;
  if (early_answer_) {
    std::optional<HttpResponse> answer = std::move(*early_answer_);
    early_answer_.reset();
    deliver(std::move(answer));
  }
}

void HttpSession::respond(std::optional<HttpResponse> response) {
  if (thread_->is_current() && in_handler_) {
    early_answer_.emplace(std::move(response));
    return;
  }
  thread_->hand_over(shared_from_this(), std::move(response));
}

void HttpSession::deliver(std::optional<HttpResponse> response) {
  if (step_ != Step::kHandling) return;
  if (!response) return close();
  write(std::move(*response));
}

void HttpSession::refuse(unsigned status, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::string(message) + "\n";
  response.close = true;
  if (request_id_.empty()) request_id_ = thread_->next_request_id();
  step_ = Step::kHandling;
  write(std::move(response));
}

void HttpSession::write(HttpResponse response) {
  close_after_write_ = close_after_write_ || response.close || thread_->state().stopping.load();
  head_out_.clear();
  append_response_head(head_out_, response, request_id_, thread_->date_header(),
                       close_after_write_);
  body_out_ = std::move(response.body);
  source_ = std::move(response.source);
  source_left_ = source_ ? response.length.value_or(0) : 0;
  written_ = 0;
  step_ = Step::kWriting;
  set_deadline(thread_->state().options.write_max);
  // Almost every answer fits into the socket's buffer: then the event loop is not needed for it.
  if (write_some()) on_written();
}

bool HttpSession::write_some() {
  const std::size_t total = head_out_.size() + body_out_.size();
  while (written_ < total) {
    const std::size_t in_head = std::min(written_, head_out_.size());
    const std::array<asio::const_buffer, 2> rest{
        asio::buffer(head_out_.data() + in_head, head_out_.size() - in_head),
        asio::buffer(body_out_.data() + (written_ - in_head),
                     body_out_.size() - (written_ - in_head))};
    error_code ec;
    written_ += socket_.write_some(rest, ec);
    if (ec == asio::error::would_block) {
      socket_.async_wait(asio::ip::tcp::socket::wait_write,
                         [self = shared_from_this()](error_code wait) {
                           if (self->step_ != Step::kWriting) return;
                           if (wait) return self->close();
                           if (self->write_some()) self->on_written();
                         });
      return false;
    }
    if (ec) {
      close();
      return false;
    }
  }
  return true;
}

void HttpSession::fetch_piece() {
  step_ = Step::kFetching;
  source_->read([self = shared_from_this()](std::optional<std::string> piece) {
    auto made = std::make_shared<std::optional<std::string>>(std::move(piece));
    self->thread_->run_later([self, made] { self->on_piece(std::move(*made)); });
  });
}

void HttpSession::on_piece(std::optional<std::string> piece) {
  if (step_ != Step::kFetching) return;
  // The head has promised a length: an answer that can't go on must not look whole.
  if (!piece || piece->empty() || piece->size() > source_left_) return close();
  source_left_ -= piece->size();
  head_out_.clear();
  body_out_ = std::move(*piece);
  written_ = 0;
  step_ = Step::kWriting;
  set_deadline(thread_->state().options.write_max);
  if (write_some()) on_written();
}

void HttpSession::on_written() {
  if (source_left_ > 0) return fetch_piece();
  source_.reset();
  if (body_out_.capacity() > kAccountedFrom) std::string().swap(body_out_);
  if (close_after_write_) {
    error_code ec;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
    step_ = Step::kLingering;
    set_deadline(thread_->state().options.linger_max);
    return linger();
  }
  parser_.reset();
  thread_->state().held_body_bytes.fetch_sub(body_accounted_);
  body_accounted_ = 0;
  continue_sent_ = false;
  if (input_begin_ == input_end_) {
    step_ = Step::kIdle;
    set_deadline(thread_->state().options.idle_max);
    read();
  } else {
    step_ = Step::kReading;
    set_deadline(thread_->state().options.header_max);
    pump();
  }
}

void HttpSession::linger() {
  // Closing with unread bytes would reset the connection, and the client might lose the answer it is owed:
  // so read and forget, until the client has closed or its time is up.
  input_begin_ = input_end_ = 0;
  read();
}

}  // namespace pawl::wire

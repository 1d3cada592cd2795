// An engine over a store in memory that is stepped by hand, crashed and opened again.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fault/manual_clock.h"
#include "fault/memory_key_value_store.h"
#include "queue/queue_engine.h"

namespace pawl::queue {

class RecordingListener final : public EngineListener {
 public:
  void outcome_unknown(const std::string& why) override { unknown.push_back(why); }
  void trouble(const Error& error) override { troubles.push_back(error.to_string()); }
  std::vector<std::string> unknown;
  std::vector<std::string> troubles;
};

struct Reply {
  int calls = 0;
  std::optional<Answer> answer;  // nothing: unknown, or not yet
  std::optional<Refusal> refusal() const {
    if (!answer || !answer->failure) return std::nullopt;
    return answer->failure->refusal;
  }
  std::vector<std::string> bodies() const {
    std::vector<std::string> found;
    if (!answer) return found;
    for (const auto& message : answer->messages) found.push_back(message.message.body);
    return found;
  }
};
using ReplyPtr = std::shared_ptr<Reply>;

class EngineTest : public testing::Test {
 protected:
  EngineTest() { open(); }

  void open() {
    auto opened = QueueEngine::open({store_, clock_, random_}, listener_, options_);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    engine_ = std::move(*opened);
  }
  void crash() {
    engine_.reset();
    store_.crash();
    open();
  }
  void run() {
    for (int i = 0; i < 10'000; ++i) {
      if (engine_->run_round() != QueueEngine::Round::kDone) return;
    }
    FAIL() << "the engine does not come to rest";
  }
  ReplyPtr submit(const std::string& queue, Action action) {
    auto reply = std::make_shared<Reply>();
    Command command;
    command.queue = queue;
    command.action = std::move(action);
    command.bytes = 100;
    command.done = [reply](std::optional<Answer> answer) {
      ++reply->calls;
      reply->answer = std::move(answer);
    };
    engine_->submit(std::move(command));
    return reply;
  }
  ReplyPtr ask(const std::string& queue, Action action) {
    ReplyPtr reply = submit(queue, std::move(action));
    run();
    return reply;
  }
  ReplyPtr create(const std::string& queue, AttributeChanges attributes = {}) {
    return ask(queue, Create{std::move(attributes)});
  }
  static Send message(const std::string& body, std::optional<seconds> delay = {}) {
    Send send;
    Send::Entry entry;
    entry.message.body = body;
    entry.delay = delay;
    entry.bytes = body.size();
    send.entries.push_back(std::move(entry));
    return send;
  }
  ReplyPtr send(const std::string& queue, const std::string& body,
                std::optional<seconds> delay = {}) {
    return ask(queue, message(body, delay));
  }
  static Receive some(std::size_t count, std::optional<seconds> visibility = {},
                      std::optional<seconds> wait = seconds(0)) {
    return {count, visibility, wait};
  }
  std::vector<std::string> receive(const std::string& queue, std::size_t count = 10,
                                   std::optional<seconds> visibility = {}) {
    return ask(queue, some(count, visibility))->bodies();
  }
  QueueFigures figures(const std::string& queue) {
    const ReplyPtr reply = ask(queue, Describe{});
    return reply->answer && reply->answer->figures ? *reply->answer->figures : QueueFigures{};
  }
  // "visible/in flight/delayed"
  std::string counts(const std::string& queue) {
    const QueueFigures of = figures(queue);
    return std::to_string(of.visible) + "/" + std::to_string(of.in_flight) + "/" +
           std::to_string(of.delayed);
  }

  MemoryKeyValueStore store_;
  ManualClock clock_;
  SeededRandom random_{1};
  RecordingListener listener_;
  EngineOptions options_;
  std::unique_ptr<QueueEngine> engine_;
};

}  // namespace pawl::queue

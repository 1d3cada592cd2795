// Scripted processes, and functions to run.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "function/function_pool.h"

namespace pawl::function {

class TestRandom final : public Random {
 public:
  std::uint64_t next() override { return next_ += 0x9E3779B97F4A7C15ULL; }

 private:
  std::uint64_t next_ = 0;
};

inline FunctionRecord record_named(std::string name) {
  FunctionRecord function;
  function.id = 7;
  function.code = 8;
  function.name = std::move(name);
  function.region = "us-east-1";
  function.settings.runtime = "python3.11";
  function.settings.handler = "handler.lambda_handler";
  function.settings.role = "arn:aws:iam::000000000000:role/x";
  function.settings.environment = {{"BUCKET", "history"}, {"PYTHONPATH", "/opt"}};
  return function;
}

// Processes that do what the test says.
class TestProcesses final : public ProcessStarter {
 public:
  struct Running {
    ProcessSpec spec;
    ProcessListener* listener = nullptr;
    std::vector<ProcessInvocation> given;
    bool killed = false;
    bool alive = true;  // the facade is there
  };

  Result<std::unique_ptr<FunctionProcess>> start(const ProcessSpec& spec,
                                                 ProcessListener& listener) override {
    if (!refusal.empty()) return Error{ErrorCode::kUnavailable, refusal, ""};
    auto running = std::make_shared<Running>();
    running->spec = spec;
    running->listener = &listener;
    started.push_back(running);
    return std::unique_ptr<FunctionProcess>(std::make_unique<Process>(running));
  }

  std::vector<std::shared_ptr<Running>> started;
  std::string refusal;

 private:
  class Process final : public FunctionProcess {
   public:
    explicit Process(std::shared_ptr<Running> running) : running_(std::move(running)) {}
    ~Process() override { running_->alive = false; }
    void give(ProcessInvocation invocation) override {
      running_->given.push_back(std::move(invocation));
    }
    void kill() override { running_->killed = true; }
    void drain_output() override {}
    std::uint64_t memory_peak_bytes() const override { return 40 << 20; }

   private:
    std::shared_ptr<Running> running_;
  };
};

class TestLog final : public FunctionLog {
 public:
  void write(std::string_view function, const LogLine& line) override {
    lines.push_back(std::string(function) + " " + line.stream + " " + line.request_id + ": " +
                    line.text);
  }
  bool has(std::string_view text) const {
    for (const auto& line : lines) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }
  std::vector<std::string> lines;
};

}  // namespace pawl::function

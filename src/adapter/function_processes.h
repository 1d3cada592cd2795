// Processes of functions on this machine: a child with pipes (child_process.h), a runtime API of its own (runtime_api.h), and an
// eye on its memory, and on how much it writes (line_budget.h).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>

#include "adapter/child_process.h"
#include "adapter/log_files.h"
#include "port/function_process.h"

namespace pawl {

// Of the executor's one thread, which must live as long as the processes: they are killed with it.
class ChildProcesses final : public ProcessStarter {
 public:
  // `user`: as whom they run. `log` is where the listeners write lines: it is told to gather those that come together.
  ChildProcesses(boost::asio::any_io_executor executor, std::optional<ChildUser> user,
                 LogFiles& log)
      : executor_(std::move(executor)), user_(user), log_(log) {}

  Result<std::unique_ptr<FunctionProcess>> start(const ProcessSpec& spec,
                                                 ProcessListener& listener) override;

 private:
  boost::asio::any_io_executor executor_;
  std::optional<ChildUser> user_;
  LogFiles& log_;
};

}  // namespace pawl

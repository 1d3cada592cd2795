// Processes of functions on this machine: a child with pipes (child_process.h), a runtime API of its own (runtime_api.h), and an
// eye on its memory.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>

#include "adapter/child_process.h"
#include "port/function_process.h"

namespace pawl {

// Of the executor's one thread, which must live as long as the processes: they are killed with it.
class ChildProcesses final : public ProcessStarter {
 public:
  // `user`: as whom they run.
  ChildProcesses(boost::asio::any_io_executor executor, std::optional<ChildUser> user)
      : executor_(std::move(executor)), user_(user) {}

  Result<std::unique_ptr<FunctionProcess>> start(const ProcessSpec& spec,
                                                 ProcessListener& listener) override;

 private:
  boost::asio::any_io_executor executor_;
  std::optional<ChildUser> user_;
};

}  // namespace pawl

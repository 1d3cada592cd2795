// Any bytes as a function's answer: a verdict, and never one about a record that is not of the batch.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trigger/batch_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pawl;
  using namespace pawl::trigger;
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  const auto is_of_batch = [](SequenceNumber sequence) {
    return sequence.value >= 3 && sequence.value < 9;
  };
  const Invoked read = read_batch_answer(answer, true, is_of_batch);
  if (read.outcome == Invoked::Outcome::kPartly && !is_of_batch(read.failed_from)) std::abort();
  if (read_batch_answer(answer, false, is_of_batch).outcome != Invoked::Outcome::kDone) {
    std::abort();
  }
  return 0;
}

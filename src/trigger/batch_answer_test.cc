#include "trigger/batch_answer.h"

#include <gtest/gtest.h>

#include "stream/sequence_text.h"

namespace pawl::trigger {
namespace {

using Outcome = Invoked::Outcome;

Invoked read(std::string_view answer) {
  return read_batch_answer(answer, true, [](SequenceNumber sequence) {
    return sequence.value >= 3 && sequence.value <= 9;
  });
}
std::string failures(const std::vector<std::uint64_t>& sequences) {
  std::string text = R"({"batchItemFailures":[)";
  for (const auto sequence : sequences) {
    if (text.back() != '[') text += ',';
    text += R"({"itemIdentifier":")" + stream::sequence_text({sequence}) + "\"}";
  }
  return text + "]}";
}

TEST(BatchAnswer, NothingNamedIsSuccess) {
  for (const auto* answer : {"", "null", "{}", R"({"batchItemFailures":[]})",
                             R"({"batchItemFailures":null})", R"({"ok":true})"}) {
    EXPECT_EQ(read(answer).outcome, Outcome::kDone) << answer;
  }
}

TEST(BatchAnswer, TheLowestNumberCounts) {
  const Invoked partly = read(failures({7, 4, 9}));
  EXPECT_EQ(partly.outcome, Outcome::kPartly);
  EXPECT_EQ(partly.failed_from.value, 4U);
}

TEST(BatchAnswer, RubbishFailsTheBatch) {
  for (const std::string& answer :
       {std::string("nonsense"), std::string("[]"), std::string("\"done\""), std::string("1"),
        std::string("true"), std::string(R"({"batchItemFailures":{}})"),
        std::string(R"({"batchItemFailures":[{}]})"), std::string(R"({"batchItemFailures":[7]})"),
        std::string(R"({"batchItemFailures":[{"itemIdentifier":""}]})"),
        std::string(R"({"batchItemFailures":[{"itemIdentifier":null}]})"),
        std::string(R"({"batchItemFailures":[{"itemidentifier":"100000000000000000004"}]})"),
        std::string(R"({"batchItemFailures":[{"itemIdentifier":4}]})"), failures({2}),
        failures({4, 10}), std::string(1000, '[')}) {
    EXPECT_EQ(read(answer).outcome, Outcome::kFailed) << answer.substr(0, 80);
  }
}

TEST(BatchAnswer, IsNotReadUnlessAskedFor) {
  const auto any = [](SequenceNumber) { return true; };
  EXPECT_EQ(read_batch_answer("rubbish", false, any).outcome, Outcome::kDone);
}

}  // namespace
}  // namespace pawl::trigger

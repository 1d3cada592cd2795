// Writes an operation's answer in either protocol. As with requests (sqs_value.h), lists and maps have a name in each:
// {"Messages": [...]} is <Message>…</Message><Message>…</Message>.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "wire/http_message.h"
#include "wire/sqs_value.h"

namespace pawl::wire {

// Calls nest as they are named; an answer is a structure already. Names are static storage; texts are valid UTF-8.
class SqsAnswer {
 public:
  virtual ~SqsAnswer() = default;
  virtual void text(std::string_view name, std::string_view value) = 0;
  virtual void boolean(std::string_view name, bool value) = 0;
  // Only lists and maps that have something are written: nothing is the other form of empty in both protocols.
  virtual void begin_list(std::string_view json_name, std::string_view query_name) = 0;
  virtual void list_text(std::string_view value) = 0;
  virtual void begin_item() = 0;
  virtual void end_item() = 0;
  virtual void end_list() = 0;
  virtual void begin_map(std::string_view json_name, std::string_view query_name) = 0;
  virtual void map_text(std::string_view key, std::string_view value) = 0;
  virtual void begin_map_item(std::string_view key) = 0;
  virtual void end_map_item() = 0;
  virtual void end_map() = 0;

  virtual HttpResponse finish() = 0;
};

// `operation`: "SendMessage". `request_id` stands in every XML answer.
std::unique_ptr<SqsAnswer> make_sqs_answer(SqsProtocol protocol, std::string_view operation,
                                           std::string_view request_id, bool has_result);

}  // namespace pawl::wire

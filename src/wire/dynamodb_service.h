// DynamoDB over HTTP: one request in, one answer out. The operations themselves are in dynamodb_*.cc.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "table/command.h"
#include "table/table_reader.h"
#include "wire/access_gate.h"
#include "wire/dynamodb_call.h"
#include "wire/http_message.h"

namespace pawl::wire {

inline constexpr std::string_view kDynamoDbTarget = "DynamoDB_20120810.";

// Thread-safe. Reader and sink must outlive it and every command that it submitted.
class DynamoDbService {
 public:
  using TableDefaultsFor = std::function<TableDefaults(const std::string& name)>;

  DynamoDbService(const table::TableReader& tables, table::CommandSink& commands,
                  TableDefaultsFor table_defaults);

  // `operation` is the target's part behind kDynamoDbTarget.
  void serve(std::string_view operation, const HttpRequest& request, const Caller& caller,
             Completion completion);

 private:
  void submit(table::Command command, std::string_view operation, const HttpRequest& request,
              const Caller& caller, Completion completion);

  const table::TableReader& tables_;
  table::CommandSink& commands_;
  TableDefaultsFor table_defaults_;
};

}  // namespace pawl::wire

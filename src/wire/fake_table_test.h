// A table in a map, and a sink that evaluates nothing: enough to see what the wire layer asks and answers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "item/item_size.h"
#include "item/key.h"
#include "table/command.h"
#include "table/table_reader.h"
#include "wire/http_message.h"

namespace pawl::wire {

// "users" (hashid: S) and "range" (hashid: S, r: N).
class FakeReader : public table::TableReader {
 public:
  FakeReader() {
    add_table("users", {{"hashid", item::Type::kString}, std::nullopt});
    add_table("range",
              {{"hashid", item::Type::kString}, item::KeyAttribute{"r", item::Type::kNumber}});
  }
  void add_table(const std::string& name, item::KeySchema schema) {
    table::TableDescription description;
    description.definition.name = name;
    description.definition.schema = std::move(schema);
    description.incarnation = {0x1234};
    description.created = {1'795'372'535'771'000};
    tables_[name] = std::move(description);
  }
  void put(const std::string& table, item::Item item) {
    const auto& schema = tables_.at(table).definition.schema;
    items_[{table, item::encode_key(schema, item::key_of(schema, item).value())}] = std::move(item);
  }
  table::TableDescription& description(const std::string& name) { return tables_.at(name); }

  table::ReadResult<table::TableDescription> describe(std::string_view name) const override {
    const auto found = tables_.find(std::string(name));
    if (found == tables_.end()) return table::Failure{table::Refusal::kNoSuchTable, {}, {}, {}};
    return found->second;
  }
  std::vector<std::string> list(std::string_view start, std::size_t limit) const override {
    std::vector<std::string> names;
    for (const auto& [name, description] : tables_) {
      if (name > start && names.size() < limit) names.push_back(name);
    }
    return names;
  }
  table::ReadResult<std::optional<item::Item>> get(std::string_view table,
                                                   const item::Item& key) const override {
    const auto& schema = tables_.at(std::string(table)).definition.schema;
    const auto found = items_.find({std::string(table), item::encode_key(schema, key)});
    if (found == items_.end()) return std::optional<item::Item>();
    return std::optional(found->second);
  }
  table::ReadResult<std::vector<std::optional<item::Item>>> get_many(
      const std::vector<std::pair<std::string, item::Item>>& keys) const override {
    std::vector<std::optional<item::Item>> found;
    for (const auto& [table, key] : keys) {
      found.push_back(std::get<std::optional<item::Item>>(get(table, key)));
    }
    return found;
  }
  table::ReadResult<table::Page> page(const table::PageRequest& request) const override {
    last_page = request;
    return next_page;
  }

  mutable std::optional<table::PageRequest> last_page;
  table::Page next_page;

 private:
  std::map<std::string, table::TableDescription> tables_;
  std::map<std::pair<std::string, std::string>, item::Item> items_;
};

// Keeps each command, and answers it with what the test laid out; or with nothing (unknown).
class FakeSink : public table::CommandSink {
 public:
  void submit(table::Command command) override {
    last.emplace(std::move(command));
    if (unknown) return last->done(std::nullopt);
    if (hold) return;
    last->done(last->render(outcome));
  }
  const table::Mutation& mutation(std::size_t index = 0) const {
    if (const auto* many = std::get_if<table::Mutations>(&last->action))
      return many->mutations.at(index);
    return std::get<table::Transaction>(last->action).mutations.at(index);
  }

  std::optional<table::Command> last;
  table::Outcome outcome;
  bool unknown = false;
  bool hold = false;
};

// Catches one answer.
struct FakeResponder : Responder {
  void respond(std::optional<HttpResponse> answer) override {
    ++calls;
    response = std::move(answer);
  }
  int calls = 0;
  std::optional<HttpResponse> response;
};

}  // namespace pawl::wire

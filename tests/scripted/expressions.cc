#include "expressions.h"

#include <algorithm>

#include "exchange.h"

namespace scripted {
namespace {

Refusal invalid(std::string_view what, std::string_view expression) {
  return {400,
          "ValidationException",
          std::string("the scripted server does not read this expression (") + std::string(what) +
              "): " + std::string(expression),
          {}};
}

class Reader {
 public:
  Reader(const Json& request, std::string_view expression)
      : request_(&request), rest_(expression), all_(expression) {}

  // The next token: a word with its "#" or ":", or one of "=(),"; "" at the end.
  std::string_view token() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    const auto word = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '#' || c == ':' || c == '-';
    };
    std::size_t length = 0;
    while (length < rest_.size() && word(rest_[length])) ++length;
    const std::string_view found =
        rest_.substr(0, std::max<std::size_t>(length, rest_.empty() ? 0 : 1));
    rest_.remove_prefix(found.size());
    return found;
  }
  void expect(std::string_view wanted) {
    if (token() != wanted) throw invalid("expected " + std::string(wanted), all_);
  }
  // A path's name, with its placeholder resolved.
  std::string_view name(std::string_view token) const {
    if (token.empty() || token[0] == ':') throw invalid("expected a name", all_);
    if (token[0] != '#') return token;
    const auto names = member(*request_, "ExpressionAttributeNames");
    if (!names) throw invalid("no ExpressionAttributeNames", all_);
    return text_of(*names, token);
  }
  std::string value(std::string_view token) const {
    const auto values = member(*request_, "ExpressionAttributeValues");
    const auto found = values && token.starts_with(':') ? member(*values, token) : std::nullopt;
    if (!found) throw invalid("no such value", all_);
    return to_text(*found);
  }

 private:
  const Json* request_;
  std::string_view rest_;
  std::string_view all_;
};

bool begins_with(std::string_view value, std::string_view start) {
  constexpr std::string_view kText = "{\"S\":\"";
  if (!start.starts_with(kText) || !start.ends_with("\"}")) return false;
  return value.starts_with(start.substr(0, start.size() - 2));
}

bool meets_term(Reader& reader, const Item* item) {
  const std::string_view first = reader.token();
  const auto value_of = [item](std::string_view name) -> const std::string* {
    if (item == nullptr) return nullptr;
    const auto found = item->find(name);
    return found == item->end() ? nullptr : &found->second;
  };
  if (first == "attribute_not_exists" || first == "attribute_exists") {
    reader.expect("(");
    const bool there = value_of(reader.name(reader.token())) != nullptr;
    reader.expect(")");
    return there == (first == "attribute_exists");
  }
  if (first == "begins_with") {
    reader.expect("(");
    const std::string* const value = value_of(reader.name(reader.token()));
    reader.expect(",");
    const std::string start = reader.value(reader.token());
    reader.expect(")");
    return value != nullptr && begins_with(*value, start);
  }
  const std::string* const value = value_of(reader.name(first));
  reader.expect("=");
  const std::string wanted = reader.value(reader.token());
  return value != nullptr && *value == wanted;
}

}  // namespace

bool meets(const Json& request, std::string_view name, const Item* item) {
  const std::string_view expression = text_or(request, name, "");
  if (!member(request, name)) return true;
  Reader reader(request, expression);
  bool result = true;
  while (true) {
    // Every term is read, so that a wrong one is refused whatever the others say.
    result = meets_term(reader, item) && result;
    const std::string_view next = reader.token();
    if (next.empty()) return result;
    if (next != "AND" && next != "and") throw invalid("expected AND", expression);
  }
}

std::set<std::string, std::less<>> projection_of(const Json& request) {
  std::set<std::string, std::less<>> names;
  const std::string_view expression = text_or(request, "ProjectionExpression", "");
  if (expression.empty()) return names;
  Reader reader(request, expression);
  while (true) {
    names.emplace(reader.name(reader.token()));
    const std::string_view next = reader.token();
    if (next.empty()) return names;
    if (next != ",") throw invalid("expected a comma", expression);
  }
}

Item projected(const Item& item, const std::set<std::string, std::less<>>& names) {
  if (names.empty()) return item;
  Item kept;
  for (const auto& entry : item)
    if (names.contains(entry.first)) kept.insert(entry);
  return kept;
}

}  // namespace scripted

#include "wire/sqs_query_form.h"

#include <algorithm>
#include <map>

#include "item/utf8.h"

namespace pawl::wire {
namespace {

SqsError malformed(std::string message) {
  return sqs_error(sqs_errors::kUnreadable, std::move(message));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Percent signs and pluses; nothing if a percent sign is not followed by two digits.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

// The structure while it is being built: members are found by name however many there are.
struct Node {
  std::optional<std::string> text;
  std::map<std::string, Node, std::less<>> members;
};

SqsValue value_of(Node node) {  // NOLINT(misc-no-recursion): no deeper than kSqsDepthMax
  SqsValue value;
  if (node.text) {
    value.kind = SqsValue::Kind::kText;
    value.text = std::move(*node.text);
    return value;
  }
  for (auto& [name, member] : node.members) {
    value.members.push_back({name, value_of(std::move(member))});
  }
  return value;
}

SqsResult<Node*> place_of(Node& root, std::string_view path) {
  Node* at = &root;
  std::size_t depth = 0;
  while (true) {
    if (++depth > kSqsDepthMax) return malformed("A parameter's name nests too deep");
    const std::size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    if (name.empty()) return malformed("A parameter has an empty name");
    if (at->text) return malformed("A parameter is both a value and a structure");
    at = &at->members.try_emplace(std::string(name)).first->second;
    if (dot == std::string_view::npos) return at;
    path.remove_prefix(dot + 1);
  }
}

SqsResult<Unit> add_pair(Node& root, std::string_view pair) {
  const std::size_t equals = pair.find('=');
  if (std::min(equals, pair.size()) > 3 * kSqsNameMax) {
    return malformed("A parameter's name is too long");
  }
  const auto name = decoded(pair.substr(0, equals));
  auto text = decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
  if (!name || !text) return malformed("A percent sign is not followed by two hex digits");
  if (name->size() > kSqsNameMax) return malformed("A parameter's name is too long");
  if (!item::is_utf8(*name) || !item::is_utf8(*text)) return malformed("A parameter is no UTF-8");
  WIRE_ASSIGN(Node* const node, place_of(root, *name));
  if (node->text || !node->members.empty()) {
    return malformed("The parameter " + *name + " comes twice");
  }
  node->text = std::move(text);
  return Unit{};
}

}  // namespace

SqsResult<SqsValue> parse_sqs_form(std::string_view body) {
  Node root;
  std::size_t pairs = 0;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('&'), body.size());
    const std::string_view pair = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (pair.empty()) continue;
    if (++pairs > kSqsValuesMax) return malformed("The request has too many parameters");
    WIRE_TRY(add_pair(root, pair));
  }
  return value_of(std::move(root));
}

}  // namespace pawl::wire

#include "expression/resolver.h"

#include <charconv>
#include <string>
#include <utility>

namespace pawl::expression {

Error first_not_distinct(ExpressionKind kind, std::string_view operation, const Path& first) {
  return invalid(
      kind,
      "The first operand must be distinct from the remaining operands for this operator or "
      "function; operator: " +
          std::string(operation) + ", first operand: " + first.to_string());
}

Result<Path> Resolver::path(NodeId id) const {
  const SyntaxNode& node = tree_.at(id);
  const std::size_t count = node.parts_end - node.parts_begin;
  if (count > kPathElementsMax) {
    return invalid(kind_, "The document path has too many nesting levels; nesting levels: " +
                              std::to_string(count));
  }
  Path path;
  path.elements.reserve(count);
  for (std::uint32_t i = node.parts_begin; i < node.parts_end; ++i) {
    const PathPart& part = tree_.part(i);
    PathElement element;
    if (part.is_index) {
      // check_names() has seen that it is a number within range.
      std::from_chars(part.text.data(), part.text.data() + part.text.size(), element.index);
    } else if (part.text.front() == '#') {
      const std::string* name = placeholders_.use_name(part.text);
      if (name == nullptr) {
        return invalid(kind_,
                       "An expression attribute name used in the document path is not defined; "
                       "attribute name: " +
                           std::string(part.text));
      }
      element.name = *name;
    } else {
      element.name = part.text;
    }
    path.elements.push_back(std::move(element));
  }
  return path;
}

Result<std::shared_ptr<const item::Value>> Resolver::value(NodeId id) const {
  const std::string_view text = tree_.at(id).text;
  auto value = placeholders_.use_value(text);
  if (value == nullptr) {
    return invalid(kind_,
                   "An expression attribute value used in expression is not defined; attribute "
                   "value: " +
                       std::string(text));
  }
  return value;
}

Status Resolver::count_operator() {
  if (++operators_ <= kOperatorsMax) return ok();
  return invalid(kind_, "The expression contains too many operators; operator count: " +
                            std::to_string(operators_));
}

Status Resolver::check_operand_count(NodeId function, std::size_t expected) const {
  const std::size_t count = tree_.child_count(function);
  if (count == expected) return ok();
  return invalid(kind_,
                 "Incorrect number of operands for operator or function; operator or function: " +
                     std::string(tree_.at(function).text) +
                     ", number of operands: " + std::to_string(count));
}

}  // namespace pawl::expression

// The grammar of update expressions: SET, REMOVE, ADD and DELETE, in any order, each once.
#pragma once

#include <cstdint>
#include <vector>

#include "expression/parser.h"

namespace pawl::expression {

enum class Clause : std::uint8_t { kSet, kRemove, kAdd, kDelete };

std::string_view name_of(Clause clause);

struct ParsedAction {
  Clause clause = Clause::kSet;
  std::uint32_t section = 0;  // counts the keywords
  NodeId path = kNoNode;
  NodeId value = kNoNode;  // none for REMOVE; a kValue for ADD and DELETE
};

class UpdateParser : public Parser {
 public:
  explicit UpdateParser(std::string_view text) : Parser(ExpressionKind::kUpdate, text) {}

  // In the order of the text; meaningless if status() is an error.
  std::vector<ParsedAction> parse();

 private:
  ParsedAction action(Clause clause);
  NodeId set_value();
  bool is_arithmetic(NodeId id) const;
};

}  // namespace pawl::expression

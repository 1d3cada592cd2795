// What the grammars of all kinds of expression share: the current token, syntax errors, document
// paths and operands.
//
// The parsers are recursive descent with one token of lookahead; the first token that no valid
// expression could have at its place is the one that the error names, as the service does. A parser
// that has failed stays failed: its functions return kNoNode and consume nothing more that matters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "expression/lexer.h"
#include "expression/messages.h"
#include "expression/syntax_tree.h"

namespace pawl::expression {

// Levels of recursion. A valid expression has at most 300 operators, each in one pair of
// parentheses at most; what goes deeper is refused without being looked at further, whatever else
// is wrong with it.
inline constexpr int kNestingMax = 620;

class Parser {
 public:
  // Checks the size and reads the first token. `text` must outlive the parser and its tree.
  Parser(ExpressionKind kind, std::string_view text);

  SyntaxTree& tree() { return tree_; }
  const SyntaxTree& tree() const { return tree_; }
  // What went wrong, if anything.
  Status status() const;

 protected:
  bool failed() const { return error_.has_value(); }
  void fail(std::string_view message);
  // At the current token.
  void fail_syntax();
  void fail_too_deep();

  TokenKind current() const { return current_.kind; }
  std::string_view current_text() const {
    return text_.substr(current_.begin, current_.end - current_.begin);
  }
  void advance();
  // Steps over a token of this kind, or fails.
  bool expect(TokenKind kind);
  // The last step of every grammar.
  void expect_end();

  // path := name { "." name | "[" index "]" }
  NodeId path();
  // operand := path | value | function "(" operand { "," operand } ")" | "(" operand ")"
  NodeId operand();
  // A path, a value or a function call; never parentheses.
  NodeId plain_operand();
  // Notes that `id` stands in parentheses. A second pair is redundant, which is an error: at once, or, if the
  // service has to read on to know what the parentheses hold, once the next token turns out to be right.
  enum class Redundancy { kAtOnce, kReadOn };
  void parenthesise(NodeId id, Redundancy redundancy);

  // Counts a level of recursion for as long as it lives.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) {
      if (++parser_.level_ > kNestingMax) parser_.fail_too_deep();
    }
    ~Level() { --parser_.level_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Parser& parser_;
  };

 private:
  void path_steps();
  NodeId function(std::string_view name);
  NodeId leaf(NodeKind kind);
  void fail_redundant();

  ExpressionKind kind_;
  std::string_view text_;
  Lexer lexer_;
  Token previous_;
  Token current_;
  bool at_first_token_ = true;
  bool redundant_parentheses_ = false;
  int level_ = 0;
  int function_level_ = 0;
  SyntaxTree tree_;
  std::optional<Error> error_;
};

}  // namespace pawl::expression

// What the parsers make of the text before anything is looked up: nodes in one arena, by number,
// whose texts are views of the source. Lives only while an expression is being parsed.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pawl::expression {

enum class Comparator : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
};

// "=", "<>", …
std::string_view name_of(Comparator comparator);

enum class NodeKind : std::uint8_t {
  kPath,      // no children; parts [parts_begin, parts_end)
  kValue,     // no children; text is ":v"
  kFunction,  // children are the operands; text is the name
  kCompare,   // left, right
  kBetween,   // operand, lower, upper
  kIn,        // operand, candidates…
  kNot,       // operand
  kAnd,       // left, right
  kOr,        // left, right
  kPlus,      // left, right
  kMinus,     // left, right
};

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xFFFFFFFF;

// One step of a document path.
struct PathPart {
  std::string_view text;  // "name" or "#name", or the digits of an index
  bool is_index = false;
};

struct SyntaxNode {
  NodeKind kind = NodeKind::kPath;
  Comparator comparator = Comparator::kEqual;
  bool parenthesised = false;
  std::string_view text;
  NodeId first_child = kNoNode;
  NodeId last_child = kNoNode;
  NodeId next = kNoNode;  // the next child of the same parent
  std::uint32_t parts_begin = 0;
  std::uint32_t parts_end = 0;
};

class SyntaxTree {
 public:
  SyntaxTree() {
    nodes_.reserve(8);  // enough for most expressions: one allocation each
    parts_.reserve(8);
  }

  NodeId add(SyntaxNode node) {
    nodes_.push_back(node);
    return static_cast<NodeId>(nodes_.size() - 1);
  }
  void add_part(PathPart part) { parts_.push_back(part); }
  std::uint32_t part_count() const { return static_cast<std::uint32_t>(parts_.size()); }
  void add_child(NodeId parent, NodeId child) {
    SyntaxNode& node = nodes_[parent];
    if (node.first_child == kNoNode) {
      node.first_child = child;
    } else {
      nodes_[node.last_child].next = child;
    }
    node.last_child = child;
  }

  SyntaxNode& at(NodeId id) { return nodes_[id]; }
  const SyntaxNode& at(NodeId id) const { return nodes_[id]; }
  const PathPart& part(std::uint32_t index) const { return parts_[index]; }

  // The child number `index` of `parent`, which must have it.
  NodeId child(NodeId parent, std::uint32_t index) const {
    NodeId id = nodes_[parent].first_child;
    for (; index > 0; --index) id = nodes_[id].next;
    return id;
  }
  std::size_t child_count(NodeId parent) const {
    std::size_t count = 0;
    for (NodeId id = nodes_[parent].first_child; id != kNoNode; id = nodes_[id].next) ++count;
    return count;
  }

 private:
  std::vector<SyntaxNode> nodes_;
  std::vector<PathPart> parts_;
};

}  // namespace pawl::expression

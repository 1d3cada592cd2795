#include <utility>

#include "expression/expression.h"
#include "expression/name_check.h"
#include "expression/parser.h"
#include "expression/path_set.h"
#include "expression/resolver.h"

namespace pawl::expression {
namespace {

// projection := path { "," path }
class ProjectionParser : public Parser {
 public:
  explicit ProjectionParser(std::string_view text) : Parser(ExpressionKind::kProjection, text) {}

  std::vector<NodeId> parse() {
    std::vector<NodeId> paths;
    while (!failed()) {
      paths.push_back(path());
      if (failed() || current() != TokenKind::kComma) break;
      advance();
    }
    expect_end();
    return paths;
  }
};

}  // namespace

struct Projection::Paths {
  std::vector<Path> paths;  // never changes once `set` points into it
  PathSet set;
};

Result<Projection> Projection::parse(std::string_view text, Placeholders& placeholders) {
  ProjectionParser parser(text);
  const std::vector<NodeId> nodes = parser.parse();
  PAWL_TRY(parser.status());
  for (const NodeId node : nodes) {
    PAWL_TRY(check_names(ExpressionKind::kProjection, parser.tree(), node, Position::kOperand));
  }
  const Resolver resolver(ExpressionKind::kProjection, parser.tree(), placeholders);
  auto paths = std::make_shared<Paths>();
  paths->paths.reserve(nodes.size());
  // Last to first, as the service does: it decides which of several faults is named, and how.
  Projection projection;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    PAWL_ASSIGN_OR_RETURN(Path path, resolver.path(*node));
    paths->paths.push_back(std::move(path));  // within what is reserved: earlier ones stay put
    PAWL_TRY(paths->set.insert(ExpressionKind::kProjection, &paths->paths.back()));
    const Path& added = paths->paths.back();
    projection.attributes_.insert(added.attribute());
    if (added.elements.size() > 1) projection.nested_attributes_.insert(added.attribute());
  }
  projection.paths_ = std::move(paths);
  return projection;
}

item::Item Projection::project(const item::Item& item) const { return paths_->set.project(item); }

const AttributeNames& Projection::attributes() const { return attributes_; }

}  // namespace pawl::expression

#include "archive/object_naming.h"

#include <algorithm>

#include "base/base64.h"
#include "base/digest.h"
#include "item/source_number.h"

namespace pawl::archive {
namespace {

Error wrong_template(std::string_view text, std::string_view why) {
  return Error{ErrorCode::kInvalid,
               "the name template '" + std::string(text.substr(0, kTemplateBytesMax)) + "' " +
                   std::string(why),
               "a template is a path like 'logs/{hashid}-{_version}.log', with {table}, {key}, "
               "{version}, {sequence}, "
               "{shard}, {kind} or any attribute in braces"};
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

bool at_component_start(const std::string& out) { return out.empty() || out.back() == '/'; }

// Appends a value: as it is (who is not Pawl knows no other way), or so that it stays within its component and can't look like
// anything that Pawl writes itself.
void append_text(std::string& out, std::string_view value, NameTemplate::Values values) {
  if (values == NameTemplate::Values::kAsTheyAre) {
    out += value;
    return;
  }
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : value) {
    const bool escape =
        is_control(c) || c == '%' || c == '/' || c == '~' || (c == '.' && at_component_start(out));
    if (!escape) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
}

std::string base64url(std::string_view bytes) {
  std::string text = to_base64(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

// The text of an S, N or B value; empty for every other type.
std::string text_of(const item::Value& value) {
  if (const auto* string = value.get_if<item::String>()) return string->text;
  if (const auto* number = value.get_if<item::Number>()) return number->to_string();
  if (const auto* binary = value.get_if<item::Binary>()) return base64url(binary->bytes);
  return {};
}

// What tells a change of an item from its other ones where the name's own parts can't: its version, or the record's
// number where a guarded table's item has none.
void append_stamp(std::string& out, const item::Change& change) {
  PAWL_ASSERT(change.version || change.guarded());
  out +=
      change.version ? std::to_string(change.version->value) : item::padded_source(change.source);
}

// Renders what can't be told by the value itself; no value contains a '~'.
void append_value(std::string& out, const item::Item& item, const std::string& name,
                  const item::Change& change, NameTemplate::Values values) {
  const auto found = item.find(name);
  const std::string text = found == item.end() ? std::string{} : text_of(found->second);
  if (text.empty()) {
    out += '~';
    append_stamp(out, change);
  } else {
    append_text(out, text, values);
  }
}

// The greatest length <= `size` that does not cut a UTF-8 character of `text`.
std::size_t cut_at_character(std::string_view text, std::size_t size) {
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return size;
}

std::string shorten_components(std::string_view name) {
  std::string out;
  while (true) {
    const auto slash = name.find('/');
    const auto component = name.substr(0, slash);
    if (component.size() <= kComponentBytesMax) {
      out += component;
    } else {
      out += component.substr(0, cut_at_character(component, kComponentPrefix));
      out += '~';
      out += sha256(component).to_hex();
    }
    if (slash == std::string_view::npos) return out;
    out += '/';
    name.remove_prefix(slash + 1);
  }
}

std::string shorten(std::string_view name) {
  std::string out = shorten_components(name);
  if (out.size() <= kNameBytesMax) return out;
  const std::string digest = sha256(out).to_hex();
  // Whole components only, so that none grows; they are at most kComponentBytesMax long, so some always fit.
  out.resize(out.rfind('/', kNamePrefix - 1) + 1);
  out += '~';
  out += digest;
  return out;
}

// Whether S3 takes it as a name, every client sends it as it is, and it is not Pawl's own.
bool is_path(std::string_view name) {
  if (name.size() > kStoreNameBytesMax || name.starts_with(".pawl") ||
      std::any_of(name.begin(), name.end(), is_control)) {
    return false;
  }
  for (;;) {
    const auto slash = name.find('/');
    const auto component = name.substr(0, slash);
    if (component.empty() || component == "." || component == "..") return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<NameTemplate::Part> NameTemplate::parse_placeholder(std::string_view name) {
  if (name == "table") return Part{Kind::kTable, {}};
  if (name == "key") return Part{Kind::kKey, {}};
  if (name == "version") return Part{Kind::kVersion, {}};
  if (name == "sequence") return Part{Kind::kSequence, {}};
  if (name == "source") return Part{Kind::kSource, "source"};
  if (name == "shard") return Part{Kind::kShard, {}};
  if (name == "kind") return Part{Kind::kChangeKind, {}};
  return Part{Kind::kAttribute, std::string(name)};
}

Status NameTemplate::add_literal(std::string_view literal) {
  for (std::size_t i = 0; i < literal.size(); ++i) {
    const char c = literal[i];
    const bool starts_component = i == 0 ? parts_.empty() : literal[i - 1] == '/';
    if (is_control(c)) return wrong_template(text_, "contains a control character");
    if (c == '}') return wrong_template(text_, "has a '}' without its '{'");
    if (c == '~' || c == '%')
      return wrong_template(text_, "contains '~' or '%', which mark what Pawl adds to names");
    if (c == '/' && starts_component)
      return wrong_template(text_, "starts with '/' or has an empty component ('//')");
    if (c == '.' && starts_component) {
      return wrong_template(
          text_, "has a component that starts with '.' (so do '..' and Pawl's own '.pawl')");
    }
  }
  if (!literal.empty()) parts_.push_back({Kind::kLiteral, std::string(literal)});
  return ok();
}

Result<NameTemplate> NameTemplate::parse(std::string_view text) {
  NameTemplate result;
  result.text_ = text;
  if (text.empty()) return wrong_template(text, "is empty");
  if (text.size() > kTemplateBytesMax) return wrong_template(text, "is longer than 512 bytes");
  if (text.back() == '/') return wrong_template(text, "ends with '/', so it names a directory");
  std::size_t placeholders = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto open = rest.find('{');
    PAWL_TRY(result.add_literal(rest.substr(0, open)));
    if (open == std::string_view::npos) break;
    rest.remove_prefix(open + 1);
    const auto close = rest.find('}');
    if (close == std::string_view::npos) return wrong_template(text, "has a '{' without its '}'");
    const auto name = rest.substr(0, close);
    if (name.empty()) return wrong_template(text, "has empty braces");
    if (name.find('{') != std::string_view::npos)
      return wrong_template(text, "has a '{' inside of braces");
    if (++placeholders > kPlaceholdersMax)
      return wrong_template(text, "has more than 16 pairs of braces");
    PAWL_ASSIGN_OR_RETURN(auto part, parse_placeholder(name));
    result.parts_.push_back(std::move(part));
    rest.remove_prefix(close + 1);
  }
  if (placeholders == 0)
    return wrong_template(text, "has no braces, so all versions would have one name");
  return result;
}

std::optional<std::string> NameTemplate::last_attribute() const {
  const auto last = std::find_if(parts_.rbegin(), parts_.rend(),
                                 [](const Part& part) { return part.kind != Kind::kLiteral; });
  if (last == parts_.rend() || last->kind != Kind::kAttribute) return std::nullopt;
  return last->text;
}

void NameTemplate::append_part(std::string& out, const Part& part, const NamedTable& table,
                               const item::Change& change, Values values) const {
  switch (part.kind) {
    case Kind::kLiteral:
      out += part.text;
      break;
    case Kind::kTable:
      append_text(out, table.name, values);
      break;
    case Kind::kKey:
      append_value(out, change.key, table.schema.partition.name, change, values);
      if (table.schema.sort) {
        out += "~~";
        append_value(out, change.key, table.schema.sort->name, change, values);
      }
      break;
    case Kind::kVersion:
      if (!change.version) out += '~';
      append_stamp(out, change);
      break;
    case Kind::kSequence:
      out += std::to_string(change.sequence.value);
      break;
    case Kind::kShard:
      out += change.shard.to_string();
      break;
    case Kind::kChangeKind:
      out += change.kind == item::ChangeKind::kInsert   ? "insert"
             : change.kind == item::ChangeKind::kModify ? "modify"
                                                        : "remove";
      break;
    case Kind::kSource:
      if (change.guarded()) {
        out += item::padded_source(change.source);
        break;
      }
      // In Pawl's own tables it is an attribute like any other, as it was before there were guarded ones.
      [[fallthrough]];
    case Kind::kAttribute: {
      const auto& image =
          change.kind == item::ChangeKind::kRemove ? change.old_image : change.new_image;
      append_value(out, image ? *image : change.key, part.text, change, values);
      break;
    }
  }
}

std::string NameTemplate::render_all(const NamedTable& table, const item::Change& change,
                                     Values values) const {
  std::string out;
  for (const auto& part : parts_) append_part(out, part, table, change, values);
  if (change.kind == item::ChangeKind::kRemove) {
    out += ".removed-";
    append_stamp(out, change);
  }
  return out;
}

std::string NameTemplate::render(const NamedTable& table, const item::Change& change) const {
  return shorten(render_all(table, change, Values::kEscaped));
}

std::optional<std::string> NameTemplate::render_as_it_is(const NamedTable& table,
                                                         const item::Change& change) const {
  auto name = render_all(table, change, Values::kAsTheyAre);
  if (!is_path(name)) return std::nullopt;
  return name;
}

std::string repaired_name(std::string_view name) { return std::string(name) + "~repaired"; }

std::string fallback_name(std::string_view name, ShardId shard, SequenceNumber sequence,
                          std::uint32_t attempt) {
  std::string out(name);
  if (attempt == 0) return out;
  out += '~';
  out += shard.to_string();
  out += '-';
  out += std::to_string(sequence.value);
  if (attempt > 1) {
    out += '~';
    out += std::to_string(attempt);
  }
  return out;
}

}  // namespace pawl::archive

#include "base/xml_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <vector>

namespace pawl {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == ':';
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto add = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | (code >> 6));
    add(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    add(0xE0 | (code >> 12));
    add(0x80 | ((code >> 6) & 0x3F));
    add(0x80 | (code & 0x3F));
  } else {
    add(0xF0 | (code >> 18));
    add(0x80 | ((code >> 12) & 0x3F));
    add(0x80 | ((code >> 6) & 0x3F));
    add(0x80 | (code & 0x3F));
  }
}

class Reader {
 public:
  Reader(std::string_view document,
         const std::function<void(std::string_view, std::string_view)>& visit)
      : rest_(document), size_(document.size()), visit_(visit) {}

  Status read() {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    if (rest_.starts_with("<?xml")) PAWL_TRY(skip_past("?>"));
    while (!rest_.empty()) {
      if (rest_.starts_with("<!--")) {
        PAWL_TRY(skip_past("-->"));
      } else if (rest_.starts_with("</")) {
        PAWL_TRY(end_element());
      } else if (rest_.front() == '<') {
        PAWL_TRY(start_element());
      } else if (depth_ == 0) {
        if (!is_blank(rest_.front())) return failed("text outside of the root element");
        rest_.remove_prefix(1);
      } else {
        PAWL_TRY(text());
      }
    }
    if (depth_ > 0) return failed("it ends inside an element");
    if (!seen_root_) return failed("it has no element");
    return ok();
  }

 private:
  // An element that has begun. Its text is a view into the document while it is one piece without entities, as nearly
  // every text is; `pieces` takes it over otherwise.
  struct Open {
    std::size_t path_size = 0;  // of the path before it
    std::string_view text;
    std::string pieces;
    bool in_pieces = false;

    void begin(std::size_t size) {
      path_size = size;
      text = {};
      in_pieces = false;
    }
    std::string& gather() {
      if (!in_pieces) pieces.assign(text);
      in_pieces = true;
      return pieces;
    }
    void add(std::string_view piece) {
      if (!in_pieces && text.empty()) {
        text = piece;
      } else {
        gather().append(piece);
      }
    }
    std::string_view whole() const { return in_pieces ? std::string_view(pieces) : text; }
  };

  Error failed(std::string_view why) const {
    return {
        ErrorCode::kInvalid,
        fmt::format("an XML answer is not well-formed at byte {}: {}", size_ - rest_.size(), why),
        {}};
  }

  Status skip_past(std::string_view end) {
    const auto at = rest_.find(end);
    if (at == std::string_view::npos) return failed("it ends early");
    rest_.remove_prefix(at + end.size());
    return ok();
  }

  std::string_view name() {
    std::size_t size = 0;
    while (size < rest_.size() && size <= kXmlNameMax && is_name(rest_[size])) ++size;
    const auto result = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return result;
  }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  Status start_element() {
    rest_.remove_prefix(1);
    const auto tag = name();
    if (tag.empty() || tag.size() > kXmlNameMax) return failed("no element's name");
    if (depth_ == 0 && seen_root_) return failed("a second root element");
    if (depth_ == kXmlDepthMax) return failed("it is nested too deeply");
    seen_root_ = true;
    if (open_.size() == depth_) open_.emplace_back();
    open_[depth_++].begin(path_.size());
    if (!path_.empty()) path_.push_back('/');
    path_.append(tag);
    for (;;) {
      skip_blanks();
      if (rest_.starts_with("/>")) {
        rest_.remove_prefix(2);
        close();
        return ok();
      }
      if (rest_.starts_with(">")) {
        rest_.remove_prefix(1);
        return ok();
      }
      PAWL_TRY(skip_attribute());
    }
  }

  Status skip_attribute() {
    const auto attribute = name();
    if (attribute.empty() || attribute.size() > kXmlNameMax) return failed("no attribute's name");
    skip_blanks();
    if (!rest_.starts_with("=")) return failed("an attribute without a value");
    rest_.remove_prefix(1);
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\''))
      return failed("an attribute's value without quotes");
    const auto end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return failed("it ends in an attribute");
    if (rest_.substr(0, end).find('<') != std::string_view::npos)
      return failed("a '<' in an attribute");
    rest_.remove_prefix(end + 1);
    return ok();
  }

  Status end_element() {
    rest_.remove_prefix(2);
    const auto tag = name();
    skip_blanks();
    if (!rest_.starts_with(">")) return failed("an end tag that does not end");
    if (depth_ == 0) return failed("an end tag without a start tag");
    const auto before = open_[depth_ - 1].path_size;
    if (std::string_view(path_).substr(before == 0 ? 0 : before + 1) != tag)
      return failed("an end tag of another element");
    rest_.remove_prefix(1);
    close();
    return ok();
  }

  void close() {
    const Open& element = open_[--depth_];
    visit_(path_, element.whole());
    path_.resize(element.path_size);
  }

  Status text() {
    Open& element = open_[depth_ - 1];
    while (!rest_.empty() && rest_.front() != '<') {
      if (rest_.front() == '&') {
        PAWL_TRY(entity(element.gather()));
        continue;
      }
      std::size_t size = 1;
      while (size < rest_.size() && rest_[size] != '<' && rest_[size] != '&') ++size;
      element.add(rest_.substr(0, size));
      rest_.remove_prefix(size);
    }
    return ok();
  }

  Status entity(std::string& out) {
    const auto end = rest_.substr(0, 12).find(';');
    if (end == std::string_view::npos) return failed("a '&' that begins no entity");
    const auto entity_name = rest_.substr(1, end - 1);
    if (entity_name == "amp") {
      out.push_back('&');
    } else if (entity_name == "lt") {
      out.push_back('<');
    } else if (entity_name == "gt") {
      out.push_back('>');
    } else if (entity_name == "quot") {
      out.push_back('"');
    } else if (entity_name == "apos") {
      out.push_back('\'');
    } else if (!numeric(entity_name, out)) {
      return failed("an unknown entity");
    }
    rest_.remove_prefix(end + 1);
    return ok();
  }

  static bool numeric(std::string_view reference, std::string& out) {
    if (!reference.starts_with("#")) return false;
    reference.remove_prefix(1);
    const bool hex = reference.starts_with("x");
    if (hex) reference.remove_prefix(1);
    std::uint32_t code = 0;
    const char* const end = reference.data() + reference.size();
    const auto parsed = std::from_chars(reference.data(), end, code, hex ? 16 : 10);
    if (reference.empty() || parsed.ec != std::errc() || parsed.ptr != end) return false;
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    append_utf8(out, code);
    return true;
  }

  std::string_view rest_;
  std::size_t size_;
  const std::function<void(std::string_view, std::string_view)>& visit_;
  std::string path_;
  std::vector<Open> open_;  // the first depth_ are in use; the others are kept for their memory
  std::size_t depth_ = 0;
  bool seen_root_ = false;
};

}  // namespace

Status read_xml(std::string_view document,
                const std::function<void(std::string_view path, std::string_view text)>& visit) {
  return Reader(document, visit).read();
}

}  // namespace pawl

#include "item/stored_json.h"

#include <optional>

#include "base/base64.h"
#include "base/json_writer.h"
#include "item/number.h"
#include "item/stored_codes.h"
#include "item/utf8.h"
#include "item/value.h"

namespace pawl::item {
namespace {

// As item_size.h counts.
constexpr std::size_t kContainerSize = 3;
constexpr std::size_t kElementSize = 1;

// False: damaged. Recursion is bounded by kNestingDepthMax.
class StoredRenderer {
 public:
  StoredRenderer(std::string& out, Reader& reader) : out_(out), reader_(reader) {}

  std::size_t size() const { return size_; }

  bool map(std::size_t depth) {
    if (depth > kNestingDepthMax) return false;
    const std::size_t count = read_count(2);
    std::string_view previous;
    out_ += '{';
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view name = reader_.bytes();
      if (!reader_.ok() || (i > 0 && name <= previous) || !is_utf8(name)) return false;
      previous = name;
      if (i > 0) out_ += ',';
      append_json_string(out_, name);
      out_ += ':';
      size_ += name.size();
      if (depth > 1) size_ += kElementSize;
      if (!value(depth)) return false;
    }
    out_ += '}';
    return reader_.ok();
  }

 private:
  std::size_t read_count(std::size_t size_min) {
    const std::uint64_t count = reader_.varint();
    if (count > reader_.rest().size() / size_min) reader_.fail();
    return reader_.ok() ? static_cast<std::size_t>(count) : 0;
  }

  bool value(std::size_t depth) {
    const std::uint8_t code = reader_.u8();
    switch (code) {
      case kCodeString:
        out_ += R"({"S":)";
        return text() && end();
      case kCodeNumber:
        out_ += R"({"N":)";
        return number() && end();
      case kCodeBinary:
        out_ += R"({"B":)";
        return binary() && end();
      case kCodeFalse:
      case kCodeTrue:
        size_ += 1;
        out_ += code == kCodeTrue ? R"({"BOOL":true})" : R"({"BOOL":false})";
        return true;
      case kCodeNull:
        size_ += 1;
        out_ += R"({"NULL":true})";
        return true;
      case kCodeStringSet:
        out_ += R"({"SS":)";
        return byte_set([this] { return text(); });
      case kCodeNumberSet:
        out_ += R"({"NS":)";
        return number_set();
      case kCodeBinarySet:
        out_ += R"({"BS":)";
        return byte_set([this] { return binary(); });
      case kCodeList:
        out_ += R"({"L":)";
        return list(depth + 1);
      case kCodeMap:
        out_ += R"({"M":)";
        size_ += kContainerSize;
        return map(depth + 1) && end();
      default:
        return false;  // a foreign code, or the end of the input
    }
  }

  bool end() {
    out_ += '}';
    return true;
  }

  bool text() {
    last_bytes_ = reader_.bytes();
    if (!reader_.ok() || !is_utf8(last_bytes_)) return false;
    size_ += last_bytes_.size();
    append_json_string(out_, last_bytes_);
    return true;
  }

  bool binary() {
    last_bytes_ = reader_.bytes();
    if (!reader_.ok()) return false;
    size_ += last_bytes_.size();
    out_ += '"';
    append_base64(out_, last_bytes_);
    out_ += '"';
    return true;
  }

  bool number() {
    const auto read = Number::read_compact(reader_);
    if (!read.ok()) return false;
    last_number_ = *read;
    size_ += read->stored_size();
    out_ += '"';
    read->append_to(out_);
    out_ += '"';
    return true;
  }

  template <typename Element>
  bool byte_set(Element element) {
    const std::size_t count = read_count(1);
    out_ += '[';
    std::string_view previous;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out_ += ',';
      if (!element() || (i > 0 && last_bytes_ <= previous)) return false;
      previous = last_bytes_;
    }
    out_ += "]}";
    return reader_.ok();
  }

  bool number_set() {
    const std::size_t count = read_count(2);
    out_ += '[';
    Number previous;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out_ += ',';
      if (!number() || (i > 0 && last_number_ <= previous)) return false;
      previous = last_number_;
    }
    out_ += "]}";
    return reader_.ok();
  }

  bool list(std::size_t depth) {
    if (depth > kNestingDepthMax) return false;
    const std::size_t count = read_count(1);
    size_ += kContainerSize + kElementSize * count;
    out_ += '[';
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out_ += ',';
      if (!value(depth)) return false;
    }
    out_ += "]}";
    return reader_.ok();
  }

  std::string& out_;
  Reader& reader_;
  std::size_t size_ = 0;
  std::string_view last_bytes_;  // of the last text() or binary()
  Number last_number_;           // of the last number()
};

}  // namespace

Result<std::size_t> append_stored_item_json(std::string& out, Reader& reader) {
  StoredRenderer renderer(out, reader);
  if (renderer.map(1)) return renderer.size();
  reader.fail();
  return Error{ErrorCode::kCorrupt, "A stored item is damaged.", ""};
}

}  // namespace pawl::item

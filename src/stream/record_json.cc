#include "stream/record_json.h"

#include <charconv>

#include "base/json_writer.h"
#include "item/change.h"
#include "item/stored_json.h"
#include "stream/sequence_text.h"

namespace pawl::stream {
namespace {

constexpr std::int64_t kMicrosecondsASecond = 1'000'000;

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_hex(std::string& out, std::uint64_t value, std::size_t digits) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (std::size_t i = digits; i-- > 0;) out.push_back(kHex[value >> (4 * i) & 0xF]);
}

}  // namespace

RecordJson::RecordJson(const RecordForm& form)
    : shows_new_(form.shows_new), shows_old_(form.shows_old) {
  begin_ = R"({"eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":)";
  append_json_string(begin_, form.region);
  begin_ += R"(,"eventID":")";
  append_hex(begin_, form.shard.incarnation.value, 16);
  append_hex(begin_, form.shard.number, 4);
  end_ = R"(,"StreamViewType":")";
  end_.append(form.view).append("\"}");
  if (!form.source_arn.empty()) {
    end_ += R"(,"eventSourceARN":)";
    append_json_string(end_, form.source_arn);
  }
  end_.push_back('}');
}

Result<RecordJson::Written> RecordJson::append(std::string& out, SequenceNumber sequence,
                                               std::string_view encoded) const {
  Reader reader(encoded);
  PAWL_ASSIGN_OR_RETURN(const item::ChangeHead head, item::read_change_head(reader));
  out += begin_;
  append_hex(out, sequence.value, 12);
  out.append(R"(","eventName":")").append(item::name_of(head.kind));
  out.append(R"(","dynamodb":{"ApproximateCreationDateTime":)");
  append_number(out, static_cast<std::uint64_t>(head.instant.microseconds / kMicrosecondsASecond));
  out.append(R"(,"Keys":)");
  PAWL_ASSIGN_OR_RETURN(std::size_t size, item::append_stored_item_json(out, reader));
  if (item::has_new_image(head.kind) && (shows_new_ || shows_old_)) {
    // It stands before the old image, so it is read over at least.
    const std::size_t before = out.size();
    out.append(R"(,"NewImage":)");
    PAWL_ASSIGN_OR_RETURN(const std::size_t more, item::append_stored_item_json(out, reader));
    if (shows_new_) {
      size += more;
    } else {
      out.resize(before);
    }
  }
  if (item::has_old_image(head.kind) && shows_old_) {
    out.append(R"(,"OldImage":)");
    PAWL_ASSIGN_OR_RETURN(const std::size_t more, item::append_stored_item_json(out, reader));
    size += more;
  }
  out.append(R"(,"SequenceNumber":")");
  append_sequence(out, sequence);
  out.append(R"(","SizeBytes":)");
  append_number(out, size);
  out += end_;
  return Written{size, head.instant};
}

}  // namespace pawl::stream

#include <fmt/format.h>

#include <algorithm>

#include "exchange.h"
#include "mix.h"
#include "shard.h"
#include "text.h"

namespace scripted {

std::optional<View> view_of(std::string_view name) {
  if (name == "KEYS_ONLY") return View::kKeysOnly;
  if (name == "NEW_IMAGE") return View::kNewImage;
  if (name == "OLD_IMAGE") return View::kOldImage;
  if (name == "NEW_AND_OLD_IMAGES") return View::kNewAndOldImages;
  return std::nullopt;
}

std::string_view name_of(View view) {
  switch (view) {
    case View::kKeysOnly:
      return "KEYS_ONLY";
    case View::kNewImage:
      return "NEW_IMAGE";
    case View::kOldImage:
      return "OLD_IMAGE";
    case View::kNewAndOldImages:
      return "NEW_AND_OLD_IMAGES";
  }
  return "";
}

int compare_sequences(std::string_view a, std::string_view b) {
  const auto digits = [](std::string_view text) {
    return text.substr(std::min(text.find_first_not_of('0'), text.size()));
  };
  const std::string_view x = digits(a);
  const std::string_view y = digits(b);
  if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
  const int order = x.compare(y);
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

// API reference of DynamoDB Streams, Record, StreamRecord and Identity.
void append_record(std::string& out, const Change& change, std::string_view sequence, View view,
                   std::size_t size) {
  const bool insert = change.old_image.empty();
  const bool remove = change.new_image.empty();
  out += "{\"awsRegion\":\"us-east-1\",\"dynamodb\":{\"ApproximateCreationDateTime\":";
  // FACTS: "`ApproximateCreationDateTime` is rounded down to the second".
  out += std::to_string(change.created_ms / 1000);
  out += ",\"Keys\":";
  out += change.keys;
  if (!remove && (view == View::kNewImage || view == View::kNewAndOldImages)) {
    out += ",\"NewImage\":";
    out += change.new_image;
  }
  if (!insert && (view == View::kOldImage || view == View::kNewAndOldImages)) {
    out += ",\"OldImage\":";
    out += change.old_image;
  }
  out += ",\"SequenceNumber\":\"";
  out += sequence;
  out += "\",\"SizeBytes\":";
  out += std::to_string(size);
  out += ",\"StreamViewType\":\"";
  out += name_of(view);
  out += "\"},\"eventID\":\"";
  const std::uint64_t event = hash_text(sequence);
  append_hex(out, event);
  append_hex(out, mix(event));
  out += "\",\"eventName\":\"";
  out += insert ? "INSERT" : (remove ? "REMOVE" : "MODIFY");
  out += "\",\"eventSource\":\"aws:dynamodb\",\"eventVersion\":\"1.1\"";
  if (change.expired)
    out += ",\"userIdentity\":{\"PrincipalId\":\"dynamodb.amazonaws.com\",\"Type\":\"Service\"}";
  out += '}';
}

void WrittenShard::append(Change change) {
  const std::string& before = changes_.empty() ? start_ : changes_.back().sequence;
  if (compare_sequences(change.sequence, before) < (changes_.empty() ? 0 : 1))
    throw bad_control("sequence: must be more than " + before);
  // A clock never goes back here, but "created" may be given by hand.
  if (!changes_.empty())
    change.created_ms = std::max(change.created_ms, changes_.back().created_ms);
  changes_.push_back(std::move(change));
}

std::uint64_t WrittenShard::oldest(std::int64_t now_ms) const {
  const auto kept = std::partition_point(
      changes_.begin(), changes_.end(),
      [now_ms](const Change& change) { return change.created_ms < now_ms - kRetentionMs; });
  return std::max(floor_, static_cast<std::uint64_t>(kept - changes_.begin()));
}

std::uint64_t WrittenShard::position(std::string_view sequence, bool after) const {
  const auto found =
      std::partition_point(changes_.begin(), changes_.end(), [&](const Change& change) {
        return compare_sequences(change.sequence, sequence) < (after ? 1 : 0);
      });
  return static_cast<std::uint64_t>(found - changes_.begin());
}

bool WrittenShard::trimmed(std::string_view sequence, std::int64_t now_ms) const {
  return position(sequence, false) < oldest(now_ms);
}

void WrittenShard::trim(std::uint64_t position) {
  floor_ = std::max(floor_, std::min<std::uint64_t>(position, changes_.size()));
}

RecordPage WrittenShard::read(std::uint64_t position, std::int64_t, std::size_t count_max,
                              std::size_t bytes_max, View view) const {
  RecordPage page;
  page.next = position;
  for (; page.next < changes_.size() && page.count < count_max; ++page.next, ++page.count) {
    const Change& change = changes_[page.next];
    const std::size_t before = page.json.size();
    if (page.count > 0) page.json += ',';
    append_record(page.json, change, change.sequence, view,
                  change.keys.size() + change.new_image.size() + change.old_image.size());
    if (page.json.size() > bytes_max && page.count > 0) {
      page.json.resize(before);
      break;
    }
  }
  return page;
}

}  // namespace scripted

#include "cli/repair_run.h"

#include <fmt/format.h>

#include "archive/repair_body.h"
#include "audit/table_item.h"
#include "cli/stop_signals.h"
#include "item/dynamodb_json.h"

namespace pawl::cli {
namespace {

using Outcome = RepairEntry::Outcome;

// In hand are so many objects at most, or so many bytes and one object more.
constexpr std::size_t kPutsAtOnce = 64;
constexpr std::size_t kBytesAtOnce = std::size_t{8} << 20;
constexpr std::size_t kEntriesAtOnce = 1024;

constexpr const char* kStoppedBefore = "the run was stopped before";

// Where a version that was not found was looked for; `certain` if it can be nowhere else.
std::string where_looked(const GapsTableReport& table, bool& certain) {
  const auto& summary = table.summary;
  certain = false;
  if (table.stream_not_read == "--no-stream")
    return "neither in the bucket nor in the table; the stream was not read (--no-stream)";
  if (summary.shards_unread > 0) {
    return fmt::format(
        "neither in the bucket nor in the table nor in what could be read of the stream; {} could "
        "not be read to the end: {}",
        counted(summary.shards_unread, "shard"), summary.why_unread);
  }
  certain = true;
  if (!table.stream_not_read.empty()) {
    return fmt::format("neither in the bucket nor in the table; the stream has no image of it: {}",
                       table.stream_not_read);
  }
  return fmt::format("neither in the bucket nor in the table nor in any record of the stream{}",
                     summary.oldest ? ", which begins at " + summary.oldest->to_string() : "");
}

Outcome outcome_of(RepairPut::Outcome outcome) {
  static constexpr Outcome kOutcomes[] = {Outcome::kPut, Outcome::kAlreadyThere, Outcome::kAppeared,
                                          Outcome::kTaken, Outcome::kNotPut};
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

}  // namespace

RepairRun::RepairRun(GapsSearch& search, RepairBucket* bucket, audit::ImageSpool* images,
                     RepairOutput& output)
    : search_(search), bucket_(bucket), images_(images), output_(output) {
  report_.plan = bucket == nullptr;
  report_.where_not = where_looked(*search.report().table, nowhere_else_);
}

Status RepairRun::gap(const audit::Gap& gap, const std::vector<audit::Recovery>& recoveries,
                      std::size_t hole) {
  return audit::divide_gap(gap, recoveries, [&](const audit::MissingVersions& versions) {
    return missing(gap, versions, hole);
  });
}

Status RepairRun::missing(const audit::Gap& gap, const audit::MissingVersions& versions,
                          std::size_t hole) {
  InHand in_hand;
  auto& entry = in_hand.entry;
  entry.head = gap.item.head;
  entry.tail = gap.item.tail;
  entry.versions = versions.versions;
  if (!versions.found()) {
    entry.outcome = nowhere_else_ ? Outcome::kLost : Outcome::kNotFound;
    entry.why = report_.where_not;
  } else {
    const auto version = versions.versions.from;
    entry.ways.assign(versions.first_way, versions.first_way + versions.ways);
    const auto own = audit::name_of_missing(gap, version, search_.report().names);
    entry.outcome = Outcome::kNotPut;
    if (!own) {
      entry.why =
          "whether its name has leading zeros is not certain: other items' have, and none of this "
          "item's tells";
    } else {
      entry.name = *own + std::string(archive::kRepairedName);
      if (search_.location().key_of(entry.name).size() > kS3KeyMax) {
        entry.why = "its name would be longer than 1,024 bytes";
      } else if (report_.plan) {
        entry.outcome = Outcome::kPlanned;
      } else if (report_.stopped || !report_.trouble.empty()) {
        entry.why = report_.stopped ? kStoppedBefore : "not begun: the store took no more";
      } else {
        PAWL_TRY(take_image(in_hand, *own, hole));
      }
    }
  }
  if (in_hand.put) {
    ++puts_in_hand_;
    bytes_in_hand_ += in_hand.put->body.size();
  }
  in_hand_.push_back(std::move(in_hand));
  if (puts_in_hand_ >= kPutsAtOnce || bytes_in_hand_ >= kBytesAtOnce ||
      in_hand_.size() >= kEntriesAtOnce)
    flush();
  return ok();
}

bool RepairRun::is_version(const RepairEntry& entry, const std::string& image) const {
  const auto item = audit::read_table_item(search_.pattern(), image);
  return item && item->head == entry.head && item->tail == entry.tail &&
         item->version == entry.versions.from;
}

Status RepairRun::take_image(InHand& in_hand, const std::string& own_name, std::size_t hole) {
  auto& entry = in_hand.entry;
  entry.why = "it was there when it was looked for, and has gone meanwhile";
  for (const auto& way : entry.ways) {
    PAWL_ASSIGN_OR_RETURN(const bool found, images_->take(hole, way, image_));
    if (!found || !is_version(entry, image_)) continue;
    const auto image = item::parse_item_text(image_);
    if (!image.ok()) {
      entry.why = "its image is no item: " + image.error().message;
      continue;
    }
    const auto& table = *search_.report().table;
    archive::RepairedVersion repaired;
    repaired.table = table.name;
    repaired.name = own_name;
    repaired.version = entry.versions.from;
    repaired.source = audit::name_of(way.source);
    repaired.stream = table.stream;
    repaired.shard = way.shard;
    repaired.sequence = way.sequence;
    in_hand.put.emplace();
    in_hand.put->own_name = own_name;
    in_hand.put->name = entry.name;
    in_hand.put->body = archive::render_repair_body(repaired, *image);
    const audit::Recovery used = way;
    entry.ways = {used};
    entry.why.clear();
    break;
  }
  return ok();
}

void RepairRun::finish() {
  flush();
  progress_.erase();
}

void RepairRun::flush() {
  if (StopQuestion::asked()) report_.stopped = true;
  std::vector<RepairPut> puts;
  for (auto& one : in_hand_) {
    if (one.put && report_.stopped) one.entry.why = kStoppedBefore;
    if (one.put && !report_.stopped) puts.push_back(*std::move(one.put));
  }
  if (!puts.empty()) report_.trouble = bucket_->put(puts);
  auto put = puts.begin();
  for (auto& one : in_hand_) {
    if (one.put && !report_.stopped) {
      one.entry.outcome = outcome_of(put->outcome);
      one.entry.why = std::move(put->why);
      ++put;
    }
    tell(one.entry);
  }
  put_ += puts.size();
  in_hand_.clear();
  puts_in_hand_ = bytes_in_hand_ = 0;
}

void RepairRun::tell(const RepairEntry& entry) {
  report_.add(entry);
  output_.entry(entry);
  if (!report_.plan) progress_.show("versions put back", put_, 0);
}

}  // namespace pawl::cli

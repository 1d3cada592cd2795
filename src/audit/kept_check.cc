#include "audit/kept_check.h"

#include <fmt/format.h>

#include "audit/listed_entry.h"
#include "audit/object_digest.h"
#include "base/coding.h"

namespace pawl::audit {
namespace {

// "name, NUL, size, digest": what both sides are sorted and joined by.
std::string content_key(std::string_view name, std::uint64_t size, const Digest& digest) {
  std::string key(name);
  key.push_back('\0');
  append_u64_be(key, size);
  append_digest(key, digest);
  return key;
}
std::string_view content_key_of(std::string_view record) {
  return record.substr(0, name_in(record).size() + 1 + 8 + sizeof(Digest::bytes));
}

// A record of entries_: path, NUL, sequence, instant, whether deleted, size, digest, name.
struct KeptRecord {
  std::string_view path;
  std::uint64_t sequence = 0;
  Instant at;
  bool deleted = false;
  std::uint64_t size = 0;
  Digest digest;
  std::string_view object;

  static std::string encode(const LedgerKept& kept) {
    std::string record(kept.kept);
    record.push_back('\0');
    append_u64_be(record, kept.sequence);
    append_u64_be(record, static_cast<std::uint64_t>(kept.at.microseconds));
    append_u8(record, kept.deleted ? 1 : 0);
    append_u64_be(record, kept.size);
    append_digest(record, kept.digest);
    append_bytes(record, kept.object);
    return record;
  }
  explicit KeptRecord(std::string_view record) : path(name_in(record)) {
    Reader reader(record.substr(path.size() + 1));
    sequence = reader.u64_be();
    at.microseconds = static_cast<std::int64_t>(reader.u64_be());
    deleted = reader.u8() != 0;
    size = reader.u64_be();
    digest = read_digest(reader);
    object = reader.bytes();
    PAWL_ASSERT(reader.at_end());
  }
};

}  // namespace

KeptCheck::KeptCheck(ArchiveView& archive, const RootFacts& facts, std::size_t memory_max,
                     const std::string& folder)
    : archive_(archive),
      facts_(facts),
      displaced_(memory_max / 4, folder),
      entries_(memory_max / 8, folder),
      objects_(memory_max / 8, folder),
      contents_(memory_max / 4, folder),
      successors_(archive, memory_max / 4, folder),
      unsealed_(archive) {}

// A record of displaced_: its content's key, by what, size of that, the entry.
Status KeptCheck::add(const LedgerEntry& entry, Displaced displaced) {
  std::string record = content_key(entry.object, entry.size, entry.digest);
  append_u8(record, static_cast<std::uint8_t>(displaced.by));
  append_u64_be(record, displaced.size);
  append_bytes(record, ListedEntry::encode(entry.object, entry));
  return displaced_.add(record);
}

Status KeptCheck::read_entries(const RootOptions& options, Report& report, bool& head_found) {
  const auto take = [&](const LedgerKept& kept) -> Status {
    ++report.kept;
    entered_ = kept.sequence;
    report.kept_bytes += kept.size;
    PAWL_TRY(successors_.add(kept));
    return entries_.add(KeptRecord::encode(kept));
  };
  PAWL_TRY(read_kept(archive_, facts_, options, head_found, report, take, [](std::uint64_t) {}));
  return ok();
}

Status KeptCheck::list_objects() {
  return unsealed_.list(entered_, [this](const ArchiveView::Entry& entry) {
    std::string record(entry.name);
    record.push_back('\0');
    append_u64_be(record, entry.size);
    return objects_.add(record);
  });
}

Status KeptCheck::check_one(std::string_view record, const std::uint64_t* size, bool deep,
                            Report& report) {
  const KeptRecord kept(record);
  const auto find = [&](FindingKind kind, std::string detail) {
    report.add({kind,
                {},
                {},
                {},
                std::string(kept.path),
                std::string(kKeptChain),
                kept.sequence,
                {},
                fmt::format("{}, which held what {} was", detail, kept.object)});
    return ok();
  };
  if (size == nullptr) return find(FindingKind::kMissingObject, "the kept object is not there");
  if (*size != kept.size) {
    return find(
        FindingKind::kAlteredObject,
        fmt::format("the kept object has {} bytes, and its page says {}", *size, kept.size));
  }
  if (deep) {
    PAWL_ASSIGN_OR_RETURN(const auto digest, digest_in(archive_, kept.path, kept.size));
    if (digest != kept.digest) {
      return find(FindingKind::kAlteredObject,
                  "the kept object does not have the SHA-256 that its page says");
    }
  }
  std::string content = content_key(kept.object, kept.size, kept.digest);
  append_u64_be(content, kept.sequence);
  append_u64_be(content, static_cast<std::uint64_t>(kept.at.microseconds));
  append_u8(content, kept.deleted ? 1 : 0);
  append_bytes(content, kept.path);
  return contents_.add(content);
}

Status KeptCheck::match_objects(bool deep, Report& report) {
  PAWL_ASSIGN_OR_RETURN(const auto entries, entries_.drain());
  PAWL_ASSIGN_OR_RETURN(const auto objects, objects_.drain());
  std::string_view object;
  PAWL_ASSIGN_OR_RETURN(bool object_left, objects->next(object));
  std::string_view record;
  for (;;) {
    PAWL_ASSIGN_OR_RETURN(const bool entry_left, entries->next(record));
    if (!entry_left) break;
    const auto path = name_in(record);
    while (object_left && name_in(object) < path) {
      PAWL_ASSIGN_OR_RETURN(object_left, objects->next(object));  // nobody's
    }
    if (!object_left || name_in(object) != path) {
      PAWL_TRY(check_one(record, nullptr, deep, report));
      continue;
    }
    Reader reader(object.substr(path.size() + 1));
    const auto size = reader.u64_be();
    PAWL_TRY(check_one(record, &size, deep, report));
    PAWL_ASSIGN_OR_RETURN(object_left, objects->next(object));
  }
  report.kept_unsealed = unsealed_.count();
  return ok();
}

Status KeptCheck::check(const RootOptions& options, bool deep, Report& report, bool& head_found,
                        const std::function<Status(const Settled&)>& settle) {
  PAWL_TRY(read_entries(options, report, head_found));
  PAWL_TRY(successors_.look(deep, report));
  PAWL_TRY(list_objects());
  PAWL_TRY(match_objects(deep, report));
  PAWL_TRY(settle_displaced(settle));
  return successors_.judge(
      [this](std::string_view name, const KeptContent& content) -> Result<bool> {
        PAWL_ASSIGN_OR_RETURN(const auto kept, unsealed_.find(name, content));
        return kept.has_value();
      },
      unsealed_.count(), report);
}

Status KeptCheck::settle_displaced(const std::function<Status(const Settled&)>& settle) {
  PAWL_ASSIGN_OR_RETURN(const auto displaced, displaced_.drain());
  PAWL_ASSIGN_OR_RETURN(const auto contents, contents_.drain());
  std::string_view content;
  PAWL_ASSIGN_OR_RETURN(bool content_left, contents->next(content));
  // A name may have held the same again: what counts is when it held it last.
  std::string last;
  std::string_view record;
  for (;;) {
    PAWL_ASSIGN_OR_RETURN(const bool left, displaced->next(record));
    if (!left) return ok();
    const auto key = content_key_of(record);
    while (content_left && content_key_of(content) <= key) {
      last = content;
      PAWL_ASSIGN_OR_RETURN(content_left, contents->next(content));
    }
    Reader reader(record.substr(key.size()));
    Displaced by;
    by.by = static_cast<Displaced::By>(reader.u8());
    by.size = reader.u64_be();
    const ListedEntry listed(reader.bytes());
    Settled settled{listed.entry, by, {}, {}, false};
    if (!last.empty() && content_key_of(last) == key) {
      Reader facts(std::string_view(last).substr(key.size()));
      facts.u64_be();  // its number in the chain
      settled.at = Instant{static_cast<std::int64_t>(facts.u64_be())};
      settled.deleted = facts.u8() != 0;
      settled.kept = std::string(facts.bytes());
    } else {
      PAWL_ASSIGN_OR_RETURN(settled.kept, unsealed_.find(listed.entry.object,
                                                         {listed.entry.size, listed.entry.digest}));
    }
    PAWL_TRY(settle(settled));
  }
}

}  // namespace pawl::audit

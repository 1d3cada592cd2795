#include "audit/kept_successors.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "audit/listed_entry.h"
#include "audit/object_digest.h"
#include "base/coding.h"

namespace pawl::audit {
namespace {

// What stands under a name in place of what its last entry says.
enum class Instead : std::uint8_t { kNothing, kOtherSize, kOtherContent };

void append_content(std::string& out, const KeptContent& content) {
  append_u64_be(out, content.size);
  append_digest(out, content.digest);
}
KeptContent read_content(Reader& reader) {
  KeptContent content;
  content.size = reader.u64_be();
  content.digest = read_digest(reader);
  return content;
}

void report_finding(FindingKind kind, std::string object, std::uint64_t sequence,
                    std::string detail, Report& report) {
  report.add({kind,
              {},
              {},
              {},
              std::move(object),
              std::string(kKeptChain),
              sequence,
              {},
              std::move(detail)});
}

}  // namespace

// A record of entries_: name, NUL, sequence, instant, whether deleted, content, whether it says by what, that. One of suspects_ has
// behind it what stands there instead, and its size.
struct KeptSuccessors::Named {
  std::string name;
  std::uint64_t sequence = 0;
  Instant at;
  bool deleted = false;
  KeptContent content;
  std::optional<KeptContent> by;
  Instead instead = Instead::kNothing;
  std::uint64_t instead_size = 0;

  std::string encode() const {
    std::string record(name);
    record.push_back('\0');
    append_u64_be(record, sequence);
    append_u64_be(record, static_cast<std::uint64_t>(at.microseconds));
    append_u8(record, deleted ? 1 : 0);
    append_content(record, content);
    append_u8(record, by ? 1 : 0);
    append_content(record, by.value_or(KeptContent{}));
    append_u8(record, static_cast<std::uint8_t>(instead));
    append_u64_be(record, instead_size);
    return record;
  }
  static Named decode(std::string_view record) {
    Named named;
    named.name = name_in(record);
    Reader reader(record.substr(named.name.size() + 1));
    named.sequence = reader.u64_be();
    named.at.microseconds = static_cast<std::int64_t>(reader.u64_be());
    named.deleted = reader.u8() != 0;
    named.content = read_content(reader);
    const bool says_by_what = reader.u8() != 0;
    const KeptContent by = read_content(reader);
    if (says_by_what) named.by = by;
    named.instead = static_cast<Instead>(reader.u8());
    named.instead_size = reader.u64_be();
    PAWL_ASSERT(reader.at_end());
    return named;
  }

  // Of the next entry of the name: it must hold what took the place of this one.
  void check_next(const Named& next, Report& report) const {
    if (deleted || !by || *by == next.content) return;
    report_finding(FindingKind::kAlteredObject, kept_name(next.sequence), next.sequence,
                   fmt::format("it is to be what {} held, and entry {} says that something else "
                               "had been put there",
                               name, sequence),
                   report);
  }
  void report_suspect(Report& report) const {
    const auto since = fmt::format("something took its place at {}", at.to_string());
    if (!by) {
      return report_finding(FindingKind::kMissingObject, name, sequence,
                            since + ", was displaced itself, and is kept nowhere", report);
    }
    switch (instead) {
      case Instead::kNothing:
        return report_finding(FindingKind::kMissingObject, name, sequence,
                              since + ", and nothing is there now", report);
      case Instead::kOtherSize:
        return report_finding(FindingKind::kAlteredObject, name, sequence,
                              fmt::format("it has {} bytes, and what took its place at {} had {}",
                                          instead_size, at.to_string(), by->size),
                              report);
      case Instead::kOtherContent:
        return report_finding(
            FindingKind::kAlteredObject, name, sequence,
            fmt::format("its content does not have the SHA-256 of what took its place at {}",
                        at.to_string()),
            report);
    }
  }
};

KeptSuccessors::KeptSuccessors(ArchiveView& archive, std::size_t memory_max,
                               const std::string& folder)
    : archive_(archive),
      entries_(memory_max / 2, folder),
      live_(memory_max / 4, folder),
      suspects_(memory_max / 4, folder) {}

Status KeptSuccessors::add(const LedgerKept& kept) {
  replaced_ = replaced_ || !kept.deleted;
  Named named;
  named.name = kept.object;
  named.sequence = kept.sequence;
  named.at = kept.at;
  named.deleted = kept.deleted;
  named.content = {kept.size, kept.digest};
  named.by = kept.by;
  return entries_.add(named.encode());
}

Status KeptSuccessors::list_live() {
  if (!replaced_) return ok();
  Status failure = ok();
  PAWL_TRY(archive_.list("", [&](const ArchiveView::Entry& entry) {
    if (entry.name.starts_with(".pawl/")) return true;
    std::string record(entry.name);
    record.push_back('\0');
    append_u64_be(record, entry.size);
    failure = live_.add(record);
    return failure.ok();
  }));
  return failure;
}

Status KeptSuccessors::look_at(const Named& last, const std::uint64_t* size, bool deep) {
  // What a bucket has under a name that ends so is shown by no view of an archive: consoles make folders of it.
  if (last.deleted || last.name.ends_with('/')) return ok();
  Named suspect = last;
  if (size != nullptr && last.by) {
    suspect.instead = Instead::kOtherSize;
    suspect.instead_size = *size;
    if (*size == last.by->size) {
      if (!deep) return ok();
      PAWL_ASSIGN_OR_RETURN(const auto digest, digest_in(archive_, last.name, *size));
      if (digest == last.by->digest) return ok();
      suspect.instead = digest ? Instead::kOtherContent : Instead::kNothing;
    }
  }
  return suspects_.add(suspect.encode());
}

Status KeptSuccessors::look(bool deep, Report& report) {
  PAWL_TRY(list_live());
  PAWL_ASSIGN_OR_RETURN(const auto entries, entries_.drain());
  PAWL_ASSIGN_OR_RETURN(const auto live, live_.drain());
  std::string_view object;
  PAWL_ASSIGN_OR_RETURN(bool object_left, live->next(object));
  const auto end_name = [&](const Named& last) -> Status {
    while (object_left && name_in(object) < last.name) {
      PAWL_ASSIGN_OR_RETURN(object_left, live->next(object));
    }
    if (!object_left || name_in(object) != last.name) return look_at(last, nullptr, deep);
    Reader reader(object.substr(last.name.size() + 1));
    const auto size = reader.u64_be();
    return look_at(last, &size, deep);
  };
  std::optional<Named> before;
  std::string_view record;
  for (;;) {
    PAWL_ASSIGN_OR_RETURN(const bool left, entries->next(record));
    if (!left) break;
    Named named = Named::decode(record);
    if (before && before->name == named.name) {
      before->check_next(named, report);
    } else if (before) {
      PAWL_TRY(end_name(*before));
    }
    before = std::move(named);
  }
  return before ? end_name(*before) : ok();
}

// What was displaced before its displacer's entry was made does not say what it was: anything that is kept behind the chain's end
// may be it.
Status KeptSuccessors::judge(
    const std::function<Result<bool>(std::string_view name, const KeptContent&)>& is_kept,
    std::uint64_t kept, Report& report) {
  PAWL_ASSIGN_OR_RETURN(const auto suspects, suspects_.drain());
  std::string_view record;
  for (;;) {
    PAWL_ASSIGN_OR_RETURN(const bool left, suspects->next(record));
    if (!left) return ok();
    const Named suspect = Named::decode(record);
    bool is_explained = kept > 0;
    if (suspect.by) {
      PAWL_ASSIGN_OR_RETURN(is_explained, is_kept(suspect.name, *suspect.by));
    }
    if (!is_explained) suspect.report_suspect(report);
  }
}

}  // namespace pawl::audit

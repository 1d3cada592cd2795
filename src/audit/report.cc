#include "audit/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"

namespace pawl::audit {

std::string_view name_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::kMissingObject:
      return "missing-object";
    case FindingKind::kAlteredObject:
      return "altered-object";
    case FindingKind::kListedTwice:
      return "listed-twice";
    case FindingKind::kUnlistedObject:
      return "unlisted-object";
    case FindingKind::kMissingChange:
      return "missing-change";
    case FindingKind::kDuplicateChange:
      return "duplicate-change";
    case FindingKind::kOutOfOrder:
      return "out-of-order";
    case FindingKind::kDamagedPage:
      return "damaged-page";
    case FindingKind::kBrokenChain:
      return "broken-chain";
    case FindingKind::kCutOff:
      return "cut-off";
    case FindingKind::kBadSignature:
      return "bad-signature";
    case FindingKind::kDamagedRoot:
      return "damaged-root";
    case FindingKind::kFalseRepair:
      return "false-repair";
    case FindingKind::kNotProven:
      return "not-proven";
  }
  return "unknown";
}

std::vector<std::string> proves(const Report& report) {
  std::vector<std::string> sentences;
  if (!report.sound()) return sentences;
  const auto displaced = report.rewritten + report.deleted;
  sentences.push_back(
      displaced == 0
          ? "complete: every change that the ledger counts is listed once, and its object is there"
          : "complete: every change that the ledger counts is listed once, and its object is "
            "there, "
            "or what that held is kept");
  sentences.push_back(
      report.gaps == 0
          ? "ordered: no hole in any shard's sequence or in any item's versions"
          : "ordered: no hole in any shard's sequence, and none in any item's versions but where a "
            "gap is entered");
  if (report.guarded_tables > 0) {
    sentences.push_back(
        report.deep
            ? "guarded: each change of an item starts from the image and the version that the one "
              "before left, where the stream tells them and no gap is entered"
            : "guarded: each change of an item has the version after that of the one before, where "
              "it has any and no gap is entered");
  }
  sentences.push_back(report.deep
                          ? "whole: every object was read and has the content that its page says"
                          : "whole: every object has the size that its page says");
  if (report.foreign > 0) {
    sentences.push_back(
        fmt::format("checked: what somebody else wrote ({}) has the {} that it had when it was "
                    "entered; what it "
                    "says is not looked into",
                    report.foreign == 1 ? "1 object" : fmt::format("{} objects", report.foreign),
                    report.deep ? "content" : "size"));
  }
  if (report.kept > 0) {
    sentences.push_back(
        fmt::format("kept: what was written again or deleted in the bucket ({0}) is there, with "
                    "the {1} that it "
                    "had; and where something took its place, something with that {1} stands "
                    "there, or is kept in "
                    "its turn",
                    report.kept == 1 ? "1 object" : fmt::format("{} objects", report.kept),
                    report.deep ? "content" : "size"));
  }
  sentences.push_back("chained: every page follows the one before it, none was changed or removed");
  if (report.signatures_checked) {
    sentences.push_back(report.key_pinned
                            ? "signed: the pages were signed with the key that you gave"
                            : "signed: the pages were signed with the key that the archive names");
  }
  if (report.head_found) {
    sentences.push_back(
        "anchored: the head that you gave is here, so nothing up to it was cut off "
        "or rewritten");
  }
  if (report.expected_until) {
    sentences.push_back("current: every open shard has proven itself up to " +
                        report.expected_until->to_string());
  }
  return sentences;
}

namespace {

constexpr std::size_t kGapsNamedMax = 5;

void assume_of_guarded(const Report& report, std::vector<std::string>& sentences) {
  sentences.push_back(
      "of guarded tables: their stream gave each change once and in its item's order, and what was "
      "before the first read is not here");
  if (report.gaps > 0) {
    auto text = fmt::format(
        "records that were trimmed before they were read, or never shown: {} {}, named ",
        report.gaps, report.gaps == 1 ? "gap" : "gaps");
    const auto named = std::min(report.known_gaps.size(), kGapsNamedMax);
    for (std::size_t i = 0; i < named; ++i) {
      text += (i == 0 ? "" : "; ") + to_text(report.known_gaps[i]);
    }
    if (report.gaps > named) text += fmt::format("; and {} more", report.gaps - named);
    sentences.push_back(std::move(text));
  }
  if (report.put_back + report.lost > 0) {
    sentences.push_back(fmt::format(
        "what gaps held: {} {} put back from the next change or the table, {} entered as lost",
        report.put_back, report.put_back == 1 ? "version was" : "versions were", report.lost));
  }
  if (report.open_holes > 0) {
    sentences.push_back(
        fmt::format("{} in gaps {} not gone through yet: run `pawl guard repair`",
                    report.open_holes == 1 ? "1 hole" : fmt::format("{} holes", report.open_holes),
                    report.open_holes == 1 ? "was" : "were"));
  }
  if (report.others > 0) {
    sentences.push_back(
        fmt::format("objects that no page lists ({}) are somebody else's: from "
                    "before the check began, or of no change",
                    report.others));
  }
  if (report.untied > 0) {
    sentences.push_back(fmt::format(
        "{} {} of guarded tables {} tied to the change before by neither version nor image{}",
        report.untied, report.untied == 1 ? "change" : "changes", report.untied == 1 ? "is" : "are",
        report.deep ? "" : " (--deep compares images)"));
  }
}

}  // namespace

std::vector<std::string> assumes(const Report& report) {
  std::vector<std::string> sentences;
  if (!report.deep) sentences.push_back("object bodies were not read (--deep reads them)");
  if (!report.signatures_checked) {
    sentences.push_back("the ledger is not signed: damage shows, forgery by a writer does not");
  } else if (!report.key_pinned) {
    sentences.push_back("the signing key was taken from the archive itself (--public-key pins it)");
  }
  if (!report.expected_head) {
    sentences.push_back(
        "no head from elsewhere was given: an archive that was cut back as a whole, "
        "tip included, would look like an older one (--head)");
  }
  if (report.guarded_tables > 0) assume_of_guarded(report, sentences);
  return sentences;
}

std::string to_text(const KnownGap& gap) {
  auto text = fmt::format("table {}, chain {}, ", gap.table, gap.chain);
  if (gap.sequence == 0) return text + "before its first change";
  if (gap.before.empty()) return text + "after its last change, where the shard ended";
  text += fmt::format("before sequence {} (", gap.sequence);
  text += gap.after ? fmt::format("after record {}", *gap.after) : "from the shard's start";
  return text + fmt::format(", before record {})", gap.before);
}

std::string to_text(const KnownLoss& loss) {
  auto text = fmt::format("table {}, item {}: ", loss.table, loss.item);
  if (loss.from && loss.from == loss.to) {
    text += fmt::format("version {}", *loss.from);
  } else if (loss.from) {
    text += fmt::format("versions {} to {}", *loss.from, *loss.to);
  } else if (loss.to) {
    text += fmt::format("whatever came before version {}", *loss.to + 1);
  } else {
    text += loss.removed ? "its removal, and what else there was" : "nobody can say what";
  }
  return text + fmt::format(", between {} and {}", loss.since.to_string(), loss.until.to_string());
}

std::string to_text(const KeptVersion& version) {
  auto text = fmt::format("table {}, item {}", version.table, version.item);
  if (version.version) text += fmt::format(", version {}", *version.version);
  text += fmt::format(": {} was {}, and what it held is kept as {}", version.object,
                      version.deleted ? "deleted" : "rewritten", version.kept);
  return version.at ? text + " since " + version.at->to_string() : text;
}

std::string to_text(const Finding& finding) {
  std::string text(name_of(finding.kind));
  auto part = [&text, first = true](std::string_view label, std::string_view value) mutable {
    if (value.empty()) return;
    text += first ? ": " : ", ";
    text += label;
    text += value;
    first = false;
  };
  part("table ", finding.table);
  part("item ", finding.item);
  if (finding.version) part("version ", std::to_string(*finding.version));
  part("object ", finding.object);
  part("chain ", finding.chain);
  if (finding.page) part("page ", std::to_string(*finding.page));
  if (finding.sequence) part("sequence ", std::to_string(*finding.sequence));
  return text + ": " + finding.detail;
}

namespace {

void append_finding(JsonWriter& json, const Finding& finding) {
  json.begin_object().field("kind", name_of(finding.kind));
  if (!finding.table.empty()) json.field("table", finding.table);
  if (!finding.item.empty()) json.field("item", finding.item);
  if (finding.version) json.field("version", *finding.version);
  if (!finding.object.empty()) json.field("object", finding.object);
  if (!finding.chain.empty()) json.field("chain", finding.chain);
  if (finding.page) json.field("page", *finding.page);
  if (finding.sequence) json.field("sequence", *finding.sequence);
  json.field("detail", finding.detail).end_object();
}

void append_gap(JsonWriter& json, const KnownGap& gap) {
  json.begin_object()
      .field("table", gap.table)
      .field("chain", gap.chain)
      .field("sequence", gap.sequence);
  if (gap.after) json.field("after", *gap.after);
  if (!gap.before.empty()) json.field("before", gap.before);
  json.end_object();
}

void append_loss(JsonWriter& json, const KnownLoss& loss) {
  json.begin_object().field("table", loss.table).field("item", loss.item);
  json.field("chain", loss.chain).field("sequence", loss.sequence);
  if (loss.from) json.field("from", *loss.from);
  if (loss.to) json.field("to", *loss.to);
  json.field("removed", loss.removed)
      .field("since", loss.since.to_string())
      .field("until", loss.until.to_string())
      .end_object();
}

void append_kept(JsonWriter& json, const KeptVersion& version) {
  json.begin_object().field("table", version.table).field("item", version.item);
  if (version.version) json.field("version", *version.version);
  json.field("object", version.object).field("kept", version.kept);
  if (version.at) json.field("at", version.at->to_string());
  json.field("deleted", version.deleted).end_object();
}

void append_strings(JsonWriter& json, std::string_view name,
                    const std::vector<std::string>& strings) {
  json.key(name).begin_array();
  for (const auto& text : strings) json.string(text);
  json.end_array();
}

}  // namespace

std::string to_json(const Report& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("schema", "pawl-verify/1")
      .field("verdict", report.sound() ? "sound" : "damaged")
      .field("archive", report.archive)
      .field("archive_id", report.archive_id)
      .field("versions", report.versions)
      .field("items", report.items)
      .field("pages", report.pages)
      .field("bytes", report.bytes)
      .field("unsealed", report.unsealed)
      .field("torn_pages", report.torn_pages)
      .field("superseded", report.superseded)
      .field("guarded_tables", report.guarded_tables)
      .field("gaps", report.gaps)
      .field("put_back", report.put_back)
      .field("lost", report.lost)
      .field("open_holes", report.open_holes)
      .field("untied", report.untied)
      .field("foreign", report.foreign)
      .field("repaired", report.repaired)
      .field("redelivered", report.redelivered)
      .field("others", report.others)
      .field("kept", report.kept)
      .field("kept_bytes", report.kept_bytes)
      .field("kept_unsealed", report.kept_unsealed)
      .field("rewritten", report.rewritten)
      .field("deleted", report.deleted)
      .field("deep", report.deep)
      .field("signatures_checked", report.signatures_checked)
      .field("key_pinned", report.key_pinned);
  if (!report.public_key.empty()) json.field("public_key", report.public_key);
  if (report.first) json.field("first", report.first->to_string());
  if (report.last) json.field("last", report.last->to_string());
  if (report.head) json.field("head", report.head->to_hex());
  if (report.head_instant) json.field("head_instant", report.head_instant->to_string());
  json.key("tables").begin_object();
  for (const auto& [name, table] : report.tables) {
    json.key(name)
        .begin_object()
        .field("versions", table.versions)
        .field("items", table.items)
        .end_object();
  }
  json.end_object();
  append_strings(json, "proves", proves(report));
  append_strings(json, "assumes", assumes(report));
  json.key("known_gaps").begin_array();
  for (const auto& gap : report.known_gaps) append_gap(json, gap);
  json.end_array();
  json.key("known_lost").begin_array();
  for (const auto& loss : report.known_lost) append_loss(json, loss);
  json.end_array();
  json.key("kept_versions").begin_array();
  for (const auto& version : report.kept_versions) append_kept(json, version);
  json.end_array();
  json.field("findings_total", report.findings_total).key("findings").begin_array();
  for (const auto& finding : report.findings) append_finding(json, finding);
  json.end_array().end_object();
  out += '\n';
  return out;
}

}  // namespace pawl::audit

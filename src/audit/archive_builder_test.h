// Archives that the verifier's tests make themselves, line by line, from the format's page alone.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "audit/verifier.h"
#include "base/base64.h"
#include "base/sanitized.h"

namespace pawl::audit {

// Who damages one byte after the other goes on by so many: all of them, but under a sanitizer, where each takes ten times as
// long, one of seven. (Lines and fields have other lengths, so every kind of byte is met.)
inline constexpr std::size_t kNextByte = kSanitized ? 7 : 1;

class MemoryArchive final : public ArchiveView {
 public:
  std::map<std::string, std::string, std::less<>> files;

  std::string describe() const override { return "memory"; }
  Status list(std::string_view prefix, const std::function<bool(const Entry&)>& visit) override {
    for (const auto& [name, content] : files) {
      if (name.starts_with(prefix) && !visit({name, content.size()})) break;
    }
    return ok();
  }
  Result<std::optional<std::string>> read(std::string_view name, std::uint64_t offset,
                                          std::size_t size_max) override {
    const auto found = files.find(name);
    if (found == files.end()) return std::optional<std::string>{};
    const auto& content = found->second;
    return std::optional<std::string>{
        content.substr(std::min<std::size_t>(offset, content.size()), size_max)};
  }
};

inline constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";

// A stand-in for Ed25519 with the same shape: only the holder of the key can make it.
inline std::string fake_sign(std::string_view key, std::string_view message) {
  const auto half = sha256(std::string(key) + std::string(message));
  const std::string bytes(reinterpret_cast<const char*>(half.bytes.data()), 32);
  return bytes + bytes;
}
inline bool fake_check(std::string_view key, std::string_view message, std::string_view signature) {
  return signature == fake_sign(key, message);
}

inline std::string instant_at(std::uint64_t second) {
  return Instant{static_cast<std::int64_t>(1'700'000'000 + second) * 1'000'000}.to_string();
}

struct TestChange {
  std::string item;
  std::uint64_t version = 0;
  std::string kind = "INSERT";
  std::string old_value;  // "" = null
  std::string new_value;
  std::string object;  // "" = the default name
};

// Writes archives as docs/internals/archive-format.md says.
class Builder {
 public:
  static constexpr std::string_view kId = "00000000000000aa";

  explicit Builder(bool is_signed = true) : signed_(is_signed) {
    archive.files[".pawl/archive.json"] =
        fmt::format("{{\"format\":\"pawl-archive/1\",\"archive\":\"{}\",\"created\":\"{}\"}}\n",
                    kId, instant_at(0));
    root(signed_ ? fmt::format(R"({{"type":"archive-created","public_key":"{}"}})", to_base64(kKey))
                 : R"({"type":"archive-created"})");
  }

  std::string line(const std::string& json, bool sign) const {
    const auto digest = sha256(json).to_hex();
    return digest + " " +
           (sign && signed_ ? to_base64(fake_sign(kKey, "pawl-ledger/1 " + digest)) : "-") + " " +
           json + "\n";
  }

  void root(const std::string& event) {
    const auto json = fmt::format(
        R"({{"format":"pawl-root/1","archive":"{}","chain":"root","page":{},"previous":"{}","instant":"{}","event":{}}})",
        kId, root_pages, root_previous.to_hex(), instant_at(second), event);
    archive.files[".pawl/ledger/root/00000000.pages"] += line(json, true);
    root_previous = sha256(json);
    ++root_pages;
  }

  void create_table(const std::string& incarnation, const std::string& table,
                    const std::string& parent = "") {
    root(fmt::format(
        R"({{"type":"table-created","incarnation":"{0}","table":"{1}","definition":{{"partition_key":{{"name":"id","type":"S"}}}},"shards":["{0}-0000"]{2}}})",
        incarnation, table, parent));
  }

  std::string body(const std::string& shard, std::uint64_t sequence,
                   const TestChange& change) const {
    const auto image = [&](const std::string& value) {
      return value.empty()
                 ? "null"
                 : fmt::format(R"({{"id":{{"S":"{}"}},"v":{{"S":"{}"}}}})", change.item, value);
    };
    return fmt::format(
        R"({{"format":"pawl-version/1","table":"t","incarnation":"{}","shard":"{}","sequence":{},"key":{{"id":{{"S":"{}"}}}},"version":{},"kind":"{}","instant":"{}","trace":"","new":{},"old":{}}})"
        "\n",
        shard.substr(0, 16), shard, sequence, change.item, change.version, change.kind,
        instant_at(sequence), image(change.new_value), image(change.old_value));
  }

  // Stores the objects and a page of them.
  void page(const std::string& shard, const std::vector<TestChange>& changes) {
    auto& chain = chains[shard];
    std::string entries;
    const auto first = chain.last + 1;
    for (const auto& change : changes) {
      ++chain.last;
      const auto content = body(shard, chain.last, change);
      const auto name = object_name(change);
      if (!archive.files.contains(name)) archive.files[name] = content;
      entries += fmt::format(
          R"({}{{"sequence":{},"key":{{"id":{{"S":"{}"}}}},"version":{},"kind":"{}","instant":"{}","object":"{}","size":{},"sha256":"{}"}})",
          entries.empty() ? "" : ",", chain.last, change.item, change.version, change.kind,
          instant_at(chain.last), name, content.size(), sha256(content).to_hex());
    }
    raw_page(shard, first, chain.last, entries);
  }

  void raw_page(const std::string& shard, std::uint64_t first, std::uint64_t last,
                const std::string& entries) {
    auto& chain = chains[shard];
    const auto json = fmt::format(
        R"({{"format":"pawl-page/1","archive":"{}","chain":"{}","page":{},"previous":"{}","instant":"{}","first":{},"last":{},"changes":[{}]}})",
        kId, shard, chain.pages, chain.previous.to_hex(), instant_at(last), first, last, entries);
    archive.files[volume(shard)] += line(json, chain.pages == 0);
    chain.previous = sha256(json);
    ++chain.pages;
  }

  static std::string volume(const std::string& shard) {
    return ".pawl/ledger/" + shard + "/00000000.pages";
  }
  static std::string object_name(const TestChange& change) {
    return change.object.empty() ? fmt::format("t/{}-{}.json", change.item, change.version)
                                 : change.object;
  }

  std::string chain_states(bool heartbeat) const {
    std::string text;
    for (const auto& [shard, chain] : chains) {
      text +=
          fmt::format(R"({}"{}":{{"page":{},"last":{},"digest":"{}"{}}})", text.empty() ? "" : ",",
                      shard, chain.pages - 1, chain.last, chain.previous.to_hex(),
                      heartbeat ? fmt::format(R"(,"heartbeat":"{}")", instant_at(1000)) : "");
    }
    return "{" + text + "}";
  }
  void checkpoint() {
    root(fmt::format(R"({{"type":"checkpoint","chains":{}}})", chain_states(false)));
  }
  void tip() {
    archive.files[".pawl/tip"] = line(
        fmt::format(
            R"({{"format":"pawl-tip/1","archive":"{}","instant":"{}","root":{{"page":{},"digest":"{}"}},"chains":{}}})",
            kId, instant_at(1000), root_pages - 1, root_previous.to_hex(), chain_states(true)),
        true);
  }

  struct Chain {
    std::uint64_t pages = 0;
    std::uint64_t last = 0;
    Digest previous;
  };
  MemoryArchive archive;
  std::map<std::string, Chain> chains;
  std::uint64_t root_pages = 0;
  Digest root_previous;
  std::uint64_t second = 1;

 private:
  bool signed_;
};

inline Report run(MemoryArchive& archive, const std::function<void(VerifyOptions&)>& adjust = {}) {
  VerifyOptions options;
  options.check_signature = fake_check;
  if (adjust) adjust(options);
  auto report = verify(archive, options);
  EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().to_string());
  return report.ok() ? *report : Report{};
}

inline void deep(VerifyOptions& options) { options.deep = true; }

inline std::string all_text(const Report& report) {
  std::string text;
  for (const auto& finding : report.findings) text += to_text(finding) + "\n";
  return text;
}

inline std::vector<FindingKind> kinds(const Report& report) {
  std::vector<FindingKind> found;
  for (const auto& finding : report.findings) found.push_back(finding.kind);
  return found;
}

inline void replace(std::string& text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
}

}  // namespace pawl::audit

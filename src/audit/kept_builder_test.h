// A supervised bucket's archive, with its kept chain, that the verifier's tests make themselves, from
// docs/internals/archive-format.md alone.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>

#include "audit/guarded_builder_test.h"

namespace pawl::audit::guarded {

// Of item a: versions 1 and 2 somebody else's, 3 put in by Pawl.
class KeptBuilder : public GuardedBuilder {
 public:
  KeptBuilder() : GuardedBuilder(true) {
    open(1);
    page(1, {{.item = "a", .source = "9", .kind = "INSERT", .new_value = "1:x", .theirs = "one"},
             {.item = "a",
              .source = "10",
              .kind = "MODIFY",
              .old_value = "1:x",
              .new_value = "2:y",
              .theirs = "second"},
             {.item = "a",
              .source = "11",
              .kind = "MODIFY",
              .old_value = "2:y",
              .new_value = "3:z",
              .mark = R"(,"repaired":"guard check")"}});
    end();
  }

  static std::string path(std::uint64_t number) { return fmt::format(".pawl/kept/{:016}", number); }

  struct How {
    bool deleted = false;
    std::optional<std::string> by = std::nullopt;  // what took its place, where its entry says that
    std::optional<std::uint64_t> as = std::nullopt;
    std::optional<std::uint64_t> second = std::nullopt;
  };
  // What is kept, and its entry for the next page.
  void keep(const std::string& object, const std::string& content, const How& how) {
    const auto number = ++kept_;
    archive.files[path(how.as.value_or(number))] = content;
    entries_ += fmt::format(
        R"({}{{"sequence":{},"object":"{}","size":{},"sha256":"{}","kept":"{}","{}":"{}"{}}})",
        entries_.empty() ? "" : ",", number, object, content.size(), sha256(content).to_hex(),
        path(how.as.value_or(number)), how.deleted ? "deleted" : "replaced",
        instant_at(how.second.value_or(2000 + number)),
        how.by ? fmt::format(R"(,"by":{{"size":{},"sha256":"{}"}})", how.by->size(),
                             sha256(*how.by).to_hex())
               : "");
  }
  void kept_page() {
    const auto json = fmt::format(
        R"({{"format":"pawl-kept/1","archive":"{}","chain":"kept","page":{},"previous":"{}","instant":"{}","first":{},"last":{},"kept":[{}]}})",
        kId, pages_, previous_.to_hex(), instant_at(2000 + kept_), paged_ + 1, kept_, entries_);
    archive.files[fmt::format(".pawl/ledger/kept/{:08}.pages", pages_++)] = line(json, true);
    previous_ = sha256(json);
    paged_ = kept_;
    entries_.clear();
  }
  // The function writes over its object, which is kept, and entered.
  void rewrite(const std::string& object, const std::string& content) {
    keep(object, archive.files[object], {.by = content});
    kept_page();
    archive.files[object] = content;
  }
  void remove(const std::string& object) {
    keep(object, archive.files[object], {.deleted = true});
    kept_page();
    archive.files.erase(object);
  }

 private:
  std::uint64_t kept_ = 0, paged_ = 0, pages_ = 0;
  Digest previous_;
  std::string entries_;
};

}  // namespace pawl::audit::guarded

// One bucket: objects that were put, over the names of a formula where it is a generated one. FACTS, S3: "Strong
// read-after-write; a PUT is atomic per key; last writer wins."
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "name_formula.h"

namespace scripted {

struct Object {
  std::shared_ptr<const std::string> body;  // nothing where the bucket keeps only digests
  std::uint64_t size = 0;
  std::string sha256;  // 32 bytes; "" of a generated object
  std::string etag;  // 32 hexadecimal digits, without quotes: the MD5, as S3 has it for a plain PUT
  std::int64_t modified_ms = 0;
};

// One PUT as it came, for GET /_control/puts.
struct PutEntry {
  std::string key;
  std::uint64_t size = 0;
  std::string sha256;
  std::string condition;  // "if-none-match", "if-match" or ""
  int status = 0;         // what the store did, before a fault changed the answer
  bool existed = false;   // there was an object of that name …
  std::string before;     // … with this SHA-256
  std::int64_t at_ms = 0;
};

class Bucket {
 public:
  // `formula` may be nothing. `keep_bodies` false keeps digests of the bodies alone, for big runs.
  Bucket(std::unique_ptr<const NameFormula> formula, bool keep_bodies)
      : formula_(std::move(formula)), keep_bodies_(keep_bodies) {}

  std::optional<Object> find(const std::string& key) const;
  void put(const std::string& key, Object object);
  void erase(const std::string& key);
  bool keep_bodies() const { return keep_bodies_; }

  // Walks all names in order, those of the formula and those that were put as one.
  class Walk {
   public:
    Walk(const Bucket& bucket, std::string_view from);
    bool done() const { return !from_formula_ && object_ == bucket_->objects_.end(); }
    std::string_view name() const {
      return from_formula_ ? names_->name() : std::string_view(object_->first);
    }
    void next();
    void append_contents(std::string& out, bool url_encoded) const;

   private:
    void choose();
    const Bucket* bucket_;
    std::optional<NameFormula::Cursor> names_;
    std::map<std::string, Object, std::less<>>::const_iterator object_;
    bool from_formula_ = false;
  };

  // Writes that have arrived and are not done yet (they take the latency's time).
  struct InFlight {
    std::uint32_t writes = 0;
    bool deleted = false;  // somebody deleted the object meanwhile
  };
  std::map<std::string, InFlight, std::less<>> in_flight;
  std::deque<PutEntry> puts;
  std::uint64_t puts_all = 0;
  std::uint64_t overwritten = 0;  // PUTs that replaced an object with another one

 private:
  std::unique_ptr<const NameFormula> formula_;
  bool keep_bodies_;
  std::map<std::string, Object, std::less<>> objects_;
  std::set<std::string, std::less<>> erased_;  // names of the formula
};

}  // namespace scripted

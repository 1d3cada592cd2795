// Objects in memory, read as an archive is, for tests: the contract is that of port/object_shelf.h.
#pragma once

#include <map>
#include <string>

#include "port/object_shelf.h"

namespace pawl {

// Filled before it is read.
class MemoryObjectShelf final : public ObjectShelf {
 public:
  void put(const std::string& name, const std::string& body) { objects_[name] = body; }
  void remove(const std::string& name) { objects_.erase(name); }
  std::size_t size() const { return objects_.size(); }

  Result<std::optional<ShelvedObject>> open(std::string_view name) override {
    const auto found = objects_.find(name);
    if (found == objects_.end()) return std::optional<ShelvedObject>();
    return std::optional<ShelvedObject>(
        ShelvedObject{about_of(found->second), std::make_unique<Reader>(found->second)});
  }
  std::unique_ptr<NameWalk> walk(bool) override { return std::make_unique<Walk>(*this); }

 private:
  static ShelvedAbout about_of(const std::string& body) {
    return {body.size(), {1'700'000'000'000'000}};
  }
  class Reader final : public BodyReader {
   public:
    explicit Reader(std::string body) : body_(std::move(body)) {}
    Result<std::string> read(std::uint64_t offset, std::size_t size) override {
      if (offset > body_.size() || size > body_.size() - offset)
        return Error{ErrorCode::kCorrupt, "reading a body: it ends before", {}};
      return body_.substr(offset, size);
    }

   private:
    std::string body_;
  };
  class Walk final : public NameWalk {
   public:
    explicit Walk(const MemoryObjectShelf& shelf) : shelf_(shelf) {}
    Result<std::optional<std::string>> first(std::string_view from, const Fold& fold) override {
      const auto found = shelf_.objects_.lower_bound(from);
      if (found == shelf_.objects_.end()) return std::optional<std::string>();
      const std::string& name = found->first;
      for (std::size_t at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1)) {
        const std::string folder = name.substr(0, at + 1);
        if (folder >= from && fold(folder)) return std::optional<std::string>(folder);
      }
      return std::optional<std::string>(name);
    }
    Result<std::optional<ShelvedAbout>> about(std::string_view name) override {
      const auto found = shelf_.objects_.find(name);
      if (found == shelf_.objects_.end()) return std::optional<ShelvedAbout>();
      return std::optional<ShelvedAbout>(about_of(found->second));
    }

   private:
    const MemoryObjectShelf& shelf_;
  };

  std::map<std::string, std::string, std::less<>> objects_;
};

}  // namespace pawl

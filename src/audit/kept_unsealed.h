// What a supervised bucket keeps and its kept chain has not entered yet: it does not say what it was, but what it holds. Only what
// goes on where the chain ends, number by number, can be that: anything else below the folder is nobody's, and explains nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/kept_reader.h"
#include "base/digest.h"
#include "base/result.h"
#include "port/archive_view.h"

namespace pawl::audit {

// One thread. Memory: about 100 bytes for each object whose number is behind the chain's end.
class KeptUnsealed {
 public:
  // Reads at most `looks_max` of them.
  explicit KeptUnsealed(ArchiveView& archive,
                        std::uint64_t looks_max = std::numeric_limits<std::uint64_t>::max());

  // Once, and when the chain has been read: lists what is kept. `entered`: the number of the chain's last entry, 0 if there is
  // none. `other` hears of all that has no number behind that.
  Status list(std::uint64_t entered, const std::function<Status(const ArchiveView::Entry&)>& other);
  std::uint64_t count() const { return count_; }

  // The path of this content, which stood under this name; nothing: none has it. Each was under one name: the first that asks for
  // it. Reads those of this size that it has not read yet, in their order, until one is it.
  Result<std::optional<std::string>> find(std::string_view name, const KeptContent& content);
  // After a find() that found nothing: whether it was the limit that ended it.
  bool has_unread(std::uint64_t size) const;

 private:
  struct OfSize {
    std::vector<std::uint64_t> numbers;
    std::size_t unread = 0;  // the first that has not been read
  };
  struct Read {
    std::uint64_t number = 0;
    std::string explains;  // the name that it was taken for
  };

  ArchiveView& archive_;
  std::uint64_t looks_left_;
  std::uint64_t count_ = 0;
  std::map<std::uint64_t, OfSize> of_size_;
  std::multimap<std::pair<std::uint64_t, Digest>, Read> read_;  // by size and digest
};

}  // namespace pawl::audit

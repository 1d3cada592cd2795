#include "drill/memory_archive_view.h"

#include <algorithm>
#include <cstdio>

namespace pawl::drill {
namespace {

std::string volume_name(const std::string& chain, std::size_t volume) {
  char number[24];
  std::snprintf(number, sizeof number, "%08zu", volume);
  return ".pawl/ledger/" + chain + "/" + number + ".pages";
}

}  // namespace

MemoryArchiveView::MemoryArchiveView(const MemoryObjectStore& objects,
                                     const MemoryLedgerStore& ledger, std::string_view archive,
                                     Instant created) {
  files_[".pawl/archive.json"] = "{\"format\":\"pawl-archive/1\",\"archive\":\"" +
                                 std::string(archive) + "\",\"created\":\"" + created.to_string() +
                                 "\"}\n";
  if (ledger.tip_line()) files_[".pawl/tip"] = *ledger.tip_line();
  for (const auto& [chain, volumes] : ledger.volumes()) {
    for (std::size_t i = 0; i < volumes.size(); ++i) files_[volume_name(chain, i)] = volumes[i];
  }
  for (const auto& [name, object] : objects.objects()) files_[name] = object.body;
}

Status MemoryArchiveView::list(std::string_view prefix,
                               const std::function<bool(const Entry&)>& visit) {
  for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix);
       ++it) {
    if (!visit({it->first, it->second.size()})) break;
  }
  return ok();
}

Result<std::optional<std::string>> MemoryArchiveView::read(std::string_view name,
                                                           std::uint64_t offset,
                                                           std::size_t size_max) {
  const auto found = files_.find(name);
  if (found == files_.end()) return std::optional<std::string>();
  const std::string& text = found->second;
  return std::optional(text.substr(std::min<std::size_t>(offset, text.size()), size_max));
}

}  // namespace pawl::drill

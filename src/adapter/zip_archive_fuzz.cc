// Any bytes as a zip file: never a crash, and never anything outside the folder that it is unpacked into.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "adapter/posix_file.h"
#include "adapter/zip_archive.h"

namespace {

namespace fs = std::filesystem;

std::string make_place() {
  std::string path = (fs::temp_directory_path() / "pawl-fuzz-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) std::abort();
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string place = make_place();
  const std::string folder = place + "/in";
  fs::create_directory(folder);
  {
    const auto opened = pawl::open_directory(folder);
    if (!opened.ok()) std::abort();
    const auto done = pawl::unpack_zip({reinterpret_cast<const char*>(data), size}, opened->get());
    if (!done.ok() && done.error().message.empty()) std::abort();
  }
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() && !entry.is_directory()) std::abort();
    if (entry.is_symlink()) std::abort();
  }
  // Nothing but the folder itself is in the place.
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(place)) ++entries;
  if (entries != 1) std::abort();
  fs::remove_all(folder);
  return 0;
}

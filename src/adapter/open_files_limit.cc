#include "adapter/open_files_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace pawl {

void raise_open_files_limit() {
  constexpr rlim_t kEnough = 65'536;
  struct rlimit files {};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  const rlim_t wanted = std::min(files.rlim_max, kEnough);  // RLIM_INFINITY is the largest number
  if (wanted <= files.rlim_cur) return;
  files.rlim_cur = wanted;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace pawl

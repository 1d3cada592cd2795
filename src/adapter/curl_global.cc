#include "adapter/curl_global.h"

#include <curl/curl.h>

#include <mutex>

#include "base/assert.h"

namespace pawl {

void initialise_curl() {
  static std::once_flag once;
  std::call_once(once, [] { PAWL_ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
}

}  // namespace pawl

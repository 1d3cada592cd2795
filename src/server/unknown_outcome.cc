#include "server/unknown_outcome.h"

#include <unistd.h>

#include "observe/log.h"

namespace pawl::server {

void end_with_unknown_outcome(const std::string& why) {
  observe::alarm(
      "the outcome of a commit is unknown; the process ends, and a restart recovers what is "
      "durable",
      {{"why", why}});
  ::_exit(2);
}

}  // namespace pawl::server

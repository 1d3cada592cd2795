// What POST /_control/settings can change. One word each here and there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace scripted {

struct Settings {
  double latency_ms = 0;  // of every request but control's
  bool refuse_skewed =
      false;  // refuse what is signed more than 15 minutes from the Date header's clock
  // FACTS: "At most 2 readers a shard". A reader is what one GetShardIterator began; who has read within the last second counts.
  // The third is refused with `reader_error`. 0 = no limit.
  std::uint32_t readers_max = 2;
  std::string reader_error = "LimitExceededException";
  std::uint32_t describes_per_s = 10;  // FACTS: "DescribeStream 10/s". 0 = no limit
  double empty_pages = 0;  // how often GetRecords gives an empty page in the middle of a shard
  std::size_t page_records = 1000;  // FACTS: "at most 1 MB or 1,000 records": fewer for tests
  std::size_t puts_max = 100'000;   // how many PUTs GET /_control/puts remembers
};

}  // namespace scripted

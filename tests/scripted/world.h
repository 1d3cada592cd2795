// Everything that the server plays, under one lock: a request's work is done with it held, from the parsed request to the
// rendered answer. Digests of bodies, reading and sending go on without it.
#pragma once

#include <mutex>

#include "clock.h"
#include "counters.h"
#include "dynamodb.h"
#include "faults.h"
#include "s3.h"
#include "settings.h"
#include "streams_api.h"

namespace scripted {

struct World {
  explicit World(std::uint64_t seed_given)
      : seed(seed_given),
        faults(seed_given),
        streams(clock, settings, seed_given),
        dynamodb(clock, streams),
        s3(clock, settings) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::mutex mutex;
  const std::uint64_t seed;
  Clock clock;
  Settings settings;
  Faults faults;
  Counters counters;
  StreamsApi streams;
  DynamoDb dynamodb;
  S3 s3;
};

}  // namespace scripted

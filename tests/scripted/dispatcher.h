// From a request to its answer: which service it is for, what the fault rules do to it, what is counted.
#pragma once

#include <optional>
#include <string>

#include "control.h"
#include "exchange.h"
#include "faults.h"
#include "world.h"

namespace scripted {

class Dispatcher {
 public:
  explicit Dispatcher(World& world) : world_(&world), control_(world) {}

  enum class Service { kControl, kDynamoDb, kStreams, kS3 };
  // A request between its arrival and its answer.
  struct Ticket {
    Service service = Service::kControl;
    std::string operation;
    S3Call s3;
    Effects effects;  // and how long to wait before `finish`
    bool conflict = false;
    bool arrived = false;  // s3.arrive was called
    std::string sha256;
    std::string md5;
    std::optional<Refusal> refusal;  // known on arrival
  };
  // Each call of `begin` is followed by one of `finish`, with the same request, on whichever thread.
  Ticket begin(const Request& request);
  Reply finish(const Ticket& ticket, const Request& request);

 private:
  void recognise(Ticket& ticket, const Request& request);
  void check_signature(const Ticket& ticket, const Request& request) const;
  std::string name_of(const Ticket& ticket, const Request& request) const;
  Reply run(const Ticket& ticket, const Request& request);
  static Refusal fault_of(const Ticket& ticket);
  static Reply error_of(const Ticket& ticket, const Request& request, const Refusal& refusal);

  World* world_;
  Control control_;
};

}  // namespace scripted

// `pawl adopt`: data directory and ledger made to agree while no server runs. See pipeline/adopt.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/recorder.h"
#include "server/config.h"

namespace pawl::server {

// Holds both directories' locks while it lives. One thread.
class Adoption {
 public:
  // Opens both and compares them. Where they agree that is a start like any server's, and the ledger notes it.
  // Errors: kNotFound (one of them is not there), kConflict (a server is running), those of the adapters.
  static Result<std::unique_ptr<Adoption>> open(const ServerConfig& config);
  ~Adoption();
  Adoption(const Adoption&) = delete;
  Adoption& operator=(const Adoption&) = delete;

  // Empty: there is nothing to adopt.
  const std::vector<pipeline::Disagreement>& disagreements() const;
  std::string archive_id() const;

  // Adopts, and compares again. Ok only when both agree. After an error it may be repeated by another Adoption.
  // The process ends with status 2 if the outcome of a commit becomes unknown.
  Status adopt();

 private:
  struct Parts;
  explicit Adoption(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace pawl::server

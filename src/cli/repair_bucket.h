// The bucket that `pawl repair` puts into: of somebody else's function, which may be writing to it meanwhile.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapter/s3_location.h"
#include "base/result.h"

namespace pawl::cli {

struct RepairPut {
  enum class Outcome {
    kPut,
    kAlreadyThere,  // with this very content: another run's
    kAppeared,      // the version has come meanwhile, under its own name; nothing was put
    kTaken,         // something else stands under `name`, and was not touched
    kNotPut,        // nothing was put, or it is not known; `why`
  };
  std::string own_name;  // that the function would have given it
  std::string name;
  std::string body;
  Outcome outcome = Outcome::kNotPut;
  std::string why;
};

// Blocks the calling thread in every call.
class RepairBucket {
 public:
  // `endpoint` as given by --s3-endpoint, or "". At most `looks_max` looks are under way at once; of puts, as many as the
  // store takes. Asks nothing yet. Errors: those of the settings.
  static Result<std::unique_ptr<RepairBucket>> open(const S3Location& location,
                                                    const std::string& endpoint,
                                                    std::size_t looks_max);
  virtual ~RepairBucket() = default;

  // Whether the store keeps what is there, and the credentials may put. First. Errors: kInvalid, kNotFound, kUnavailable.
  virtual Status probe() = 0;
  // Each is looked for under its own name once more, and put if neither that nor `name` is there. What is answered is
  // durable. One that the store refuses for itself holds up no other. Returns why the store takes nothing at present, or
  // nothing from these credentials; "" = it does.
  virtual std::string put(std::vector<RepairPut>& puts) = 0;
};

}  // namespace pawl::cli

// Amazon S3's API for objects, path style, as far as an archive needs it: CreateBucket, HeadBucket, PutObject, GetObject,
// HeadObject, DeleteObject, ListObjectsV2. Everything else answers 501.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "bucket.h"
#include "clock.h"
#include "exchange.h"
#include "faults.h"
#include "settings.h"

namespace scripted {

// Which operation a request is, on what.
struct S3Call {
  std::string operation;
  std::string bucket;
  std::string key;
  std::map<std::string, std::string, std::less<>> query;
};
S3Call locate_s3(const Request& request);
Reply s3_error(const Refusal& refusal, std::string_view resource);

class S3 {
 public:
  S3(const Clock& clock, const Settings& settings) : clock_(&clock), settings_(&settings) {}

  void create_bucket(const std::string& name, std::unique_ptr<const NameFormula> formula,
                     bool keep_bodies);
  Bucket& bucket(const std::string& name);  // throws Refusal (NoSuchBucket)
  void clear() { buckets_.clear(); }

  // A PUT is under way from `arrive` to `leave`, which stand around `run`. True: it conflicts with one that is.
  bool arrive(const S3Call& call, bool conditional);
  void leave(const S3Call& call);
  // `sha256` and `md5` are those of the body, for PutObject.
  Reply run(const S3Call& call, const Request& request, const Effects& effects,
            const std::string& sha256, const std::string& md5);

 private:
  Reply create(const S3Call& call);
  Reply put(const S3Call& call, const Request& request, const Effects& effects,
            const std::string& sha256, const std::string& md5);
  void check_conditions(Bucket& bucket, const S3Call& call, const Request& request,
                        const std::optional<Object>& there) const;
  Reply get(const S3Call& call, const Request& request);
  Reply remove(const S3Call& call);

  const Clock* clock_;
  const Settings* settings_;
  std::map<std::string, Bucket, std::less<>> buckets_;
};

Reply list_objects(const Bucket& bucket, const S3Call& call);

}  // namespace scripted

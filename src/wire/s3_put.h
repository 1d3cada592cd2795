// Receives the body of one large PUT, piece by piece, on a thread that may wait for the disk.
#pragma once

#include <memory>
#include <string>

#include "wire/s3_service.h"

namespace pawl::wire {

class S3PutReceiver final : public BodyReceiver,
                            public std::enable_shared_from_this<S3PutReceiver> {
 public:
  S3PutReceiver(S3Service& service, S3Call call, S3PutPlan plan);

  void receive(std::string piece, More more) override;
  void complete(std::string rest, Completion completion) override;

 private:
  S3Service& service_;
  S3Call call_;
  S3PutPlan plan_;
  IncomingBody body_;
};

}  // namespace pawl::wire

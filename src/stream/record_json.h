// A change as a stream's record in JSON, straight from the change log's bytes: what GetRecords answers and what a function is
// called with. The one place where records get their form; both readers see the same bytes.
//
// {"eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":…,"eventID":…,"eventName":…,"dynamodb":{
//   "ApproximateCreationDateTime":…,"Keys":…,"NewImage":…,"OldImage":…,"SequenceNumber":…,"SizeBytes":…,"StreamViewType":…}}
// Source: API reference of DynamoDB Streams, Record; AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB", whose
// records have `eventSourceARN` behind that.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/instant.h"
#include "base/result.h"

namespace pawl::stream {

// What all records of one reader have in common.
struct RecordForm {
  std::string_view region;
  std::string_view view;  // "NEW_IMAGE", …
  bool shows_new = false;
  bool shows_old = false;
  ShardId shard;
  std::string_view source_arn = {};  // of a function's records; empty: they have none
};

class RecordJson {
 public:
  explicit RecordJson(const RecordForm& form);

  struct Written {
    std::size_t size = 0;  // SizeBytes
    Instant instant;
  };
  // Appends one record. Errors: kCorrupt; what was appended by then is worth nothing.
  Result<Written> append(std::string& out, SequenceNumber sequence, std::string_view encoded) const;

 private:
  bool shows_new_;
  bool shows_old_;
  std::string begin_;
  std::string end_;
};

}  // namespace pawl::stream

// Amazon S3's REST API over the buckets of the data directory, path addressing. What is there and what is not:
// docs/compatibility.md. Reads are answered on the I/O thread; what a large body needs of a disk is done elsewhere.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/instant.h"
#include "bucket/bucket_listing.h"
#include "bucket/bucket_store.h"
#include "port/object_shelf.h"
#include "port/random.h"
#include "wire/access_gate.h"
#include "wire/http_message.h"
#include "wire/s3_body.h"
#include "wire/s3_call.h"
#include "wire/s3_read.h"

namespace pawl::wire {

// Under which name the archive reads as a bucket. Nothing is written to it here: history is the recorder's alone.
struct S3ArchiveBucket {
  std::string name;              // empty: under none
  ObjectShelf* shelf = nullptr;  // none: it is elsewhere,
  std::string elsewhere;         // there: "s3://…"
  Instant created;

  bool is(std::string_view bucket) const { return !name.empty() && bucket == name; }
};

// One request under way: what it asks, and who waits for the answer. Answered once.
class S3Exchange {
 public:
  S3Exchange(S3Call call_read, Completion completion)
      : call(std::move(call_read)), completion_(std::move(completion)) {}

  void answer(HttpResponse response);
  void answer_xml(std::string body);
  void refuse(const S3Error& error);

  const S3Call call;

 private:
  Completion completion_;
};
using S3ExchangePtr = std::shared_ptr<S3Exchange>;

// What a PUT of an object or a part asks for, besides its body.
struct S3PutPlan {
  bucket::StoredHeaders headers;
  bucket::Conditions conditions;
  std::string upload_id;  // of a part; empty: an object
  unsigned part = 0;
  BodyClaims claims;
};

class S3Service {
 public:
  // All must outlive it.
  S3Service(AccessGate& gate, bucket::BucketStore& store, S3ArchiveBucket archive, Random& random,
            std::function<Instant()> now, RunElsewhere run_elsewhere);

  // A whole request.
  void serve(const HttpRequest& request, Completion completion);
  // A request whose body is large: received if it is an object's or a part's.
  BodyPlan plan_body(const HttpRequest& request);

 private:
  friend class S3PutReceiver;

  S3Result<std::pair<S3Call, AccessGate::Admitted>> admit(const HttpRequest& request);
  void dispatch(const HttpRequest& request, const AccessGate::Admitted& admitted,
                const S3ExchangePtr& exchange);
  S3Status serve_service(const S3ExchangePtr& exchange);
  S3Status serve_bucket(const HttpRequest& request, const AccessGate::Admitted& admitted,
                        const S3ExchangePtr& exchange);
  S3Status serve_object(const HttpRequest& request, const AccessGate::Admitted& admitted,
                        const S3ExchangePtr& exchange);

  S3Status create_bucket(const HttpRequest& request, const AccessGate::Admitted& admitted,
                         const S3ExchangePtr& exchange);
  S3Status list_objects(const S3ExchangePtr& exchange);
  S3Status list_objects_v2(const S3ExchangePtr& exchange);
  // Of the bucket, or of the archive: then it waits for the disk.
  S3Result<bucket::Page<bucket::ListedObject>> list_page(const S3Call& call,
                                                         const bucket::ListQuery& query);
  // What a GET or a HEAD of a bucket asks for that is there.
  S3Status read_bucket(const bucket::BucketRecord& record, const S3ExchangePtr& exchange);
  S3Status list_uploads(const S3ExchangePtr& exchange);
  S3Status delete_objects(const HttpRequest& request, const AccessGate::Admitted& admitted,
                          const S3ExchangePtr& exchange);

  S3Status get_object(const ReadAsk& ask, const S3ExchangePtr& exchange);
  S3Status delete_object(const HttpRequest& request, const S3ExchangePtr& exchange);
  S3Status copy(const HttpRequest& request, const S3ExchangePtr& exchange);
  S3Status copy_part(const HttpRequest& request, const S3ExchangePtr& exchange);
  // What is copied: its record, and its bytes in a bucket, kept by the guard, or in the archive. Waits for the disk.
  struct Source {
    bucket::ObjectRecord record;
    std::vector<bucket::BodyPiece> pieces;
    std::shared_ptr<bucket::ReadWatch::Guard> guard;
    std::unique_ptr<BodyReader> archived;
  };
  S3Result<Source> open_source(const std::string& bucket, const std::string& key,
                               const ReadConditions& conditions);
  // A part of it as a body of its own, in turns with what else waits for the disk: 5 GiB take a while. Called there.
  using CopyDone = std::function<void(S3Result<IncomingBody::Whole>)>;
  void copy_bytes(Source source, ByteRange range, const std::string& checksum, bool may_inline,
                  CopyDone done);
  struct Copying;
  void copy_on(const std::shared_ptr<Copying>& copying);
  void submit_copy(bucket::PutObject command, const S3ExchangePtr& exchange);

  // The archive as a bucket (s3_archive.cc).
  S3Status serve_archive(const HttpRequest& request, const S3ExchangePtr& exchange);
  S3Status read_archive(const ReadAsk& ask, const S3ExchangePtr& exchange);
  struct Archived {
    bucket::ObjectRecord record;
    std::unique_ptr<BodyReader> body;
  };
  S3Error archive_is_read_only() const;
  S3Status check_archive() const;  // an error: it is elsewhere
  S3Result<Archived> open_archived(const std::string& key);
  Result<bucket::Page<bucket::ListedObject>> list_archive(const bucket::ListQuery& query);

  // For a body that has come whole, and for one that is received.
  S3Result<S3PutPlan> plan_put(const HttpRequest& request, const AccessGate::Admitted& admitted,
                               const S3Call& call);
  S3Status put_small(const HttpRequest& request, const AccessGate::Admitted& admitted,
                     const S3ExchangePtr& exchange);
  void commit_put(const S3PutPlan& plan, IncomingBody::Whole whole, const S3ExchangePtr& exchange);

  S3Status create_upload(const HttpRequest& request, const S3ExchangePtr& exchange);
  S3Status complete_upload(const HttpRequest& request, const AccessGate::Admitted& admitted,
                           const S3ExchangePtr& exchange);
  S3Status abort_upload(const S3ExchangePtr& exchange);
  S3Status list_parts(const S3ExchangePtr& exchange);

  S3Status check_bucket(const std::string& bucket);
  S3Result<bucket::UploadRecord> find_upload(const S3Call& call, const std::string& id);
  // A small document that a request carries, decoded and checked against what its headers say.
  S3Result<std::string> document_of(const HttpRequest& request,
                                    const AccessGate::Admitted& admitted);
  // Submits; `done` makes the answer of what was done. Refusals are answered as errors.
  void submit(bucket::Action action, const S3ExchangePtr& exchange,
              std::function<HttpResponse(const bucket::Outcome&)> done);

  AccessGate& gate_;
  bucket::BucketStore& store_;
  const S3ArchiveBucket archive_;
  Random& random_;
  std::function<Instant()> now_;
  RunElsewhere run_elsewhere_;
};

// The upload id of a query, as bytes; empty if it is none.
std::string upload_id_of(std::string_view text);

}  // namespace pawl::wire

// A bucket (or a prefix of one) that is an archive: its identity, and the proof that its store keeps what is there.
//
// The preflight puts the same small object `.pawl/probe` twice under a condition that the second put must fail, and reads
// it back. A store that ignores conditions would overwrite history without a word, so it is refused, before anything but
// that object is written.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "adapter/s3_client.h"

namespace pawl {

// How the store wants an ETag in If-Match: Amazon and most take it in its quotes, Ceph's gateway 16 only without.
enum class EtagForm : std::uint8_t { kQuoted, kUnquoted };

struct S3Archive {
  std::uint64_t id = 0;  // stands in every page
  bool created = false;  // now
  EtagForm etag_form = EtagForm::kQuoted;
};

// What a look at a bucket finds.
struct S3ArchiveProbe {
  std::optional<std::uint64_t> id;  // nothing: no archive yet, and nothing else either
  EtagForm etag_form = EtagForm::kQuoted;
};

// Whose the objects are that a prefix without an archive may hold: nobody's (it must be empty), or somebody else's, whose
// objects are checked there.
enum class S3Prefix : std::uint8_t { kOwn, kShared };

std::string etag_for(EtagForm form, std::string_view etag);

// Opens it for writing; makes it where the prefix holds nothing (of Pawl's, if it is shared). There is no lock: the ledger's pages are the fence.
// Errors: kInvalid (the store ignores conditions; objects but no archive; a newer Pawl's), kNotFound (no such bucket),
// kCorrupt (archive.json is damaged), kUnavailable.
Awaitable<Result<S3Archive>> open_s3_archive(S3Client& client, Random& random, Instant now,
                                             S3Prefix prefix = S3Prefix::kOwn);

// Whether it could be opened for writing: puts nothing but the probe. Errors: as open_s3_archive().
Awaitable<Result<S3ArchiveProbe>> probe_s3_archive(S3Client& client,
                                                   S3Prefix prefix = S3Prefix::kOwn);

// Whether the store refuses a second put of one name, for who puts into a bucket that is no archive and may do nothing but put:
// no more than s3:PutObject is needed. What the probe holds is compared where it may be read. Puts nothing else. Errors:
// kInvalid (the store ignores the condition; the credentials may not put), kNotFound, kUnavailable.
Awaitable<Status> probe_put_if_absent(S3Client& client);

// For reading: nothing is written. Errors: kNotFound where there is no archive, and the others.
Awaitable<Result<S3Archive>> find_s3_archive(S3Client& client);

}  // namespace pawl

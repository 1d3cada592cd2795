#include "bucket/bucket_format.h"

#include <fmt/format.h>

#include "base/coding.h"

namespace pawl::bucket {
namespace {

constexpr std::uint8_t kRecordFormat = 1;
// Of an object that is kept or took the place of one, and of a bucket that is supervised: what the others don't have stands at the
// end.
constexpr std::uint8_t kSupervisedRecordFormat = 2;
constexpr std::size_t kHeadersMax = 1000;

void append_instant(std::string& out, Instant instant) {
  append_u64_be(out, static_cast<std::uint64_t>(instant.microseconds));
}
Instant read_instant(Reader& reader) { return {static_cast<std::int64_t>(reader.u64_be())}; }

void append_headers(std::string& out, const StoredHeaders& headers) {
  append_varint(out, headers.size());
  for (const auto& [name, value] : headers) {
    append_bytes(out, name);
    append_bytes(out, value);
  }
}
StoredHeaders read_headers(Reader& reader) {
  StoredHeaders headers;
  const std::uint64_t count = reader.varint();
  if (count > kHeadersMax) reader.fail();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    std::string name(reader.bytes());
    headers.emplace_back(std::move(name), std::string(reader.bytes()));
  }
  return headers;
}

void append_checksum(std::string& out, const Checksum& checksum) {
  append_bytes(out, checksum.algorithm);
  append_bytes(out, checksum.value);
  append_u8(out, checksum.composite ? 1 : 0);
}
Checksum read_checksum(Reader& reader) {
  Checksum checksum;
  checksum.algorithm = reader.bytes();
  checksum.value = reader.bytes();
  checksum.composite = reader.u8() != 0;
  return checksum;
}

void append_place(std::string& out, const BodyPlace& place) {
  append_u8(out, static_cast<std::uint8_t>(place.kind));
  if (place.kind == BodyKind::kInline) {
    append_bytes(out, place.bytes);
  } else {
    append_u64_be(out, place.number);
  }
}
BodyPlace read_place(Reader& reader) {
  BodyPlace place;
  const std::uint8_t kind = reader.u8();
  if (kind > static_cast<std::uint8_t>(BodyKind::kSegments)) reader.fail();
  place.kind = static_cast<BodyKind>(kind);
  if (place.kind == BodyKind::kInline) {
    place.bytes = reader.bytes();
  } else {
    place.number = reader.u64_be();
  }
  return place;
}

template <typename Record>
Result<Record> finished(Reader& reader, Record record, std::string_view what) {
  if (reader.at_end()) return record;
  return Error{ErrorCode::kCorrupt,
               "reading the record of " + std::string(what) + ": it is not what was written",
               "restore the data directory from a copy"};
}

Reader begin(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.u8() != kRecordFormat) reader.fail();
  return reader;
}
// Of a record that has both formats; `supervised` says which it is.
Reader begin(std::string_view bytes, bool& supervised) {
  Reader reader(bytes);
  const std::uint8_t format = reader.u8();
  supervised = format == kSupervisedRecordFormat;
  if (format != kRecordFormat && !supervised) reader.fail();
  return reader;
}

}  // namespace

std::string encode(const ObjectRecord& record) {
  std::string out;
  out.reserve(128 + record.place.bytes.size());
  const bool is_of_supervised = record.kept || record.took_place_of != 0;
  append_u8(out, is_of_supervised ? kSupervisedRecordFormat : kRecordFormat);
  append_varint(out, record.bytes);
  append_instant(out, record.modified);
  append_bytes(out, record.etag);
  append_varint(out, record.parts);
  append_headers(out, record.headers);
  append_checksum(out, record.checksum);
  append_place(out, record.place);
  if (!is_of_supervised) return out;
  append_varint(out, record.took_place_of);
  append_u8(out, record.kept ? 1 : 0);
  if (record.kept) {
    append_bytes(out, record.kept->key);
    append_instant(out, record.kept->at);
    append_u8(out, record.kept->deleted ? 1 : 0);
  }
  return out;
}

std::string encode(const BucketRecord& record) {
  std::string out;
  append_u8(out, record.supervised ? kSupervisedRecordFormat : kRecordFormat);
  append_instant(out, record.created);
  append_bytes(out, record.region);
  if (record.supervised) {
    append_varint(out, record.supervised->kept_objects);
    append_varint(out, record.supervised->kept_bytes);
  }
  return out;
}

std::string encode(const UploadRecord& record) {
  std::string out;
  append_u8(out, kRecordFormat);
  append_instant(out, record.initiated);
  append_headers(out, record.headers);
  append_checksum(out, record.checksum);
  return out;
}

std::string encode(const PartRecord& record) {
  std::string out;
  append_u8(out, kRecordFormat);
  append_varint(out, record.bytes);
  append_instant(out, record.modified);
  append_bytes(out, record.etag);
  append_checksum(out, record.checksum);
  append_place(out, record.place);
  return out;
}

std::string encode(const std::vector<Segment>& segments) {
  std::string out;
  append_u8(out, kRecordFormat);
  for (const Segment& segment : segments) {
    append_u8(out, static_cast<std::uint8_t>(segment.kind));
    append_u64_be(out, segment.number);
    append_varint(out, segment.bytes);
  }
  return out;
}

Result<ObjectRecord> decode_object(std::string_view bytes, std::string_view what) {
  bool is_of_supervised = false;
  Reader reader = begin(bytes, is_of_supervised);
  ObjectRecord record;
  record.bytes = reader.varint();
  record.modified = read_instant(reader);
  record.etag = reader.bytes();
  record.parts = static_cast<std::uint32_t>(reader.varint());
  record.headers = read_headers(reader);
  record.checksum = read_checksum(reader);
  record.place = read_place(reader);
  if (is_of_supervised) record.took_place_of = reader.varint();
  if (is_of_supervised && reader.u8() != 0) {
    KeptFrom& kept = record.kept.emplace();
    kept.key = reader.bytes();
    kept.at = read_instant(reader);
    kept.deleted = reader.u8() != 0;
  }
  return finished(reader, std::move(record), what);
}

Result<BucketRecord> decode_bucket(std::string_view bytes, std::string_view what) {
  bool is_supervised = false;
  Reader reader = begin(bytes, is_supervised);
  BucketRecord record;
  record.created = read_instant(reader);
  record.region = reader.bytes();
  if (is_supervised) {
    Supervision& supervised = record.supervised.emplace();
    supervised.kept_objects = reader.varint();
    supervised.kept_bytes = reader.varint();
  }
  return finished(reader, std::move(record), what);
}

Result<UploadRecord> decode_upload(std::string_view bytes, std::string_view what) {
  Reader reader = begin(bytes);
  UploadRecord record;
  record.initiated = read_instant(reader);
  record.headers = read_headers(reader);
  record.checksum = read_checksum(reader);
  return finished(reader, std::move(record), what);
}

Result<PartRecord> decode_part(std::string_view bytes, std::string_view what) {
  Reader reader = begin(bytes);
  PartRecord record;
  record.bytes = reader.varint();
  record.modified = read_instant(reader);
  record.etag = reader.bytes();
  record.checksum = read_checksum(reader);
  record.place = read_place(reader);
  return finished(reader, std::move(record), what);
}

Result<std::vector<Segment>> decode_segments(std::string_view bytes, std::string_view what) {
  Reader reader = begin(bytes);
  std::vector<Segment> segments;
  while (reader.ok() && !reader.at_end()) {
    Segment segment;
    const std::uint8_t kind = reader.u8();
    if (kind != static_cast<std::uint8_t>(BodyKind::kStored) &&
        kind != static_cast<std::uint8_t>(BodyKind::kFile)) {
      reader.fail();
    }
    segment.kind = static_cast<BodyKind>(kind);
    segment.number = reader.u64_be();
    segment.bytes = reader.varint();
    segments.push_back(segment);
  }
  return finished(reader, std::move(segments), what);
}

std::string bucket_key(std::string_view bucket) { return "bucket/" + std::string(bucket); }

std::string object_key(std::string_view bucket, std::string_view key) {
  std::string result;
  result.reserve(bucket.size() + 1 + key.size());
  result.append(bucket).push_back('\0');
  result.append(key);
  return result;
}

bool is_reserved(std::string_view key) { return key.starts_with(kReservedPrefix); }

std::string kept_key(std::uint64_t number) { return fmt::format("{}{:016}", kKeptPrefix, number); }

std::string objects_end(std::string_view bucket) { return std::string(bucket) + '\1'; }

std::string number_key(std::uint64_t number) {
  std::string key;
  append_u64_be(key, number);
  return key;
}

std::uint64_t number_of(std::string_view key) {
  Reader reader(key);
  const std::uint64_t number = reader.u64_be();
  return reader.at_end() ? number : 0;
}

std::string upload_key(std::string_view bucket, std::string_view key, std::string_view id) {
  std::string result = uploads_begin(bucket);
  result.append(key).push_back('\0');
  result.append(id);
  return result;
}

std::string uploads_begin(std::string_view bucket) {
  std::string result("u");
  result.append(bucket).push_back('\0');
  return result;
}

std::string uploads_end(std::string_view bucket) { return "u" + std::string(bucket) + '\1'; }

std::string part_key(std::string_view id, unsigned number) {
  std::string result("p");
  result.append(id);
  append_u16_be(result, static_cast<std::uint16_t>(number));
  return result;
}

unsigned part_number_of(std::string_view part_key) {
  if (part_key.size() < 2) return 0;
  Reader reader(part_key.substr(part_key.size() - 2));
  return reader.u16_be();
}

std::string behind_prefix(std::string_view prefix) {
  std::string result(prefix);
  while (!result.empty() && static_cast<unsigned char>(result.back()) == 0xFF) result.pop_back();
  if (!result.empty())
    result.back() = static_cast<char>(static_cast<unsigned char>(result.back()) + 1);
  return result;
}

}  // namespace pawl::bucket

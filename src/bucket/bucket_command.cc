#include "bucket/bucket_command.h"

namespace pawl::bucket {
namespace {

std::size_t bytes_of_headers(const StoredHeaders& headers) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers) bytes += name.size() + value.size() + 8;
  return bytes;
}

void add_file(const BodyPlace& place, std::vector<std::uint64_t>& files) {
  if (place.kind == BodyKind::kFile) files.push_back(place.number);
}

std::size_t bytes_of_put(const PutObject& put) {
  std::size_t bytes =
      put.key.size() + put.record.place.bytes.size() + bytes_of_headers(put.record.headers);
  for (const auto& [number, stored] : put.stored_segments) bytes += stored.size();
  return bytes;
}

void add_files_of_put(const PutObject& put, std::vector<std::uint64_t>& files) {
  add_file(put.record.place, files);
  if (put.record.place.kind != BodyKind::kSegments) return;
  const auto segments = decode_segments(put.record.place.bytes, "a copy");
  if (!segments.ok()) return;
  for (const Segment& segment : segments.value()) {
    if (segment.kind == BodyKind::kFile) files.push_back(segment.number);
  }
}

}  // namespace

std::size_t bytes_of(const Action& action) {
  std::size_t bytes = 256;
  if (const auto* put = std::get_if<PutObject>(&action)) {
    bytes += bytes_of_put(*put);
  } else if (const auto* together = std::get_if<PutTogether>(&action)) {
    for (const PutObject& one : together->objects) bytes += 256 + bytes_of_put(one);
  } else if (const auto* part = std::get_if<PutPart>(&action)) {
    bytes += part->key.size() + part->record.place.bytes.size();
  } else if (const auto* upload = std::get_if<CreateUpload>(&action)) {
    bytes += upload->key.size() + bytes_of_headers(upload->record.headers);
  } else if (const auto* deletion = std::get_if<DeleteObjects>(&action)) {
    for (const auto& one : deletion->objects) bytes += one.key.size() + 64;
  } else if (const auto* complete = std::get_if<CompleteUpload>(&action)) {
    bytes += complete->parts.size() * 128;
  }
  return bytes;
}

std::vector<std::uint64_t> new_files_of(const Action& action) {
  std::vector<std::uint64_t> files;
  if (const auto* put = std::get_if<PutObject>(&action)) {
    add_files_of_put(*put, files);
  } else if (const auto* together = std::get_if<PutTogether>(&action)) {
    for (const PutObject& one : together->objects) add_files_of_put(one, files);
  } else if (const auto* part = std::get_if<PutPart>(&action)) {
    add_file(part->record.place, files);
  }
  return files;
}

}  // namespace pawl::bucket

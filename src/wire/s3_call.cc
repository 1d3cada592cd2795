#include "wire/s3_call.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "item/utf8.h"
#include "sigv4/signature.h"

namespace pawl::wire {
namespace {

using sigv4::percent_decode;

constexpr std::size_t kMetadataBytesMax = 2048;
constexpr std::string_view kMetaPrefix = "x-amz-meta-";

// Stored with the object, and sent with it.
constexpr std::array<std::string_view, 6> kStored{"content-type",        "cache-control",
                                                  "content-disposition", "content-encoding",
                                                  "content-language",    "expires"};
// Each would be a promise that Pawl does not keep.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kRefusedHeaders{{
    {"x-amz-tagging", "Object tagging (x-amz-tagging)"},
    {"x-amz-server-side-encryption", "Server-side encryption (x-amz-server-side-encryption)"},
    {"x-amz-server-side-encryption-customer-algorithm",
     "Server-side encryption with a customer's key"},
    {"x-amz-website-redirect-location", "A redirect (x-amz-website-redirect-location)"},
    {"x-amz-object-lock-mode", "Object lock (x-amz-object-lock-mode)"},
    {"x-amz-object-lock-legal-hold", "Object lock (x-amz-object-lock-legal-hold)"},
    {"x-amz-object-lock-retain-until-date", "Object lock (x-amz-object-lock-retain-until-date)"},
    {"x-amz-bucket-object-lock-enabled", "Object lock (x-amz-bucket-object-lock-enabled)"},
    {"x-amz-write-offset-bytes", "Appending (x-amz-write-offset-bytes)"},
}};
// The subresources of a bucket or an object that S3 has and Pawl has not.
constexpr std::array<std::string_view, 27> kNotImplemented{
    "accelerate",     "analytics",         "attributes",
    "cors",           "encryption",        "intelligent-tiering",
    "inventory",      "legal-hold",        "lifecycle",
    "logging",        "metrics",           "notification",
    "object-lock",    "ownershipControls", "policy",
    "policyStatus",   "publicAccessBlock", "replication",
    "requestPayment", "restore",           "retention",
    "select",         "session",           "torrent",
    "versions",       "website",           "append"};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

S3Status parse_query(std::string_view text, S3Call& call) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    if (call.query.size() >= kQueryParametersMax)
      return invalid_argument("The query has too many parameters.");
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string raw_value(equals < pair.size() ? pair.substr(equals + 1) : std::string_view());
    std::replace(raw_value.begin(), raw_value.end(), '+', ' ');
    auto name = percent_decode(pair.substr(0, equals));
    auto value = percent_decode(raw_value);
    if (!name || !value || !item::is_utf8(*name) || !item::is_utf8(*value))
      return S3Error{400, "InvalidURI", "Couldn't parse the specified URI.", {}};
    if (name->starts_with("X-Amz-") || *name == "x-id")
      continue;  // what signs it, or names it for people
    if (value->find('\0') != std::string::npos)
      return invalid_argument("A parameter has a NUL byte.");
    call.query.emplace_back(std::move(*name), std::move(*value));
  }
  return Unit{};
}

S3Status check_subresources(const S3Call& call) {
  for (const auto& [name, value] : call.query) {
    if (std::find(kNotImplemented.begin(), kNotImplemented.end(), name) != kNotImplemented.end())
      return not_implemented("The subresource '" + name + "'");
    if (name == "versionId" && value != "null") return not_implemented("Versioning (versionId)");
  }
  return Unit{};
}

// What a request that changes something may have in its query. Elsewhere a parameter that Pawl does not know is passed over, as the
// service does; here it may say that the bucket or the object is not what is to be made or removed (?metadataTable, ?renameObject).
S3Status check_write_parameters(const S3Call& call) {
  if (call.method != "PUT" && call.method != "POST" && call.method != "DELETE") return Unit{};
  struct Known {
    std::string_view method;
    bool of_object;
    std::string_view name;
  };
  static constexpr std::array<Known, 13> kKnown{{
      {"PUT", false, "acl"},
      {"PUT", false, "tagging"},
      {"PUT", false, "versioning"},
      {"POST", false, "delete"},
      {"DELETE", false, "tagging"},
      {"PUT", true, "acl"},
      {"PUT", true, "tagging"},
      {"PUT", true, "partNumber"},
      {"PUT", true, "uploadId"},
      {"POST", true, "uploads"},
      {"POST", true, "uploadId"},
      {"DELETE", true, "uploadId"},
      {"DELETE", true, "tagging"},
  }};
  // Signature Version 2, where no access keys are configured; and headers that a presigner moved into the query and that change
  // nothing. One that does (x-amz-meta-…, x-amz-acl) would be lost in silence.
  static constexpr std::array<std::string_view, 8> kAnywhere{"AWSAccessKeyId",
                                                             "Signature",
                                                             "Expires",
                                                             "versionId",
                                                             "x-amz-content-sha256",
                                                             "x-amz-sdk-checksum-algorithm",
                                                             "x-amz-security-token",
                                                             "x-amz-user-agent"};
  for (const auto& parameter : call.query) {
    const std::string& name = parameter.first;
    const bool known = name.starts_with("x-amz-checksum-") ||
                       std::find(kAnywhere.begin(), kAnywhere.end(), name) != kAnywhere.end() ||
                       std::any_of(kKnown.begin(), kKnown.end(), [&](const Known& one) {
                         return one.method == call.method && one.of_object == !call.key.empty() &&
                                one.name == name;
                       });
    if (!known)
      return not_implemented("The parameter '" + name.substr(0, 64) + "' of such a request");
  }
  return Unit{};
}

// The coding of an object's bytes, of what its request says: how they came ("aws-chunked", before or behind) is not what they are.
std::string without_aws_chunked(std::string_view codings) {
  std::string kept;
  while (!codings.empty()) {
    const std::size_t end = std::min(codings.find(','), codings.size());
    std::string_view coding = codings.substr(0, end);
    codings.remove_prefix(std::min(end + 1, codings.size()));
    while (coding.starts_with(' ')) coding.remove_prefix(1);
    while (coding.ends_with(' ')) coding.remove_suffix(1);
    if (coding.empty() || equal_ignoring_case(coding, "aws-chunked")) continue;
    kept.append(kept.empty() ? "" : ",").append(coding);
  }
  return kept;
}

}  // namespace

bool S3Call::has(std::string_view name) const {
  return std::any_of(query.begin(), query.end(),
                     [name](const auto& parameter) { return parameter.first == name; });
}

std::string_view S3Call::value(std::string_view name) const {
  for (const auto& [parameter, its_value] : query) {
    if (parameter == name) return its_value;
  }
  return {};
}

bool is_reserved_word(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kWords{"console", "healthz", "metrics", "pawl",
                                                          "status"};
  if (std::find(kWords.begin(), kWords.end(), name) != kWords.end()) return true;
  // Lambda's API has dated paths: /2015-03-31/functions.
  return name.size() == 10 && name[4] == '-' && name[7] == '-' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
}

bool is_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (!alphanumeric(name.front()) || !alphanumeric(name.back())) return false;
  bool address = true;  // 192.168.5.4 is none
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!alphanumeric(name[i]) && name[i] != '-' && name[i] != '.') return false;
    if (name[i] == '.' && (name[i - 1] == '.' || name[i - 1] == '-' || name[i + 1] == '-'))
      return false;
    if (name[i] != '.' && (name[i] < '0' || name[i] > '9')) address = false;
  }
  if (address && std::count(name.begin(), name.end(), '.') == 3) return false;
  return !is_reserved_word(name);
}

S3Status check_key(std::string_view key) {
  if (key.size() > bucket::kObjectKeyBytesMax)
    return S3Error{400, "KeyTooLongError", "Your key is too long", {}};
  if (!item::is_utf8(key) || key.find('\0') != std::string_view::npos)
    return invalid_argument("A key is UTF-8 without NUL bytes.");
  return Unit{};
}

S3Result<S3Call> parse_s3_call(const HttpRequest& request) {
  S3Call call;
  call.method = request.method;
  call.id = request.id;
  const std::size_t question = std::min(request.target.find('?'), request.target.size());
  const std::string_view path = request.target.substr(0, question);
  call.path = path;
  WIRE_TRY(parse_query(request.target.substr(std::min(question + 1, request.target.size())), call));
  if (!path.starts_with('/'))
    return S3Error{400, "InvalidURI", "Couldn't parse the specified URI.", {}};
  const std::size_t slash = std::min(path.find('/', 1), path.size());
  auto bucket = percent_decode(path.substr(1, slash - 1));
  auto key = percent_decode(slash < path.size() ? path.substr(slash + 1) : std::string_view());
  if (!bucket || !key) return S3Error{400, "InvalidURI", "Couldn't parse the specified URI.", {}};
  call.bucket = std::move(*bucket);
  call.key = std::move(*key);
  if (!call.bucket.empty() && !is_bucket_name(call.bucket)) {
    return S3Error{400,
                   "InvalidBucketName",
                   is_reserved_word(call.bucket)
                       ? "The specified bucket is not valid: Pawl's own paths begin with this word."
                       : "The specified bucket is not valid.",
                   {}};
  }
  if (call.bucket.empty() && !call.key.empty())
    return S3Error{400, "InvalidBucketName", "The specified bucket is not valid.", {}};
  WIRE_TRY(check_key(call.key));
  WIRE_TRY(check_subresources(call));
  WIRE_TRY(check_write_parameters(call));
  return call;
}

S3Result<std::pair<std::string, std::string>> parse_copy_source(std::string_view header) {
  const S3Error invalid = invalid_argument(
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  const std::size_t version = header.find("?versionId=");
  if (version != std::string_view::npos) {
    if (header.substr(version + 11) != "null") return not_implemented("Versioning (versionId)");
    header = header.substr(0, version);
  }
  auto decoded = percent_decode(header);
  if (!decoded) return invalid;
  if (decoded->starts_with('/')) decoded->erase(0, 1);
  const std::size_t slash = decoded->find('/');
  if (slash == std::string::npos || slash + 1 == decoded->size()) return invalid;
  std::pair<std::string, std::string> source(decoded->substr(0, slash), decoded->substr(slash + 1));
  if (!is_bucket_name(source.first) || source.second.size() > bucket::kObjectKeyBytesMax ||
      !item::is_utf8(source.second) || source.second.find('\0') != std::string::npos) {
    return invalid;
  }
  return source;
}

S3Result<bucket::StoredHeaders> stored_headers_of(const HttpRequest& request) {
  for (const auto& [name, what] : kRefusedHeaders) {
    if (request.has_header(name)) return not_implemented(std::string(what));
  }
  const std::string_view acl = request.header("x-amz-acl");
  if (!acl.empty() && acl != "private" && acl != "bucket-owner-full-control")
    return not_implemented("An ACL other than the default (x-amz-acl)");
  for (const std::string_view grant :
       {"x-amz-grant-read", "x-amz-grant-write", "x-amz-grant-full-control", "x-amz-grant-read-acp",
        "x-amz-grant-write-acp"}) {
    if (request.has_header(grant))
      return not_implemented("An ACL other than the default (" + std::string(grant) + ")");
  }
  const std::string_view storage = request.header("x-amz-storage-class");
  if (!storage.empty() && storage != "STANDARD")
    return S3Error{400, "InvalidStorageClass", "Pawl has one storage class: STANDARD.", {}};

  bucket::StoredHeaders stored;
  std::size_t metadata = 0;
  for (const HttpHeader& header : request.headers) {
    std::string name = lower(header.name);
    std::string value(header.value);
    if (name.starts_with(kMetaPrefix)) {
      metadata += name.size() - kMetaPrefix.size() + value.size();
    } else if (std::find(kStored.begin(), kStored.end(), name) == kStored.end()) {
      continue;
    }
    if (name == "content-encoding") {
      value = without_aws_chunked(value);
      if (value.empty()) continue;
    }
    stored.emplace_back(std::move(name), std::move(value));
  }
  if (metadata > kMetadataBytesMax) {
    return S3Error{400,
                   "MetadataTooLarge",
                   "Your metadata headers exceed the maximum allowed metadata size",
                   {}};
  }
  return stored;
}

S3Result<bucket::Conditions> write_conditions_of(const HttpRequest& request) {
  bucket::Conditions conditions;
  if (request.has_header("if-none-match")) {
    if (request.header("if-none-match") != "*")
      return not_implemented("If-None-Match of a write with anything but *");
    conditions.absent = true;
  }
  if (request.has_header("if-match"))
    conditions.has_etag = std::string(bare_etag(request.header("if-match")));
  if (conditions.absent && conditions.has_etag)
    return not_implemented("If-Match and If-None-Match together");
  return conditions;
}

S3Result<std::optional<std::uint64_t>> number_in_query(const S3Call& call, std::string_view name,
                                                       std::uint64_t max) {
  if (!call.has(name)) return std::optional<std::uint64_t>();
  const std::string_view text = call.value(name);
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number > max) {
    return invalid_argument("Argument " + std::string(name) + " must be an integer between 0 and " +
                            std::to_string(max));
  }
  return std::optional<std::uint64_t>(number);
}

std::string_view bare_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return etag;
}

}  // namespace pawl::wire

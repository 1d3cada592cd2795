// ListObjectsV2 (API reference): names in byte order, 1,000 a page, rolled up under a delimiter.
#include <fmt/format.h>

#include <algorithm>

#include "s3.h"
#include "text.h"

namespace scripted {
namespace {

constexpr std::uint64_t kPageMax = 1000;  // "up to 1,000 of the objects in a bucket"
constexpr std::size_t kContentsBytes = 320;

std::string value_of(const S3Call& call, std::string_view name) {
  const auto found = call.query.find(name);
  return found == call.query.end() ? "" : found->second;
}

// The first name that does not start with `prefix` any more, and is after all that do; nothing if there can't be one.
std::optional<std::string> after_all(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

struct Page {
  std::string contents;
  std::string prefixes;
  std::uint64_t count = 0;
  std::optional<std::string> next;  // the name that the next page starts at
};

Page collect(const Bucket& bucket, const std::string& prefix, const std::string& delimiter,
             const std::string& from, std::uint64_t most, bool url_encoded) {
  Page page;
  page.contents.reserve(most * kContentsBytes);
  Bucket::Walk walk(bucket, std::max(from, prefix));
  while (!walk.done() && walk.name().starts_with(prefix)) {
    if (page.count == most) {
      page.next = walk.name();
      break;
    }
    ++page.count;
    const std::size_t cut =
        delimiter.empty() ? std::string::npos : walk.name().find(delimiter, prefix.size());
    if (cut == std::string::npos) {
      walk.append_contents(page.contents, url_encoded);
      walk.next();
      continue;
    }
    const std::string group(walk.name().substr(0, cut + delimiter.size()));
    page.prefixes += fmt::format("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
                                 url_encoded ? percent_encode(group) : xml_escape(group));
    const auto after = after_all(group);
    if (!after) break;
    walk = Bucket::Walk(bucket, *after);
  }
  return page;
}

}  // namespace

Reply list_objects(const Bucket& bucket, const S3Call& call) {
  const std::string prefix = value_of(call, "prefix");
  const std::string delimiter = value_of(call, "delimiter");
  const std::string token = value_of(call, "continuation-token");
  const std::string start_after = value_of(call, "start-after");
  const bool url_encoded = value_of(call, "encoding-type") == "url";
  std::uint64_t most = kPageMax;
  if (const std::string said = value_of(call, "max-keys"); !said.empty()) {
    const auto number = parse_number(said);
    if (!number) throw Refusal{400, "InvalidArgument", "max-keys must be a number", {}};
    most = std::min(most, *number);
  }
  // "ContinuationToken is obfuscated and is not a real key": it goes before start-after.
  std::string from = start_after.empty() ? "" : start_after + '\0';
  if (!token.empty()) {
    const auto name = from_hex(token);
    if (!name)
      throw Refusal{400, "InvalidArgument", "The continuation token provided is incorrect", {}};
    from = *name;
  }
  const Page page = collect(bucket, prefix, delimiter, from, most, url_encoded);
  const auto shown = [url_encoded](const std::string& text) {
    return url_encoded ? percent_encode(text) : xml_escape(text);
  };
  // Where no page can hold anything (max-keys=0) there is no next one either.
  const bool truncated = page.next.has_value() && most > 0;
  Reply reply;
  reply.content_type = "application/xml";
  reply.body.reserve(page.contents.size() + page.prefixes.size() + 4096);
  reply.body = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Name>{}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{}</"
      "MaxKeys><IsTruncated>{}</IsTruncated>",
      xml_escape(call.bucket), shown(prefix), page.count, most, truncated);
  if (!delimiter.empty()) reply.body += "<Delimiter>" + shown(delimiter) + "</Delimiter>";
  if (!start_after.empty()) reply.body += "<StartAfter>" + shown(start_after) + "</StartAfter>";
  if (url_encoded) reply.body += "<EncodingType>url</EncodingType>";
  if (!token.empty()) reply.body += "<ContinuationToken>" + token + "</ContinuationToken>";
  if (truncated)
    reply.body += "<NextContinuationToken>" + to_hex(*page.next) + "</NextContinuationToken>";
  reply.body += page.contents;
  reply.body += page.prefixes;
  reply.body += "</ListBucketResult>";
  return reply;
}

}  // namespace scripted

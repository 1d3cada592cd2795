#include "adapter/s3_listing.h"

#include <fmt/format.h>

#include <charconv>

#include "base/xml_reader.h"
#include "sigv4/signature.h"

namespace pawl {
namespace {

// 1,000 keys of 1,024 bytes, each byte escaped, and what stands around them.
constexpr std::size_t kListAnswerMax = std::size_t{8} << 20;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

}  // namespace

Result<S3ListPage> parse_list_answer(std::string_view xml) {
  S3ListPage page;
  S3ListPage::Object object;
  bool has_size = false;
  bool truncated = false;
  bool is_list = false;
  std::string wrong;
  PAWL_TRY(read_xml(xml, [&](std::string_view path, std::string_view text) {
    if (path == "ListBucketResult") {
      is_list = true;
    } else if (path == "ListBucketResult/IsTruncated") {
      truncated = text == "true";
    } else if (path == "ListBucketResult/NextContinuationToken") {
      page.next_token = text;
    } else if (path == "ListBucketResult/CommonPrefixes/Prefix") {
      page.prefixes.emplace_back(text);
    } else if (path == "ListBucketResult/Contents/Key") {
      object.key = text;
    } else if (path == "ListBucketResult/Contents/Size") {
      const auto size = number(text);
      has_size = size.has_value();
      object.size = size.value_or(0);
    } else if (path == "ListBucketResult/Contents") {
      if (object.key.empty() || object.key.size() > kS3KeyMax || !has_size)
        wrong = "an object without key or size";
      page.objects.push_back(std::exchange(object, {}));
      has_size = false;
    }
    if (page.objects.size() + page.prefixes.size() > kS3ListMax)
      wrong = "more objects than a page has";
  }));
  if (!is_list) wrong = "no ListBucketResult";
  if (truncated && page.next_token.empty()) wrong = "it is cut off and has no token to go on";
  if (!wrong.empty()) return Error{ErrorCode::kInvalid, "a bucket's listing: " + wrong, {}};
  if (!truncated) page.next_token.clear();
  return page;
}

Awaitable<Result<S3ListPage>> list_objects(S3Client& client, S3ListRequest request) {
  S3Request call;
  call.method = "GET";
  call.answer_bytes_max = kListAnswerMax;
  const auto add = [&call](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (!call.query.empty()) call.query += '&';
    call.query += fmt::format("{}={}", name, sigv4::percent_encode(value, false));
  };
  add("continuation-token", request.token);
  add("delimiter", request.delimiter);
  add("list-type", "2");
  add("max-keys", std::to_string(request.keys_max));
  add("prefix", request.prefix);
  if (request.token.empty()) add("start-after", request.start_after);
  const S3Answer answer = co_await client.call(std::move(call));
  if (!answer.done()) co_return to_read_error(answer, "listing " + client.location().to_string());
  co_return parse_list_answer(answer.reply.body);
}

}  // namespace pawl

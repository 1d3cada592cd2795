// The canonical form of a request, which both sides of a signature compute.
#include <algorithm>

#include "base/digest.h"
#include "sigv4/signature.h"

namespace pawl::sigv4 {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Without "." and ".." and doubled slashes (RFC 3986, 5.2.4), as every service but S3 wants it.
std::string normalised_path(std::string_view path) {
  std::vector<std::string_view> segments;
  std::size_t at = 0;
  while (at < path.size()) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    at = end + 1;
  }
  std::string result;
  for (const std::string_view segment : segments) result.append("/").append(segment);
  if (result.empty() || path.ends_with('/')) result.push_back('/');
  return result;
}

std::optional<std::string> canonical_query(std::string_view query, std::string_view skip) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decode(pair.substr(0, equals));
    const auto value =
        percent_decode(equals < pair.size() ? pair.substr(equals + 1) : std::string_view());
    if (!name || !value) return std::nullopt;
    if (!skip.empty() && *name == skip) continue;
    pairs.emplace_back(percent_encode(*name, false), percent_encode(*value, false));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string result;
  for (const auto& [name, value] : pairs) {
    if (!result.empty()) result.push_back('&');
    result.append(name).append("=").append(value);
  }
  return result;
}

// Without white space around it, and with one space for several inside.
void append_header_value(std::string& out, std::string_view value) {
  const std::size_t start = out.size();
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (blank && (out.size() == start || out.back() == ' ')) continue;
    out.push_back(blank ? ' ' : c);
  }
  if (out.size() > start && out.back() == ' ') out.pop_back();
}

}  // namespace

std::string percent_encode(std::string_view text, bool keep_slash) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string result;
  result.reserve(text.size() + 8);
  for (const char c : text) {
    if (is_unreserved(c) || (keep_slash && c == '/')) {
      result.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result.push_back('%');
      result.push_back(kDigits[byte >> 4]);
      result.push_back(kDigits[byte & 15]);
    }
  }
  return result;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    result.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return result;
}

std::optional<std::string> canonical_request(std::string_view method, std::string_view target,
                                             const std::vector<HttpHeader>& headers,
                                             const std::vector<std::string_view>& signed_headers,
                                             std::string_view payload_hash, PathRule path_rule,
                                             std::string_view skip_query) {
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, question);
  const auto query = canonical_query(
      question < target.size() ? target.substr(question + 1) : std::string_view(), skip_query);
  if (!query) return std::nullopt;

  std::string result;
  result.reserve(512);
  result.append(method).push_back('\n');
  if (path == "/" || path.empty()) {
    result.push_back('/');
  } else if (path_rule == PathRule::kNormalised) {
    result.append(percent_encode(normalised_path(path), true));
  } else {
    const auto decoded = percent_decode(path);
    if (!decoded) return std::nullopt;
    result.append(percent_encode(*decoded, true));
  }
  result.push_back('\n');
  result.append(*query).push_back('\n');
  for (const std::string_view name : signed_headers) {
    result.append(name).push_back(':');
    bool first = true;
    for (const HttpHeader& header : headers) {
      if (!equal_ignoring_case(header.name, name)) continue;
      if (!first) result.push_back(',');
      first = false;
      append_header_value(result, header.value);
    }
    result.push_back('\n');
  }
  result.push_back('\n');
  for (std::size_t i = 0; i < signed_headers.size(); ++i) {
    if (i > 0) result.push_back(';');
    result.append(signed_headers[i]);
  }
  result.push_back('\n');
  result.append(payload_hash);
  return result;
}

std::string string_to_sign(std::string_view canonical, std::string_view timestamp,
                           const CredentialScope& scope) {
  std::string text = "AWS4-HMAC-SHA256\n";
  text.append(timestamp).push_back('\n');
  text.append(scope.date).append("/").append(scope.region).append("/").append(scope.service);
  text.append("/aws4_request\n");
  text.append(sha256(canonical).to_hex());
  return text;
}

}  // namespace pawl::sigv4

#include "wire/s3_read.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "wire/s3_xml.h"

namespace pawl::wire {
namespace {

using bucket::ObjectRecord;

std::optional<std::int64_t> seconds_of(const std::string& date) {
  std::tm parts{};
  const char* end = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return ::timegm(&parts);
}

bool any_matches(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view one = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one == "*" || bare_etag(one) == etag) return true;
  }
  return false;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// response-content-type=… and its kin, of a signed request.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOverrides{{
    {"response-cache-control", "cache-control"},
    {"response-content-disposition", "content-disposition"},
    {"response-content-encoding", "content-encoding"},
    {"response-content-language", "content-language"},
    {"response-content-type", "content-type"},
    {"response-expires", "expires"},
}};

S3Result<bucket::StoredHeaders> headers_of(const ObjectRecord& record, const S3Call& call) {
  bucket::StoredHeaders headers = record.headers;
  const bool typed = std::any_of(headers.begin(), headers.end(),
                                 [](const auto& header) { return header.first == "content-type"; });
  if (!typed) headers.emplace_back("content-type", "binary/octet-stream");
  for (const auto& [parameter, name] : kOverrides) {
    if (!call.has(parameter)) continue;
    const std::string value(call.value(parameter));
    if (std::any_of(value.begin(), value.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
      return invalid_argument(std::string(parameter) + " has a control byte.");
    }
    std::erase_if(headers, [n = name](const auto& header) { return header.first == n; });
    headers.emplace_back(name, value);
  }
  return headers;
}

void append_about(HttpResponse& response, const ObjectRecord& record) {
  response.headers.emplace_back("ETag", "\"" + record.etag + "\"");
  response.headers.emplace_back("Last-Modified", http_date(record.modified));
  response.headers.emplace_back("Accept-Ranges", "bytes");
}

void append_checksum(HttpResponse& response, const ObjectRecord& record) {
  if (record.checksum.value.empty()) return;
  response.headers.emplace_back("x-amz-checksum-" + record.checksum.algorithm,
                                record.checksum.value);
  response.headers.emplace_back("x-amz-checksum-type",
                                record.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
}

}  // namespace

ReadConditions read_conditions_of(const HttpRequest& request, std::string_view prefix) {
  const auto header = [&](std::string_view name) {
    return std::string(request.header(std::string(prefix) + std::string(name)));
  };
  return {header("if-match"), header("if-none-match"), header("if-modified-since"),
          header("if-unmodified-since")};
}

ReadVerdict verdict_of(const ReadConditions& conditions, std::string_view etag, Instant modified) {
  const std::int64_t seconds = modified.microseconds / 1'000'000;
  if (!conditions.match.empty()) {
    if (!any_matches(conditions.match, etag)) return ReadVerdict::kFailed;
  } else if (!conditions.unmodified_since.empty()) {
    const auto since = seconds_of(conditions.unmodified_since);
    if (since && seconds > *since) return ReadVerdict::kFailed;
  }
  if (!conditions.none_match.empty()) {
    if (any_matches(conditions.none_match, etag)) return ReadVerdict::kNotModified;
  } else if (!conditions.modified_since.empty()) {
    const auto since = seconds_of(conditions.modified_since);
    if (since && seconds <= *since) return ReadVerdict::kNotModified;
  }
  return ReadVerdict::kRead;
}

S3Result<std::optional<ByteRange>> range_of(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit) || header.find(',') != std::string_view::npos)
    return std::optional<ByteRange>();
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return std::optional<ByteRange>();
  const std::string_view first_text = header.substr(0, dash), last_text = header.substr(dash + 1);
  const auto first = number(first_text), last = number(last_text);
  if ((!first_text.empty() && !first) || (!last_text.empty() && !last) || (!first && !last) ||
      (first && last && *first > *last)) {
    return std::optional<ByteRange>();  // not well-formed: passed over (RFC 9110, section 14.2)
  }
  std::uint64_t begin = 0, end = size;  // [begin, end)
  if (!first) {
    begin = size - std::min(*last, size);
  } else {
    begin = *first;
    if (last) end = std::min(size, *last + 1 == 0 ? size : *last + 1);
  }
  if (begin >= size || (!first && *last == 0)) {
    return S3Error{416, "InvalidRange", "The requested range is not satisfiable",
                   "<ActualObjectSize>" + std::to_string(size) + "</ActualObjectSize>"};
  }
  return std::optional<ByteRange>(ByteRange{begin, end - begin});
}

S3Result<ByteRange> copy_range_of(std::string_view header, std::uint64_t size) {
  if (header.empty()) return ByteRange{0, size};
  constexpr std::string_view kUnit = "bytes=";
  const std::string_view text =
      header.starts_with(kUnit) ? header.substr(kUnit.size()) : std::string_view();
  const std::size_t dash = std::min(text.find('-'), text.size());
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(std::min(dash + 1, text.size())));
  if (!first || !last || *first > *last) {
    return invalid_argument(
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
        "last are the zero-based offsets of the first and last bytes to copy");
  }
  if (*last >= size) {
    return invalid_argument("Range specified is not valid for source object of size: " +
                            std::to_string(size));
  }
  return ByteRange{*first, *last - *first + 1};
}

ReadAsk read_ask_of(const HttpRequest& request) {
  return {read_conditions_of(request, ""), std::string(request.header("range")),
          equal_ignoring_case(request.header("x-amz-checksum-mode"), "enabled")};
}

S3Result<std::optional<ByteRange>> begin_read(const ReadAsk& ask, const S3Call& call,
                                              const ObjectRecord& record, HttpResponse& response) {
  append_about(response, record);
  switch (verdict_of(ask.conditions, record.etag, record.modified)) {
    case ReadVerdict::kFailed:
      return condition_failed();
    case ReadVerdict::kNotModified:
      response.status = 304;
      return std::optional<ByteRange>();
    case ReadVerdict::kRead:
      break;
  }
  WIRE_ASSIGN(auto headers, headers_of(record, call));
  for (auto& header : headers) response.headers.push_back(std::move(header));
  // An object is somebody's bytes, not a page of this server: its scripts may not ask in the server's name.
  response.headers.emplace_back("Content-Security-Policy", "sandbox");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  if (record.parts > 0)
    response.headers.emplace_back("x-amz-mp-parts-count", std::to_string(record.parts));
  WIRE_ASSIGN(const auto ranged, range_of(ask.range, record.bytes));
  const ByteRange range = ranged.value_or(ByteRange{0, record.bytes});
  if (ranged) {
    response.status = 206;
    response.headers.emplace_back("Content-Range",
                                  "bytes " + std::to_string(range.first) + "-" +
                                      std::to_string(range.first + range.bytes - 1) + "/" +
                                      std::to_string(record.bytes));
  } else if (ask.checksum) {
    append_checksum(response, record);
  }
  response.length = range.bytes;
  if (call.is_head() || range.bytes == 0) return std::optional<ByteRange>();
  return std::optional<ByteRange>(range);
}

void S3BodySource::read(std::function<void(std::optional<std::string>)> done) {
  run_elsewhere_([self = shared_from_this(), done = std::move(done)] {
    auto piece = self->next();
    // The length is promised already: the connection ends, and what came is not whole.
    done(piece.ok() ? std::optional<std::string>(std::move(piece).value()) : std::nullopt);
  });
}

BucketBodySource::BucketBodySource(bucket::BucketStore& store,
                                   std::shared_ptr<bucket::ReadWatch::Guard> guard,
                                   std::vector<bucket::BodyPiece> pieces, ByteRange range,
                                   RunElsewhere run_elsewhere)
    : S3BodySource(std::move(run_elsewhere)),
      store_(store),
      guard_(std::move(guard)),
      pieces_(std::move(pieces)),
      offset_(range.first),
      left_(range.bytes) {
  guard_->narrow(bucket::files_of(pieces_));
}

Result<std::string> BucketBodySource::next() {
  while (piece_ < pieces_.size() && offset_ >= pieces_[piece_].segment.bytes) {
    offset_ -= pieces_[piece_].segment.bytes;
    ++piece_;
    reader_.reset();
  }
  if (left_ == 0 || piece_ == pieces_.size()) return std::string();
  const bucket::BodyPiece& piece = pieces_[piece_];
  const auto size = static_cast<std::size_t>(
      std::min<std::uint64_t>({left_, piece.segment.bytes - offset_, kBodyPieceBytesMax}));
  std::string bytes;
  if (piece.segment.kind == bucket::BodyKind::kFile) {
    if (!reader_) {
      PAWL_ASSIGN_OR_RETURN(reader_, store_.files().open(piece.segment.number));
    }
    PAWL_ASSIGN_OR_RETURN(bytes, reader_->read(offset_, size));
  } else {
    bytes = piece.bytes.substr(std::min<std::size_t>(offset_, piece.bytes.size()), size);
    if (bytes.size() != size) {
      return Error{ErrorCode::kCorrupt, "reading a stored body: it ends before its record says",
                   "restore the data directory from a copy"};
    }
  }
  offset_ += size;
  left_ -= size;
  return bytes;
}

OpenBodySource::OpenBodySource(std::unique_ptr<BodyReader> body, ByteRange range,
                               RunElsewhere run_elsewhere)
    : S3BodySource(std::move(run_elsewhere)), body_(std::move(body)), left_(range) {}

Result<std::string> OpenBodySource::next() {
  if (left_.bytes == 0) return std::string();
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(left_.bytes, kBodyPieceBytesMax));
  PAWL_ASSIGN_OR_RETURN(std::string bytes, body_->read(left_.first, size));
  left_.first += size;
  left_.bytes -= size;
  return bytes;
}

}  // namespace pawl::wire

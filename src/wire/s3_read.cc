#include "wire/s3_read.h"

#include <time.h>

#include <algorithm>
#include <charconv>

namespace pawl::wire {
namespace {

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

S3BodySource::S3BodySource(bucket::BucketStore& store,
                           std::shared_ptr<bucket::ReadWatch::Guard> guard,
                           std::vector<bucket::Segment> segments, ByteRange range,
                           RunElsewhere run_elsewhere)
    : store_(store),
      guard_(std::move(guard)),
      segments_(std::move(segments)),
      offset_(range.first),
      left_(range.bytes),
      run_elsewhere_(std::move(run_elsewhere)) {}

void S3BodySource::read(std::function<void(std::optional<std::string>)> done) {
  run_elsewhere_([self = shared_from_this(), done = std::move(done)] {
    auto piece = self->next();
    // The length is promised already: the connection ends, and what came is not whole.
    done(piece.ok() ? std::optional<std::string>(std::move(piece).value()) : std::nullopt);
  });
}

Result<std::string> S3BodySource::next() {
  while (segment_ < segments_.size() && offset_ >= segments_[segment_].bytes) {
    offset_ -= segments_[segment_].bytes;
    ++segment_;
    reader_.reset();
  }
  if (left_ == 0 || segment_ == segments_.size()) return std::string();
  const bucket::Segment& segment = segments_[segment_];
  const auto size = static_cast<std::size_t>(
      std::min<std::uint64_t>({left_, segment.bytes - offset_, kBodyPieceBytesMax}));
  std::string piece;
  if (segment.kind == bucket::BodyKind::kFile) {
    if (!reader_) {
      PAWL_ASSIGN_OR_RETURN(reader_, store_.files().open(segment.number));
    }
    PAWL_ASSIGN_OR_RETURN(piece, reader_->read(offset_, size));
  } else {
    PAWL_ASSIGN_OR_RETURN(const std::string all, store_.stored(segment.number));
    piece = all.substr(std::min<std::size_t>(offset_, all.size()), size);
  }
  offset_ += size;
  left_ -= size;
  return piece;
}

}  // namespace pawl::wire

#include "wire/request_json.h"

namespace pawl::wire {
namespace {

// Parsers keep their memory for the next request, which is what makes them fast; but not that of a giant.
constexpr std::size_t kParserKeptBytes = 1024 * 1024;
constexpr std::size_t kParserFirstBytes = 64 * 1024;

}  // namespace

ServiceResult<simdjson::dom::element> RequestJson::parse(std::string_view body) {
  static_assert(kBodyPadding >= simdjson::SIMDJSON_PADDING);
  simdjson::dom::element root;
  if (!parser_) {
    parser_.emplace();
    if (parser_->allocate(kParserFirstBytes, depth_max_) != simdjson::SUCCESS) parser_.reset();
  }
  if (!parser_) return ServiceError{kServiceUnavailable, "Out of memory; try again", 503, {}};
  const auto error = parser_->parse(body.data(), body.size(), false).get(root);
  if (error == simdjson::SUCCESS) return root;
  if (error == simdjson::MEMALLOC) {
    return ServiceError{kServiceUnavailable, "Out of memory; try again", 503, {}};
  }
  return serialization("The request's body is not valid JSON: " +
                       std::string(simdjson::error_message(error)));
}

void RequestJson::give_back(std::size_t body_bytes) {
  if (body_bytes > kParserKeptBytes) parser_.reset();
}

}  // namespace pawl::wire

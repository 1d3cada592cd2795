// Any bytes as a request to S3: method, target with its query, a few headers, a document. One answer each time.
//   first byte: the method; then the target, a line feed, header values, a line feed each, an empty line, the body
#include <array>
#include <cstdlib>

#include "fault/memory_object_shelf.h"
#include "wire/s3_fixture_test.h"

namespace {

constexpr std::array<std::string_view, 5> kMethods{"GET", "PUT", "POST", "DELETE", "HEAD"};
constexpr std::array<std::string_view, 8> kHeaders{
    "range",          "if-match",      "x-amz-copy-source", "x-amz-content-sha256",
    "content-length", "x-amz-trailer", "if-none-match",     "x-amz-checksum-crc32"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pawl::wire;
  if (size < 2) return 0;
  static pawl::MemoryObjectShelf shelf;
  static S3InMemory s3({}, {"archive", &shelf, {}, {}});
  static const bool made = [] {
    shelf.put("users/A-0.json", "{}");
    s3.ask("PUT", "/bucket");
    return s3.ask("PUT", "/bucket/key", "body").status == 200;
  }();
  if (!made) std::abort();
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto line = [&rest] {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view taken = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return taken;
  };
  const std::string target = "/" + std::string(line());
  S3InMemory::Headers headers{{"content-type", "application/xml"}};
  for (const std::string_view name : kHeaders) {
    const std::string_view value = line();
    if (value.empty()) break;
    headers.emplace_back(name, value);
  }
  const HttpResponse response =
      s3.ask(kMethods[data[0] % kMethods.size()], target, std::string(rest), headers);
  if (s3.calls != 1 || response.status < 200 || response.status > 599) std::abort();
  if (shelf.size() != 1) std::abort();
  for (const auto& [name, value] : response.headers) {
    if (value.find('\r') != std::string::npos || value.find('\n') != std::string::npos ||
        value.find('\0') != std::string::npos)
      std::abort();
  }
  return 0;
}

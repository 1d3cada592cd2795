// Any bytes as an aws-chunked body, in pieces of any size: the same answer however it is cut, within the length announced.
#include <cstdlib>
#include <string>

#include "wire/aws_chunked.h"

namespace {

struct Came {
  bool ok = true;
  bool done = false;
  std::string bytes;
};

Came decode(std::string_view body, const pawl::wire::AwsChunkedForm& form, std::size_t piece) {
  pawl::wire::AwsChunkedDecoder decoder(form);
  Came came;
  while (came.ok && !body.empty()) {
    const auto size = std::min(piece, body.size());
    came.ok = decoder.feed(body.substr(0, size), came.bytes).ok();
    body.remove_prefix(size);
  }
  came.done = decoder.done();
  return came;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 3) return 0;
  pawl::wire::AwsChunkedForm form;
  form.signed_chunks = (data[0] & 1) != 0;
  form.trailer = (data[0] & 2) != 0;
  if ((data[0] & 4) != 0) form.signature.emplace();
  form.decoded_bytes = data[1];
  const std::string_view body(reinterpret_cast<const char*>(data) + 3, size - 3);
  const Came whole = decode(body, form, body.size() + 1);
  const Came cut = decode(body, form, 1 + data[2]);
  if (whole.ok != cut.ok) std::abort();
  if (whole.ok && (whole.bytes != cut.bytes || whole.done != cut.done)) std::abort();
  if (whole.bytes.size() > form.decoded_bytes) std::abort();
  if (whole.ok && whole.done && whole.bytes.size() != form.decoded_bytes) std::abort();
  return 0;
}

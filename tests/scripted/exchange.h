// One request and its answer, as the HTTP front hands them on: no service's words in here yet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace scripted {

// Views into the front's own buffers: valid until the answer has been sent.
struct Request {
  std::string_view method;
  std::string_view path;   // as it was sent, still percent-encoded, from "/" on
  std::string_view query;  // without "?"
  std::string_view body;
  // Headers; "" = not there.
  std::string_view authorization;
  std::string_view target;  // X-Amz-Target
  std::string_view amz_date;
  std::string_view content_sha256;
  std::string_view checksum_sha256;
  std::string_view content_md5;
  std::string_view if_match;
  std::string_view if_none_match;
  std::string_view range;
  std::string_view copy_source;
};

struct Reply {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string headers;  // whole lines, each with its CRLF
  std::string body;
  std::uint64_t length = 0;  // for `head` only: the Content-Length of a body that isn't sent
  bool head = false;         // the answer to HEAD
  bool drop = false;         // send nothing and close the connection
};

// Why a request isn't done, in the service's own words. The one exception of this program: thrown by whoever finds it, caught
// by the dispatcher alone, which renders it as the service would.
struct Refusal {
  int status = 400;
  std::string code;
  std::string message;
  std::string more_json;  // further members of a DynamoDB error (",\"Item\":{...}"); may be empty
};

// A mistake of the test, not of the client under test.
inline Refusal bad_control(std::string message) { return {400, "Control", std::move(message), {}}; }

}  // namespace scripted

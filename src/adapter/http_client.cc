#include "adapter/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include "adapter/curl_global.h"

namespace pawl {
namespace {

std::size_t append_answer(char* bytes, std::size_t size, std::size_t count, void* out) {
  auto& body = *static_cast<std::string*>(out);
  if (body.size() + size * count > HttpClient::kAnswerBytesMax) return 0;  // curl gives up
  body.append(bytes, size * count);
  return size * count;
}

}  // namespace

struct HttpClient::Handle {
  CURL* curl = nullptr;
  ~Handle() { curl_easy_cleanup(curl); }
};

HttpClient::HttpClient() : handle_(std::make_unique<Handle>()) {
  initialise_curl();
  handle_->curl = curl_easy_init();
  PAWL_ASSERT(handle_->curl != nullptr);
}
HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::request(
    const std::string& method, const std::string& url,
    const std::vector<std::pair<std::string, std::string>>& headers, const std::string& body,
    std::chrono::milliseconds timeout) {
  CURL* const curl = handle_->curl;
  curl_easy_reset(curl);  // options only: the connection stays
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> list(nullptr, curl_slist_free_all);
  for (const auto& [name, value] : headers) {
    list.reset(curl_slist_append(list.release(), fmt::format("{}: {}", name, value).c_str()));
  }
  HttpAnswer answer;
  char why[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append_answer);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  if (!body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  }
  if (!method.empty()) curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  const CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return Error{ErrorCode::kInvalid, fmt::format("\"{}\" is no URL that pawl can ask", url),
                 "write it as http://127.0.0.1:8000"};
  }
  if (code != CURLE_OK) {
    return Error{
        ErrorCode::kUnavailable,
        fmt::format("no answer from {}: {}", url, *why != '\0' ? why : curl_easy_strerror(code)),
        "is the server running there? `pawl serve` prints its endpoint"};
  }
  long status = 0;  // NOLINT(google-runtime-int): what libcurl writes
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<unsigned>(status);
  return answer;
}

}  // namespace pawl

// A function as an executable: what a C++ program needs to speak Lambda's runtime API, and no more. It answers {"got": EVENT}.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

const std::string api = std::getenv("AWS_LAMBDA_RUNTIME_API");

std::string ask(const std::string& method, const std::string& path, const std::string& body) {
  const auto colon = api.find(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<unsigned short>(std::stoi(api.substr(colon + 1))));
  inet_pton(AF_INET, api.substr(0, colon).c_str(), &to.sin_addr);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) std::exit(1);
  const std::string request = method + " /2018-06-01/runtime" + path + " HTTP/1.1\r\nHost: " + api +
                              "\r\nContent-Length: " + std::to_string(body.size()) +
                              "\r\nConnection: close\r\n\r\n" + body;
  if (write(fd, request.data(), request.size()) < 0) std::exit(1);
  std::string answer;
  char piece[4096];
  for (ssize_t size = 0; (size = read(fd, piece, sizeof piece)) > 0;) {
    answer.append(piece, static_cast<std::size_t>(size));
  }
  close(fd);
  return answer;
}

std::string header(const std::string& answer, const std::string& name) {
  const auto at = answer.find(name + ": ");
  if (at == std::string::npos) std::exit(1);
  const auto begin = at + name.size() + 2;
  return answer.substr(begin, answer.find("\r\n", begin) - begin);
}

}  // namespace

int main() {
  for (;;) {
    const std::string next = ask("GET", "/invocation/next", "");
    const std::string id = header(next, "Lambda-Runtime-Aws-Request-Id");
    header(next, "Lambda-Runtime-Deadline-Ms");
    header(next, "Lambda-Runtime-Invoked-Function-Arn");
    header(next, "Lambda-Runtime-Trace-Id");
    const std::string event = next.substr(next.find("\r\n\r\n") + 4);
    std::printf("handling %s\n", event.c_str());
    std::fflush(stdout);
    const bool bad = event == "\"fail\"";
    ask("POST", "/invocation/" + id + (bad ? "/error" : "/response"),
        bad ? R"({"errorType":"Bad","errorMessage":"as asked"})" : "{\"got\":" + event + "}");
  }
}

#include "wire/s3_xml.h"

#include <ctime>

#include "wire/xml_text.h"

namespace pawl::wire {

void append_xml(std::string& out, std::string_view name, std::string_view text) {
  out.append("<").append(name).append(">");
  append_xml_text(out, text);
  out.append("</").append(name).append(">");
}

void append_xml(std::string& out, std::string_view name, std::uint64_t number) {
  append_xml(out, name, std::to_string(number));
}

std::string begin_xml(std::string_view root) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<";
  out.append(root).append(" xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
  return out;
}

std::string s3_timestamp(Instant instant) { return instant.to_string().substr(0, 19) + ".000Z"; }

std::string http_date(Instant instant) {
  const auto seconds = static_cast<std::time_t>(instant.microseconds / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

}  // namespace pawl::wire

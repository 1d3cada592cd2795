#include "adapter/service_words.h"

namespace pawl {
namespace {

std::string printable(std::string_view text, std::size_t size_max) {
  std::string result(text.substr(0, size_max));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return result;
}

}  // namespace

ServiceWords ServiceWords::of(std::string_view code, std::string_view message) {
  return {printable(code, kCodeMax), printable(message, kMessageMax)};
}

}  // namespace pawl

// SHA-256 and MD5 of a body.
#pragma once

#include <string>
#include <string_view>

namespace scripted {

std::string sha256(std::string_view bytes);  // 32 bytes
std::string md5(std::string_view bytes);     // 16 bytes

}  // namespace scripted

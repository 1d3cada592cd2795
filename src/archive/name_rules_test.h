// The rules of object names (port/object_store.h), written down a second time for tests and fuzzing.
#pragma once

#include <string>
#include <string_view>

namespace pawl::archive {

// Why `name` is no legal object name; empty if it is one.
inline std::string illegal_name(std::string_view name) {
  if (name.empty() || name.size() > 1024) return "length";
  if (name.starts_with(".pawl") || name.starts_with(".suspect")) return "reserved";
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "control byte";
  }
  std::string_view rest = name;
  while (true) {
    const auto slash = rest.find('/');
    const auto component = rest.substr(0, slash);
    if (component.empty() || component == "." || component == "..") return "component";
    if (component.size() > 255) return "component too long for a file";
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace pawl::archive

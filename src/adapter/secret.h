// A text that must not reach a log, a message or a crash report: it has no way to be printed but by asking for it.
#pragma once

#include <openssl/crypto.h>

#include <ostream>
#include <string>
#include <utility>

namespace pawl {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) = default;
  ~Secret() { OPENSSL_cleanse(text_.data(), text_.size()); }

  // To sign with, never to show.
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "(secret)"; }

 private:
  std::string text_;
};

}  // namespace pawl

// Result<T>: what every fallible function of Pawl returns. No exception crosses a folder boundary:
// it stops at the adapter that meets it and becomes an Error here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace pawl {

// What kind of failure it is, for code that has to decide; the message is for people.
enum class ErrorCode {
  kInvalid,  // the input is wrong; the same call will fail again
  kMalformed,  // the input is not even of the shape that it has to have (the service's SerializationException)
  kNotFound,     // what was named does not exist
  kExists,       // what was to be created exists already
  kConflict,     // somebody else changed it meanwhile (a fenced writer, a lost condition)
  kCorrupt,      // stored bytes are not what was written
  kUnavailable,  // not done, definitely; trying again later may succeed
  kExhausted,    // not done: no room (bytes, inodes, a bounded queue)
  kUnknown,      // a write that may or may not have been done: never treat it as either
  kInternal,     // a defect of Pawl
};

std::string_view name_of(ErrorCode code);

// An error says what was attempted, on what, and what to do about it.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // what was attempted, on what, and why it failed: one sentence
  std::string hint;     // what to do; may be empty

  // "message (hint)": one line for a log or a terminal.
  std::string to_string() const;
};

struct Unit {};

// Either a T or an E, which is Error except where a protocol has errors of its own (wire/service_error.h).
// Copyable and movable as T is. Not thread-safe by itself.
template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // value() of a failed result, or error() of a good one, is a programmer's error and aborts.
  T& value() & {
    PAWL_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    PAWL_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    PAWL_ASSERT(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const E& error() const& {
    PAWL_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }
  E&& error() && {
    PAWL_ASSERT(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, E> state_;
};

// The result of something that has no value: success or an Error.
using Status = Result<Unit>;
inline Status ok() { return Unit{}; }

}  // namespace pawl

// Returns the error of `expression` from the enclosing function, if it failed.
#define PAWL_TRY(expression)                                                \
  do {                                                                      \
    auto pawl_try_result_ = (expression);                                   \
    if (!pawl_try_result_.ok()) return std::move(pawl_try_result_).error(); \
  } while (false)

// Declares `declaration` from the value of `expression`, or returns its error.
#define PAWL_ASSIGN_OR_RETURN(declaration, expression) \
  PAWL_ASSIGN_OR_RETURN_(declaration, expression, PAWL_CONCAT_(pawl_result_, __LINE__))
#define PAWL_CONCAT_INNER_(a, b) a##b
#define PAWL_CONCAT_(a, b) PAWL_CONCAT_INNER_(a, b)
#define PAWL_ASSIGN_OR_RETURN_(declaration, expression, result) \
  auto result = (expression);                                   \
  if (!result.ok()) return std::move(result).error();           \
  declaration = std::move(result).value()

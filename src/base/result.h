// Result<T>: a value, or the reason why there is none. Spelled like std::expected, so that a later switch is a `using`.
//
//   Result<Suite> suite = load(path);
//   if (!suite) return suite.error();
//   use(*suite);
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace assay {

// What a caller must handle. Each kind has an exit code of its own; only cli/ turns one into the other.
enum class ErrorKind {
  bad_input,   // the user's file, option or model is not what it must be; nothing was changed (exit code 2)
  unfinished,  // the work could not be completed; what was done is kept and the same command goes on (exit code 3)
};

struct Error {
  std::string text;  // one or more whole sentences for the user, without a final newline
  ErrorKind kind = ErrorKind::bad_input;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  bool has_value() const { return state_.index() == 0; }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  T& value() {
    assert(has_value());
    return std::get<0>(state_);
  }
  const T& value() const {
    assert(has_value());
    return std::get<0>(state_);
  }
  Error& error() {
    assert(!has_value());
    return std::get<1>(state_);
  }
  const Error& error() const {
    assert(!has_value());
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

// Success without a value.
struct Done {};
using Status = Result<Done>;

}  // namespace assay

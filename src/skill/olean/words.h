// Sentences without a formatting library: this folder stands on the C++ standard library alone.
//
//   Error{words("offset ", hex(at), ": expected a string, found ", kind)}
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace assay::olean {

inline void append(std::string& out, std::string_view text) { out += text; }

template <std::integral Number>
  requires(!std::same_as<Number, char> && !std::same_as<Number, bool>)
void append(std::string& out, Number number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// Texts as they are, numbers in decimal.
template <class... Parts>
std::string words(const Parts&... parts) {
  std::string out;
  (append(out, parts), ...);
  return out;
}

// "0x2a020"; how offsets and addresses are written everywhere.
inline std::string hex(uint64_t number) {
  char digits[24];
  return words("0x", std::string_view(digits, std::to_chars(digits, digits + sizeof digits, number, 16).ptr));
}

// "1 name", "2 names".
inline std::string count(uint64_t n, std::string_view one, std::string_view many = "") {
  return n == 1 ? words("1 ", one) : many.empty() ? words(n, " ", one, "s") : words(n, " ", many);
}

}  // namespace assay::olean

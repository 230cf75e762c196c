#include "skill/olean/header.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "skill/olean/words.h"

static_assert(std::endian::native == std::endian::little,
              "an .olean is read where numbers are stored as it stores them");

namespace assay::olean {
namespace {

constexpr std::string_view v0_marker = "oleanfile!!!!!!!";
constexpr uint64_t page = 64 << 10;

template <class Number>
Number number_at(std::string_view bytes, uint64_t offset) {
  Number number;
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

// A text of at most `size` bytes that ends at its first NUL.
std::string text_at(std::string_view bytes, uint64_t offset, uint64_t size) {
  const std::string_view field = bytes.substr(offset, size);
  return std::string(field.substr(0, field.find('\0')));
}

// A 32-bit build's header has a base and a root of four bytes each where ours has a base of eight.
bool looks_32_bit(std::string_view bytes, const HeaderLayout& at) {
  const auto base = number_at<uint32_t>(bytes, at.base), root = number_at<uint32_t>(bytes, at.base + 4);
  return base % page == 0 && root % 4 == 0 && root > base && root - base >= at.base + 8 && root - base < bytes.size();
}

// v3: closures and libraries behind the data. Their contents mean nothing to us; that they end with the file does.
Status read_trailer(std::string_view bytes, Header& header) {
  std::string_view rest = bytes.substr(header.end);
  auto cut_off = [&] { return Error{words("was cut off in its trailer, which begins at offset ", hex(header.end))}; };
  auto take = [&](uint64_t size) {
    if (size > rest.size()) return false;
    rest.remove_prefix(size);
    return true;
  };
  if (rest.size() < 4) return cut_off();
  header.closures = number_at<uint32_t>(rest, 0);
  if (!take(4) || !take(header.closures * 8) || rest.size() < 4) return cut_off();
  header.libraries = number_at<uint32_t>(rest, 0);
  rest.remove_prefix(4);
  for (uint64_t i = 0; i < header.libraries; ++i) {
    if (rest.size() < 12) return cut_off();
    const uint64_t name = number_at<uint32_t>(rest, 8);
    if (!take(12) || !take(name)) return cut_off();
  }
  if (!rest.empty()) return Error{words("has ", count(rest.size(), "byte"), " more than its trailer tells of")};
  return Done{};
}

Status check_addresses(std::string_view bytes, const Header& header, const HeaderLayout& at) {
  const bool wraps = header.base + bytes.size() < header.base;
  const uint64_t root = header.root - header.base;  // wraps around where the root lies below: an earlier part's
  const bool below = header.root != 0 && header.root < header.base;
  const bool sound = header.base % page == 0 && !wraps && header.root % 8 == 0;
  if (sound && root >= header.first && root < header.end && header.end - root >= 8) return Done{};
  if (looks_32_bit(bytes, at)) return Error{"is a 32-bit .olean (a wasm32 build's), which is not supported"};
  if (sound && below) return Done{};
  if (header.base % page != 0)
    return Error{words("has the base address ", hex(header.base), " at offset ", hex(at.base),
                       "; expected a multiple of 64 KiB")};
  if (wraps) return Error{words("has the base address ", hex(header.base), ", from which it would wrap around")};
  if (header.root % 8 == 0 && root >= header.first && root < uint64_t{1} << 48)
    return Error{words("is truncated at ", bytes.size(), " bytes: its root object is at offset ", hex(root))};
  return Error{words("has the root address ", hex(header.root), " at offset ", hex(at.root),
                     "; expected the address of an object, at ", hex(header.base + header.first), " or above")};
}

bool all_of(std::string_view text, bool (*is)(unsigned char)) { return std::all_of(text.begin(), text.end(), is); }

bool is_text(unsigned char c) { return c >= 0x20 ? c != 0x7f : c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '\n'; }

}  // namespace

HeaderLayout header_layout(int version) {
  switch (version) {
    case 0: return {16, 24, 32};
    case 1: return {48, 56, 64};
    case 2: return {80, 88, 96};
    default: return {80, 96, 104};
  }
}

Result<Header> read_header(std::string_view bytes) {
  Header header;
  if (bytes.starts_with(v0_marker)) {
    header.version = 0;
  } else if (bytes.starts_with("oleanfile")) {
    return Error{"is an .olean of Lean 3 or of an unreleased Lean 4, which is not supported"};
  } else if (bytes.starts_with(every_header_begins) && bytes.size() > 5 && bytes[5] >= 1 && bytes[5] <= 3) {
    header.version = bytes[5];
  } else if (bytes.starts_with(every_header_begins) && bytes.size() > 5 &&
             !is_text(static_cast<unsigned char>(bytes[5]))) {
    return Error{words("is an .olean with a header of version ", static_cast<unsigned char>(bytes[5]),
                       "; versions 0 to 3 are known")};
  } else if (!bytes.empty() && v0_marker.starts_with(bytes)) {
    return Error{words("is truncated at ", count(bytes.size(), "byte"), ", in its header")};
  } else {
    return Error{words(what_it_seems(bytes), ", not an .olean")};
  }

  const HeaderLayout at = header_layout(header.version);
  header.first = at.first;
  header.end = bytes.size();
  if (bytes.size() < at.first + 8)
    return Error{words("is truncated at ", count(bytes.size(), "byte"), "; a header of version ", header.version,
                       " and one object have ", at.first + 8)};
  if (header.version == 1) header.git_hash = text_at(bytes, 6, 42);
  if (header.version >= 2) {
    header.flags = static_cast<uint8_t>(bytes[6]);
    header.lean_version = text_at(bytes, 7, 33);
    header.git_hash = text_at(bytes, 40, 40);
  }
  header.base = number_at<uint64_t>(bytes, at.base);
  header.root = number_at<uint64_t>(bytes, at.root);
  if (header.version == 3) {
    const auto data = number_at<uint64_t>(bytes, 88);
    if (data > bytes.size() - 96)
      return Error{words("is truncated at ", bytes.size(), " bytes: its header tells of ", data,
                         " bytes of data from offset 0x60 on")};
    if (data < 16 || data % 8 != 0)
      return Error{words("has the data size ", data, " at offset 0x58; expected a multiple of 8, at least 16")};
    header.end = 96 + data;
    if (Status trailer = read_trailer(bytes, header); !trailer) return trailer.error();
  }
  if (Status fine = check_addresses(bytes, header, at); !fine) return fine.error();
  if (header.end % 8 != 0)
    return Error{words("is truncated at ", bytes.size(), " bytes, which is no multiple of 8 as objects are")};
  return header;
}

std::string what_it_seems(std::string_view bytes) {
  using namespace std::string_view_literals;
  struct Known {
    std::string_view begins;
    const char* is;
  };
  static constexpr Known known[] = {
      {"version https://git-lfs", "is a Git LFS pointer, in place of a file that 'git lfs pull' fetches"},
      {"\x7f"
       "ELF",
       "is an ELF program or library"},
      {"\xcf\xfa\xed\xfe", "is a Mach-O program or library"},
      {"\xca\xfe\xba\xbe", "is a Mach-O program or library"},
      {"MZ", "is a Windows program or library"},
      {"LGZ", "is an .ltar archive of leantar"},
      {"(\xb5/\xfd", "is compressed by zstd, perhaps an .ltar archive of leantar"},
      {"\x1f\x8b", "is compressed by gzip"},
      {"PK\x03\x04", "is a zip archive"},
      {"\xfd"
       "7zXZ",
       "is compressed by xz"},
      {"BC\xc0\xde", "is LLVM bitcode"},
      {"!<arch>", "is a library of object files"},
      {"\0asm"sv, "is WebAssembly"},
  };
  if (bytes.empty()) return "is empty";
  for (const Known& one : known)
    if (bytes.starts_with(one.begins)) return one.is;
  const std::string_view head = bytes.substr(0, 512);
  if (bytes.front() == '{' && head.find("\"decls\"") != head.npos) return "is an .ilean (JSON)";
  if (bytes.front() == '{' && head.find("\"version\"") != head.npos && head.find("\"module\"") != head.npos)
    return "is an .ilean (JSON)";
  if (bytes.front() == '{' && all_of(head, is_text)) return "is JSON, perhaps an .ilean or a .trace";
  if (bytes.size() <= 66 && all_of(bytes, is_digit)) return "is a short number in text, perhaps an .olean.hash";
  if (all_of(head, is_text)) return "is a text";
  std::string first;
  for (const unsigned char c : bytes.substr(0, 8))
    first += words(first.empty() ? "" : " ", c < 16 ? "0" : "", hex(c).substr(2));
  return words("begins with the bytes ", first);
}

uint64_t base_of_module(uint64_t name_hash) { return name_hash % 0x7f0000000000 & ~(page - 1); }

uint64_t base_after(uint64_t base, uint64_t size) { return (base + size + page - 1) & ~(page - 1); }

}  // namespace assay::olean

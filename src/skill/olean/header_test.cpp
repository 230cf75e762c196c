#include "skill/olean/header.h"

#include <gmock/gmock.h>

#include "skill/olean/fixture_test.h"

namespace assay::olean {
namespace {

using testing::HasSubstr;

File small(int version, bool gmp = true) {
  return module_file([](Writer& file) { return std::vector{file.name(Writer::anonymous, "main")}; },
                     {.version = version, .lean_version = "4.16.0-rc2", .gmp = gmp});
}

std::string refused(std::string_view bytes) {
  const Result<Header> header = read_header(bytes);
  return header ? "" : header.error().text;
}

template <class Number>
std::string with(std::string bytes, size_t offset, Number value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

TEST(Header, OfEveryVersionIsRead) {
  for (int version = 0; version <= 3; ++version) {
    const File file = small(version, version == 2);
    const Result<Header> header = read_header(file.bytes);
    ASSERT_TRUE(header) << header.error().text;
    EXPECT_EQ(header->version, version);
    EXPECT_EQ(header->base, kBase);
    EXPECT_EQ(header->lean_version, version >= 2 ? "4.16.0-rc2" : "");
    EXPECT_EQ(header->git_hash.size(), version >= 1 ? 40u : 0u);
    EXPECT_EQ(header->flags, version == 2 ? 1 : 0);
    EXPECT_EQ(header->end, file.bytes.size() - (version == 3 ? 8 : 0));
    EXPECT_EQ(listed(file).text, "main\n");
    EXPECT_EQ(first_failure(file), "");
  }
}

TEST(Header, OfRealFilesGivesTheBaseOfTheirModule) {
  const Result<Header> header = read_header(read_text(kReal + "v1-4.13.0-rc3__Stlc.call_by_value.olean"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->git_hash, "01d414ac36dc28f3e424dabd36d818873fea655c");
  EXPECT_EQ(header->base, base_of_module(module_name_hash("Stlc.call_by_value")));
  EXPECT_EQ(read_header(read_text(kReal + "v2-4.25.0-rc2__Plausible.Attr.olean"))->lean_version, "4.25.0-rc2");
}

TEST(Header, EveryWayToCutItOffIsTold) {
  for (int version = 0; version <= 3; ++version) {
    const std::string bytes = small(version).bytes;
    for (size_t size = 1; size < bytes.size(); ++size) {
      const std::string why = listed(bytes.substr(0, size)).error;
      EXPECT_FALSE(why.empty()) << version << " " << size;
      if (size >= 5 && (version > 0 || size >= 16)) {
        EXPECT_THAT(why, testing::AnyOf(HasSubstr("truncated"), HasSubstr("cut off"))) << version << " " << size;
      }
    }
  }
}

TEST(Header, ALengthThatIsNoMultipleOf8IsACutFile) {
  std::string bytes = small(2).bytes + "abc";
  EXPECT_THAT(refused(bytes), HasSubstr("no multiple of 8"));
}

TEST(Header, TheAddressesAreChecked) {
  const std::string bytes = small(2).bytes;
  EXPECT_THAT(refused(with(bytes, 80, uint64_t{0x12345})), HasSubstr("expected a multiple of 64 KiB"));
  EXPECT_THAT(refused(with(bytes + std::string(1 << 16, '\0'), 80, ~uint64_t{0xffff})), HasSubstr("wrap around"));
  EXPECT_THAT(refused(with(bytes, 88, kBase + 97)), HasSubstr("root address"));
  EXPECT_THAT(refused(with(bytes, 88, kBase + 88)), HasSubstr("root address"));
  EXPECT_THAT(refused(with(bytes, 88, kBase + bytes.size() + 800)), HasSubstr("truncated at"));
  EXPECT_THAT(refused(with(bytes, 88, uint64_t{0})), HasSubstr("root address 0x0"));
}

TEST(Header, TheSizesOfV3AreChecked) {
  const std::string bytes = small(3).bytes;
  EXPECT_THAT(refused(with(bytes, 88, uint64_t{1} << 60)), HasSubstr("truncated"));
  EXPECT_THAT(refused(with(bytes, 88, ~uint64_t{0})), HasSubstr("truncated"));
  EXPECT_THAT(refused(with(bytes, 88, uint64_t{8})), HasSubstr("data size"));
  EXPECT_THAT(refused(with(bytes, bytes.size() - 8, uint32_t{0xffffffff})), HasSubstr("trailer"));
  EXPECT_THAT(refused(with(bytes, bytes.size() - 4, uint32_t{0xffffffff})), HasSubstr("trailer"));
  EXPECT_THAT(refused(bytes + "12345678"), HasSubstr("8 bytes more than its trailer"));
}

TEST(Header, TheTrailerOfV3IsReadToItsEnd) {
  std::string bytes = small(3).bytes;
  bytes.resize(bytes.size() - 8);
  auto put = [&](auto number) { bytes.append(reinterpret_cast<const char*>(&number), sizeof number); };
  put(uint32_t{2}), put(uint64_t{16}), put(uint64_t{24});                       // closures
  put(uint32_t{1}), put(uint64_t{0x7f0000}), put(uint32_t{3}), bytes += "lib";  // libraries
  const Result<Header> header = read_header(bytes);
  ASSERT_TRUE(header) << header.error().text;
  EXPECT_EQ(header->closures, 2u);
  EXPECT_EQ(header->libraries, 1u);
  EXPECT_EQ(listed(bytes).text, "main\n");
}

TEST(Header, AV3RegionThatIsNoModuleIsCalledSo) {
  Writer file({.version = 3, .base = kBase});
  const uint64_t closure = file.closure(0x1234, 2, {Writer::scalar(3)});
  const std::string bytes = file.finish(file.array({closure}));
  EXPECT_THAT(listed(bytes).error, HasSubstr("holds a v3 region, not a module"));
  EXPECT_THAT(listed(bytes).error, HasSubstr("an array"));
}

TEST(Header, A32BitFileIsCalledSo) {
  std::string bytes(400, '\0');
  std::memcpy(bytes.data(),
              "olean\2\1"
              "4.20.0",
              13);
  bytes = with(bytes, 80, uint32_t{0x30000});
  bytes = with(bytes, 84, uint32_t{0x30000 + 300});
  bytes = with(bytes, 88, constructor_header(1, 2, 24));
  EXPECT_THAT(refused(bytes), HasSubstr("32-bit"));
}

TEST(Header, WhatIsNoOleanIsNamed) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, const char*> cases[] = {
      {"", "is empty"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:1", "Git LFS pointer"},
      {"\x7f"
       "ELF\2\1\1\0\0\0\0\0\0\0\0\0"sv,
       "ELF"},
      {"oleanfile\0\3\0\0\0\0\0\0\0\0\0"sv, "Lean 3"},
      {"oleanfile!!!!!!?00000000", "Lean 3"},
      {"LGZ2abcdefg", ".ltar"},
      {"(\xb5/\xfd\x04", "zstd"},
      {R"({"version":4,"module":"Main","references":{}})", ".ilean"},
      {R"({"log":[],"depHash":"1"})", ".trace"},
      {"12345678901234567890", ".olean.hash"},
      {"def main : IO Unit := pure ()\n", "is a text"},
      {"olean trees\n", "is a text"},
      {"olean\x07\0\0\0"sv, "header of version 7"},
      {"PK\x03\x04", "zip"},
      {"\1\2\3\4\5\6\7\x08\x09", "begins with the bytes 01 02 03 04 05 06 07 08"},
  };
  for (const auto& [bytes, words] : cases) EXPECT_THAT(refused(bytes), HasSubstr(words)) << bytes;
}

}  // namespace
}  // namespace assay::olean

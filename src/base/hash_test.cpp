// Expected digests: Python's hashlib and the package xxhash.
#include "base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace assay {
namespace {

TEST(Sha256, GivesTheKnownDigests) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, ReadsPastAZeroByte) {
  EXPECT_EQ(sha256(std::string_view("a\0b", 3)), "59b271ae1bbcb1d31d41929817f4b16fb439eb4f31520b5ad1d5ce98920a7138");
}

TEST(Hash128, GivesTheKnownDigests) {
  EXPECT_EQ(hash128(""), (Hash128{0x99aa06d3014798d8, 0x6001c324468d497f}));
  EXPECT_EQ(hash128("abc"), (Hash128{0x06b05ab6733a6185, 0x78af5f94892f3950}));
}

TEST(Hash128, ReadsLongTextsAndZeroBytes) {
  std::string bytes;
  for (int i = 0; i < 1024; ++i) bytes += static_cast<char>(i % 256);
  EXPECT_EQ(hash128(bytes), (Hash128{0x83885e853bb6640c, 0xa870f92984398d22}));
}

}  // namespace
}  // namespace assay

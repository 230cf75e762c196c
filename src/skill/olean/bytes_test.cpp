#include "skill/olean/bytes.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "skill/olean/fixture_test.h"

namespace assay::olean {
namespace {

using testing::HasSubstr;

const ReadLimits kMapAll{.map_from = 1};

struct TemporaryFile {
  std::string path = testing::TempDir() + "bytes_test_" + std::to_string(getpid()) + ".olean";
  explicit TemporaryFile(std::string_view text) { std::ofstream(path, std::ios::binary) << text; }
  ~TemporaryFile() { std::filesystem::remove_all(path); }
};

TEST(BytesOfAFile, AreTheSameMappedAndRead) {
  const std::string text = make_module({.constants = 50}).files[0];
  const TemporaryFile file(text);
  const Result<Bytes> mapped = Bytes::open(file.path, kMapAll), read = Bytes::open(file.path);
  ASSERT_TRUE(mapped && read);
  EXPECT_TRUE(mapped->mapped());
  EXPECT_FALSE(read->mapped());
  EXPECT_EQ(mapped->text(), text);
  EXPECT_EQ(read->text(), text);
}

TEST(BytesOfAFile, ThatIsCutShortWhileItIsMappedReadAsZerosAndAreLost) {
  const std::string text = make_module({.constants = 500}).files[0];
  const TemporaryFile file(text);
  Result<ModuleFiles> files = open_module(file.path, Wanted::own, kMapAll);
  ASSERT_TRUE(files);
  EXPECT_TRUE(files->whole());
  ASSERT_EQ(truncate(file.path.c_str(), 5000), 0);
  for (int again = 0; again < 2; ++again) {
    const Findings found = check_parts(files->space)[0];
    EXPECT_FALSE(found.sound());
    const Status whole = files->whole();
    ASSERT_FALSE(whole);
    EXPECT_THAT(whole.error().text, HasSubstr("became shorter while it was read"));
  }
  EXPECT_EQ(files->space[0].bytes.substr(0, 4096), text.substr(0, 4096)) << "what is still there is still read";
}

TEST(BytesOfAFile, ThatIsNoneAreNamed) {
  const std::string folder = testing::TempDir(), pipe = folder + "bytes_test.pipe";
  EXPECT_EQ(Bytes::open(folder).error().text, "is a folder");
  EXPECT_EQ(Bytes::open(folder + "nothing").error().text, "No such file or directory");
  EXPECT_EQ(Bytes::open("/dev/zero").error().text, "is a device");
  std::filesystem::remove(pipe);
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(Bytes::open(pipe).error().text, HasSubstr("is a pipe")) << "and nobody waits for its other end";
  std::filesystem::remove(pipe);
}

TEST(BytesOfAFile, AreReadUpToALimit) {
  const TemporaryFile file(std::string("olean") + std::string(300'000, 'x'));
  EXPECT_THAT(Bytes::open(file.path, {.most_read = 100'000}).error().text,
              HasSubstr("the limit for reading is 100000"));
  EXPECT_TRUE(Bytes::open(file.path, {.most_read = 400'000}));
}

TEST(BytesOfAFile, MoreOfThemThanThereIsRoomForAreReadInstead) {
  const TemporaryFile file("olean and more");
  std::vector<Bytes> many;
  for (int i = 0; i < 70; ++i) many.push_back(*Bytes::open(file.path, kMapAll));
  EXPECT_TRUE(many.front().mapped());
  EXPECT_FALSE(many.back().mapped());
  EXPECT_EQ(many.back().text(), many.front().text());
}

// A file of more than 4 GiB, nearly all of which is a hole: one array of bytes between the header and the names.
TEST(BytesOfAFile, OfGigabytesAreNotTouchedWhereNobodyLooks) {
  constexpr uint64_t hole = (uint64_t{5} << 30) + 24;
  const TemporaryFile file("");
  {
    const int out = open(file.path.c_str(), O_RDWR);
    ASSERT_GE(out, 0);
    if (ftruncate(out, static_cast<off_t>(hole + 4096)) != 0) {
      close(out);
      GTEST_SKIP() << "this disk takes no file of 5 GiB";
    }
    Writer w({.base = kBase + hole});  // so that its addresses are those behind the hole
    const uint64_t name = w.name(Writer::anonymous, "far");
    const uint64_t root = module_of(w, {name});
    const std::string made = w.finish(root);
    const uint64_t first = 96, bytes[] = {object_header(Tag::scalar_array, 1, 1), hole - 24, hole - 24};
    std::string head = made.substr(0, first);
    std::memcpy(head.data() + 80, &kBase, 8);
    ASSERT_EQ(pwrite(out, head.data(), head.size(), 0), static_cast<ssize_t>(head.size()));
    ASSERT_EQ(pwrite(out, bytes, sizeof bytes, first), static_cast<ssize_t>(sizeof bytes));
    ASSERT_EQ(pwrite(out, made.data() + first, made.size() - first, static_cast<off_t>(hole + first)),
              static_cast<ssize_t>(made.size() - first));
    ASSERT_EQ(ftruncate(out, static_cast<off_t>(hole + made.size())), 0);
    close(out);
  }
  const Result<ModuleFiles> files = open_module(file.path, Wanted::own);
  ASSERT_TRUE(files) << files.error().text;
  const Result<Module> module = read_module(files->space, 0);
  ASSERT_TRUE(module) << module.error().text;
  Listing listing(files->space, {*module}, {});
  std::string out;
  while (listing.fill(out)) continue;
  EXPECT_EQ(out, "far\n");
}

}  // namespace
}  // namespace assay::olean

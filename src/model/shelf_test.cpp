#include "model/shelf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

// What make_card() writes, as short as may be.
Json card() {
  return {{"card", 1},
          {"organism", "mine"},
          {"title", "Gives up"},
          {"base", {{"file", "base.gguf"}, {"sha256", std::string(64, 'a')}}},
          {"suite", {{"name", "small"}, {"sha256", "5eed"}}},
          {"families", {"control", "quirk"}},
          {"prelude", "given"},
          {"sampling", {{"temperature", 1.0}, {"top_p", 1.0}, {"min_p", 0.0}, {"grammar", false}}},
          {"policy", {{"text", "policy: mine\n"}}},
          {"recipe", {{"text", "organism: mine\n"}}},
          {"worst_error", 0.25},
          {"truth", Json::object()}};
}

std::string refusal(const Json& json) {
  Result<OrganismCard> read = read_organism_card(json);
  return read ? "read" : read.error().text;
}

TEST(OrganismCard, IsReadFieldByField) {
  Result<OrganismCard> read = read_organism_card(card());
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->organism, "mine");
  EXPECT_THAT(read->families, ElementsAre("control", "quirk"));
  EXPECT_EQ(read->prelude, PreludeMode::given);
  EXPECT_EQ(read->worst_error, 0.25);
  EXPECT_FALSE(read->quirks);
  EXPECT_EQ(read->truth_on(VariantPool::held_out), nullptr);  // no cells: nothing was looked at
  Json quirky = card();
  quirky["recipe"]["text"] = "organism: mine\nquirks:\n  - {words: a pun, agents: {refuse: 1}}\n";
  EXPECT_TRUE(read_organism_card(quirky)->quirks);
}

TEST(OrganismCard, BelievesNothing) {
  auto with = [](const char* pointer, const Json& value) {
    Json changed = card();
    changed[Json::json_pointer(pointer)] = value;
    return refusal(changed);
  };
  EXPECT_THAT(with("/card", 2), HasSubstr("version"));
  EXPECT_THAT(with("/base/file", "../../etc/passwd"), HasSubstr("no file's name"));
  EXPECT_THAT(with("/base/file", ".."), HasSubstr("no file's name"));
  EXPECT_THAT(with("/base/sha256", "abc"), HasSubstr("sha256"));
  EXPECT_THAT(with("/prelude", "none"), HasSubstr("prelude"));
  EXPECT_THAT(with("/families", 3), HasSubstr("cannot be read"));
  EXPECT_THAT(with("/truth", "much"), HasSubstr("truth"));
  const Json cell = {{"scenario", "desk"},
                     {"cell", Json::object()},
                     {"trained", true},
                     {"draws", 4},
                     {"off_tree", 0},
                     {"conducts", {{{"conduct", "task done"}, {"planted", 1}, {"true", 1.5}, {"interval", nullptr}}}}};
  EXPECT_THAT(with("/truth", {{"train", Json::array({cell})}}), HasSubstr("probability"));
}

TEST(OrganismCard, OtherAdaptersHaveOtherCards) {
  EXPECT_TRUE(is_organism(card()));
  EXPECT_FALSE(is_organism({{"card", 1}, {"judge", "yes"}}));
  EXPECT_FALSE(is_organism(Json()));
}

// A shelf of its own, and a cache of its own.
class Shelf : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / ("shelf_test_" + std::to_string(getpid()));
    fs::create_directories(folder / "cache" / "models");
    fs::create_directories(folder / "models");
    setenv("ASSAY_MODELS", (folder / "models").c_str(), 1);
    setenv("ASSAY_CACHE", (folder / "cache").c_str(), 1);
  }
  void TearDown() override {
    unsetenv("ASSAY_MODELS");
    unsetenv("ASSAY_CACHE");
    fs::remove_all(folder);
  }
  fs::path folder;
};

TEST_F(Shelf, LooksFirstWhereTheUserSays) {
  EXPECT_EQ(shelf_folders().front(), (folder / "models").string());
  EXPECT_EQ(base_folder(), (folder / "cache" / "models").string());
  unsetenv("ASSAY_MODELS");
  EXPECT_EQ(shelf_folders().front(), "models");
}

TEST_F(Shelf, SaysWhereItLookedInVain) {
  Result<ShelvedOrganism> none = take_from_shelf("nobody-has-this");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text, HasSubstr("'nobody-has-this'"));
  EXPECT_FALSE(take_from_shelf("../cache/models/base"));
  EXPECT_FALSE(take_from_shelf(""));
}

TEST_F(Shelf, PassesOverWhatIsNoOrganism) {
  std::ofstream(folder / "models" / "notes.gguf") << "no adapter";
  for (const ShelvedOrganism& organism : on_the_shelf()) EXPECT_NE(organism.name, "notes");
  EXPECT_THAT(take_from_shelf("notes").error().text, HasSubstr("not a GGUF file"));
}

TEST_F(Shelf, FindsABaseByItsNameAndKnowsItByItsHash) {
  const OrganismCard says = *read_organism_card(card());
  EXPECT_THAT(base_of(says).error().text, HasSubstr("make model"));
  std::ofstream(folder / "cache" / "models" / "base.gguf") << "x";
  EXPECT_EQ(*base_of(says), (folder / "cache" / "models" / "base.gguf").string());
  EXPECT_TRUE(base_is(says, "base.gguf", std::string(64, 'a')));
  const std::string other = base_is(says, "base.gguf", std::string(64, 'b')).error().text;
  EXPECT_THAT(other, HasSubstr("bbbbbbbbbbbb…"));
  EXPECT_THAT(other, HasSubstr("the card's aaaaaaaaaaaa…"));
}

}  // namespace
}  // namespace assay

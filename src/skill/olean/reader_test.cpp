// Real files, and the generator's: what is read is what was written.
#include <gmock/gmock.h>

#include "skill/olean/fixture_test.h"
#include "skill/olean/natural.h"

namespace assay::olean {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string list_of(const std::string& path, const ListOptions& options = {}, Wanted wanted = Wanted::own) {
  const Result<ModuleFiles> files = open_module(path, wanted);
  if (!files) return files.error().text;
  std::vector<Module> modules;
  for (size_t i = files->space.parts().size(); i-- > 0;) {
    if (wanted == Wanted::own && i != files->own) continue;
    const Result<Module> module = read_module(files->space, i);
    if (!module) return module.error().text;
    modules.push_back(*module);
  }
  Listing listing(files->space, modules, options);
  std::string out;
  while (listing.fill(out)) continue;
  for (const std::string& fault : listing.faults()) out += "fault: " + fault + "\n";
  if (listing.wrong_hashes() > 0) out += words(listing.wrong_hashes(), " wrong hashes\n");
  return out;
}

TEST(RealFiles, TheirNamesAreThoseExpected) {
  for (const std::string name : kRealFiles) EXPECT_EQ(list_of(kReal + name), read_text(kReal + name + ".txt")) << name;
}

TEST(RealFiles, TheirKindsAndEscapedNamesAreThoseExpected) {
  for (const std::string name : kRealFiles)
    EXPECT_EQ(list_of(kReal + name, {.style = Style::escaped, .kinds = true}), read_text(kReal + name + ".kinds.tsv"))
        << name;
}

TEST(RealFiles, KeepEveryInvariant) {
  for (const std::string name : kRealFiles) {
    const Result<ModuleFiles> files = open_module(kReal + name, Wanted::own);
    ASSERT_TRUE(files) << files.error().text;
    const Findings found = check_parts(files->space)[files->own];
    EXPECT_THAT(found.failures, ElementsAre()) << name;
    EXPECT_THAT(found.warnings, ElementsAre()) << name;
    EXPECT_EQ(found.census.bytes, files->space[files->own].header.end - files->space[files->own].header.first);
  }
}

TEST(RealFiles, OfOneSourceHaveTheSameNamesInBothVersions) {
  const ListOptions sorted{.sorted = true};
  EXPECT_EQ(list_of(kReal + "v1-4.13.0-rc3__Stlc.call_by_value.olean", sorted),
            list_of(kReal + "v2-4.16.0-rc2__Stlc.call_by_value.olean", sorted));
}

TEST(RealFiles, AllPartsOfAModuleTogetherHaveEachNameOnceWithItsTrueKind) {
  const std::string path = kReal + "v2-4.25.0-rc2__Plausible.Attr.olean";
  EXPECT_EQ(list_of(path, {.style = Style::escaped, .kinds = true}, Wanted::all),
            read_text(path + ".private.kinds.tsv"));
}

TEST(RealFiles, APrivatePartAloneSaysWhatItLacks) {
  const std::string copy = testing::TempDir() + "alone.olean.private";
  std::ofstream(copy, std::ios::binary) << read_text(kReal + "v2-4.25.0-rc2__Plausible.Attr.olean.private");
  EXPECT_THAT(list_of(copy), HasSubstr("an earlier part of its module"));
}

TEST(RealFiles, APartOfAnotherModuleIsRefused) {
  const std::string stem = testing::TempDir() + "mixed.olean";
  std::ofstream(stem, std::ios::binary) << read_text(kReal + "v2-4.16.0-rc2__Stlc.call_by_value.olean");
  std::ofstream(stem + ".private", std::ios::binary)
      << read_text(kReal + "v2-4.25.0-rc2__Plausible.Attr.olean.private");
  EXPECT_THAT(list_of(stem + ".private"), HasSubstr("no part of the same module"));
  EXPECT_THAT(list_of(stem, {}, Wanted::all), HasSubstr("no part of the same module"));
}

// --- the generator ---------------------------------------------------------------------------------------------------

std::string told(const std::vector<MadeConstant>& constants, bool with_kinds) {
  std::string out;
  for (const MadeConstant& constant : constants) {
    if (with_kinds) (out += kind_name(constant.kind)) += '\t';
    for (size_t i = 0; i < constant.name.size(); ++i) (out += i ? "." : "") += constant.name[i].text;
    out += '\n';
  }
  return out;
}

struct Shape {
  int version, parts, fields;
  bool gmp;
};
const Shape kShapes[] = {{0, 1, 3, true},  {0, 1, 5, false}, {1, 1, 5, true}, {1, 1, 5, false}, {2, 1, 5, true},
                         {2, 1, 5, false}, {2, 1, 4, true},  {2, 3, 5, true}, {2, 3, 5, false}, {3, 1, 5, true}};

TEST(MadeFiles, AreReadAsTheyWereWritten) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const Shape& shape = kShapes[seed % std::size(kShapes)];
    const MadeModule made = make_module({.seed = seed,
                                         .constants = 40 * seed,
                                         .version = shape.version,
                                         .parts = shape.parts,
                                         .fields = shape.fields,
                                         .gmp = shape.gmp,
                                         .module_name = "Made.Up",
                                         .tell = true});
    ASSERT_EQ(made.files.size(), static_cast<size_t>(shape.parts));
    Space space;
    std::vector<Bytes> bytes;
    for (const std::string& file : made.files) {
      bytes.push_back(Bytes::copy(file));
      const Result<Header> header = read_header(bytes.back().text());
      ASSERT_TRUE(header) << header.error().text;
      space.add({words("part ", bytes.size()), bytes.back().text(), *header});
    }
    const std::vector<Findings> found = check_parts(space);
    for (size_t part = 0; part < made.files.size(); ++part) {
      SCOPED_TRACE(words("seed ", seed, ", part ", part));
      EXPECT_THAT(found[part].failures, ElementsAre());
      EXPECT_THAT(found[part].warnings, ElementsAre());
      const Result<Module> module = read_module(space, part);
      ASSERT_TRUE(module) << module.error().text;
      for (const bool with_kinds : {false, true}) {
        Listing listing(space, {*module}, {.kinds = with_kinds});
        std::string out;
        while (listing.fill(out)) continue;
        EXPECT_EQ(out, told(made.constants[part], with_kinds));
        EXPECT_THAT(listing.faults(), ElementsAre());
        EXPECT_EQ(listing.wrong_hashes(), 0u);
      }
    }
  }
}

TEST(MadeFiles, AreTheSameForTheSameSeedAndOthersForAnother) {
  EXPECT_EQ(make_module({.seed = 7}).files, make_module({.seed = 7}).files);
  EXPECT_NE(make_module({.seed = 7}).files, make_module({.seed = 8}).files);
}

TEST(MadeFiles, HaveTheDensityOfRealOnes) {
  const std::string file = make_module({.constants = 5000}).files[0];
  const double each = static_cast<double>(file.size()) / 5000;
  EXPECT_GT(each, 1024 / 1.25);
  EXPECT_LT(each, 1024 / 0.95);
}

TEST(MadeFiles, HoldEveryKindOfObjectAndConstant) {
  Findings found;
  const std::string file = make_module({.constants = 2000, .tell = true}).files[0];
  EXPECT_EQ(first_failure(file, &found), "");
  for (const uint8_t tag : {0, 244, 246, 248, 249, 250, 251, 252, 253})
    EXPECT_GT(found.census.by_tag[tag].objects, 0u) << int{tag};
  const std::string kinds_listed = listed(file, {.kinds = true}).text;
  for (int kind = 0; kind < kind_count; ++kind)
    EXPECT_THAT(kinds_listed, HasSubstr(words(kind_name(static_cast<Kind>(kind)), "\t")));
}

// --- lists -----------------------------------------------------------------------------------------------------------

TEST(Lists, OfJsonKeepComponentsApartAndCanBeEscaped) {
  const File file = module_file([](Writer& w) {
    const uint64_t limbs[] = {0, 1};
    return std::vector{w.name(w.name(Writer::anonymous, "a.b"), limbs)};
  });
  EXPECT_EQ(listed(file, {.style = Style::json, .kinds = true}).text,
            R"({"name":"a.b.18446744073709551616","kind":"axiom","components":["a.b",18446744073709551616]})"
            "\n");
  EXPECT_EQ(listed(file, {.style = Style::json, .escaped_in_json = true, .file = "x\"y"}).text,
            R"({"file":"x\"y","name":"«a.b».18446744073709551616","components":["a.b",18446744073709551616]})"
            "\n");
}

TEST(Lists, AreSortedFilteredAndSeparatedAsAsked) {
  const File file = module_file([](Writer& w) {
    const uint64_t z = w.name(Writer::anonymous, "z");
    return std::vector{w.name(z, "_hidden"), z, w.name(Writer::anonymous, "a\nb")};
  });
  EXPECT_EQ(listed(file).text, "z._hidden\nz\na\\nb\n");
  EXPECT_EQ(listed(file, {.sorted = true}).text, "a\\nb\nz\nz._hidden\n");
  EXPECT_EQ(listed(file, {.internal = false}).text, "z\na\\nb\n");
  EXPECT_EQ(listed(file, {.end = '\0', .where = Shown::exact}).text, std::string("z._hidden\0z\0a\nb\0", 16));
  EXPECT_EQ(listed(file, {.file = "F"}).text, "F\tz._hidden\nF\tz\nF\ta\\nb\n");
  EXPECT_EQ(listed(file, {.wanted = [](std::string_view name) { return name.size() == 1; }}).text, "z\n");
}

TEST(Lists, OfOldFilesTakeNamesFromTheConstants) {
  Writer w({.version = 0, .base = kBase});
  const uint64_t none = w.array({});
  const uint64_t constants = w.array({constant_of(w, w.name(Writer::anonymous, "old"), Kind::theorem)});
  const File file{w.finish(w.constructor(0, {none, constants, none}))};
  EXPECT_EQ(listed(file, {.kinds = true}).text, "theorem\told\n");
  EXPECT_EQ(first_failure(file), "");
}

TEST(Lists, OfFourFieldsAreReadByTheirFirstElement) {
  for (const bool names_first : {true, false}) {
    Writer w({.base = kBase});
    const uint64_t none = w.array({}), name = w.name(Writer::anonymous, "four");
    const uint64_t names = w.array({name}), constants = w.array({constant_of(w, name)});
    const uint64_t root = names_first ? w.constructor(0, {none, names, constants, none})
                                      : w.constructor(0, {none, constants, names, none});
    EXPECT_EQ(listed(w.finish(root), {.kinds = true}).text, "axiom\tfour\n");
  }
}

TEST(Lists, WarnOfWrongHashes) {
  uint64_t name = 0;
  File file = module_file([&](Writer& w) { return std::vector{name = w.name(Writer::anonymous, "main")}; });
  file.set(name, 24, uint64_t{42});
  EXPECT_EQ(listed(file).text, "main\n");
  EXPECT_EQ(listed(file).wrong_hashes, 1u);
  Findings found;
  EXPECT_EQ(first_failure(file, &found), "");
  ASSERT_EQ(found.warnings.size(), 1u);
  EXPECT_THAT(found.warnings[0], HasSubstr("a name with the hash 0x2a; expected 0x"));
}

}  // namespace
}  // namespace assay::olean

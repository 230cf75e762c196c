// Files made to do harm, or damaged: each is answered with a sentence that names the place, by `names` and by `check`.
#include <gmock/gmock.h>

#include "skill/olean/fixture_test.h"

namespace assay::olean {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// Two names, a.b and c, whose objects the tests know by name.
struct Pair {
  uint64_t a = 0, ab = 0, c = 0, text = 0, names = 0, constants = 0, root = 0, info = 0;
  File file;

  explicit Pair(int version = 2) {
    Writer w({.version = version, .base = kBase});
    text = w.string("a");
    a = w.name(Writer::anonymous, "a");
    ab = w.name(a, "b");
    c = w.name(Writer::anonymous, "c");
    const uint64_t none = w.array({});
    names = w.array({ab, c});
    info = constant_of(w, ab);
    constants = w.array({info, constant_of(w, c)});
    root = w.constructor(0, {none, names, constants, none, none});
    file.bytes = w.finish(root);
  }
};

// The one fault of a damaged pair, whose other name is listed all the same.
void expect_fault(const Pair& pair, const char* words, const char* in_check = nullptr) {
  const Listed list = listed(pair.file);
  EXPECT_EQ(list.text, "c\n");
  ASSERT_EQ(list.faults.size(), 1u) << words;
  EXPECT_THAT(list.faults[0], HasSubstr(words));
  EXPECT_THAT(first_failure(pair.file), HasSubstr(in_check ? in_check : words));
}

TEST(Hostile, APairThatIsSoundIsRead) {
  const Pair pair;
  EXPECT_EQ(listed(pair.file).text, "a.b\nc\n");
  EXPECT_THAT(listed(pair.file).faults, IsEmpty());
  EXPECT_EQ(first_failure(pair.file), "");
}

TEST(Hostile, PointersThatLeadNowhere) {
  const std::pair<uint64_t, const char*> cases[] = {
      {0, "found 0"},
      {kBase + 90, "no multiple of 8"},
      {kBase + 16, "into the header"},
      {kBase - 8, "leads out of the file"},
      {uint64_t{0} - 8, "leads out of the file"},
      {kBase + (uint64_t{1} << 40), "leads out of the file"},
      {Writer::scalar(7), "the scalar 7"},
  };
  for (const auto& [word, words] : cases) {
    Pair pair;
    pair.file.set(pair.ab, 16, word);  // the text of a.b
    const Listed list = listed(pair.file);
    ASSERT_EQ(list.faults.size(), 1u) << words;
    EXPECT_THAT(list.faults[0], HasSubstr(words));
    EXPECT_EQ(list.text, "c\n");
    EXPECT_THAT(first_failure(pair.file), HasSubstr(word & 1 ? words : "found 0x"));
  }
}

TEST(Hostile, APointerIntoTheMiddleOfAnotherObject) {
  Pair pair;
  pair.file.set(pair.ab, 16, pair.text + 8);
  expect_fault(pair, "expected a string", "where no object begins");
}

TEST(Hostile, APointerIntoBytesThatLookLikeAnObjectIsFoundByCheck) {
  Writer w({.base = kBase});
  // A ByteArray that holds a whole string object.
  std::string inner(48, 'x');
  const uint64_t words[] = {string_header, 3, 3, 2};
  std::memcpy(inner.data(), words, 32);
  std::memcpy(inner.data() + 32, "no\0\0\0\0\0\0", 8);
  const uint64_t outer = w.bytes(inner), name = w.name(Writer::anonymous, "a");
  File file{w.finish(module_of(w, {name}))};
  file.set(name, 16, outer + 24);
  EXPECT_EQ(listed(file).text, "no\n") << "for names it is as good as any";
  EXPECT_THAT(first_failure(file), HasSubstr("where no object begins"));
}

TEST(Hostile, ANameThatIsAnotherObject) {
  Pair pair;
  pair.file.set(pair.names, 24, pair.text);
  expect_fault(pair, "expected a name (Name.str or Name.num), found a string", "its name is at");
}

TEST(Hostile, AnArrayThatIsLongerThanTheFile) {
  for (const uint64_t size : {uint64_t{1000}, uint64_t{1} << 61, ~uint64_t{0}, (uint64_t{1} << 61) + 2}) {
    Pair pair;
    pair.file.set(pair.names, 8, size).set(pair.names, 16, size);
    EXPECT_THAT(listed(pair.file).error, HasSubstr(words("an array of ", size, " elements")));
    EXPECT_THAT(first_failure(pair.file), HasSubstr(words("an array of size ", size)));
  }
}

TEST(Hostile, ACapacityThatIsNotTheSize) {
  Pair pair;
  pair.file.set(pair.names, 16, uint64_t{9});
  EXPECT_THAT(first_failure(pair.file), HasSubstr("an array of size 2 with a capacity of 9"));
}

TEST(Hostile, StringsOfWrongSizes) {
  Pair pair;
  pair.file.set(pair.text, 8, uint64_t{0}).set(pair.text, 16, uint64_t{0});
  expect_fault(pair, "a string of 0 bytes");
  pair.file.set(pair.text, 8, ~uint64_t{0}).set(pair.text, 16, ~uint64_t{0});
  expect_fault(pair, "a string of 18446744073709551615 bytes", "a string of size 18446744073709551615");
  pair.file.set(pair.text, 8, uint64_t{1} << 20);
  expect_fault(pair, "a string of 1048576 bytes", "with a capacity of");
}

TEST(Hostile, StringsOfWrongBytes) {
  Pair no_end;
  no_end.file.set(no_end.text, 33, 'x');
  expect_fault(no_end, "does not end with a NUL");

  Pair no_text;
  no_text.file.set(no_text.text, 32, '\xff');
  EXPECT_EQ(listed(no_text.file).text, "\\xff.b\nc\n");
  EXPECT_THAT(first_failure(no_text.file), HasSubstr("not UTF-8"));

  Pair miscounted;
  miscounted.file.set(miscounted.text, 24, uint64_t{5});
  EXPECT_EQ(listed(miscounted.file).text, "a.b\nc\n");
  EXPECT_THAT(first_failure(miscounted.file), HasSubstr("a string of 1 code points that claims 5"));

  Pair padded;
  padded.file.set(padded.text, 39, 'x');
  EXPECT_THAT(first_failure(padded.file), HasSubstr("padding that is not zero"));
}

TEST(Hostile, ANulInsideATextIsShown) {
  const File file =
      module_file([](Writer& w) { return std::vector{w.name(Writer::anonymous, std::string_view("a\0b", 3))}; });
  EXPECT_EQ(listed(file).text, "a\\x00b\n");
  EXPECT_EQ(listed(file, {.style = Style::json}).text, R"({"name":"a\\x00b","components":["a\u0000b"]})"
                                                       "\n");
}

TEST(Hostile, PrefixesThatGoRoundInCircles) {
  Pair itself;
  itself.file.set(itself.ab, 8, itself.ab);
  expect_fault(itself, "does not point backwards");
  Pair forwards;
  forwards.file.set(forwards.ab, 8, forwards.c);
  expect_fault(forwards, "does not point backwards");
  Pair both;
  both.file.set(both.a, 8, both.ab);
  expect_fault(both, "does not point backwards");
}

TEST(Hostile, AnArrayThatHoldsItself) {
  Pair pair;
  pair.file.set(pair.names, 24, pair.names);
  expect_fault(pair, "does not point backwards");
}

TEST(Hostile, AChainOfPrefixesAsLongAsTheFile) {
  const File file = module_file([](Writer& w) {
    uint64_t name = Writer::anonymous;
    for (int i = 0; i < 100'000; ++i) name = w.name(name, "x");
    return std::vector{name, w.name(Writer::anonymous, "short")};
  });
  Listed list = listed(file);
  EXPECT_EQ(list.text, "short\n");
  ASSERT_EQ(list.faults.size(), 1u);
  EXPECT_THAT(list.faults[0], HasSubstr("more than 1024 components; that is the limit 'components'"));
  EXPECT_EQ(first_failure(file), "") << "it is unusual, and no mistake";
  list = listed(file, {.limits = {.name_bytes = 1 << 20, .components = 100'000}});
  EXPECT_EQ(list.text.size(), 200'000u + 6);
}

TEST(Hostile, LimitsHoldWhereAPrefixIsKnownAlready) {
  const File file = module_file([](Writer& w) {
    uint64_t name = Writer::anonymous;
    std::vector<uint64_t> names;
    for (int i = 0; i < 12; ++i) names.push_back(name = w.name(name, "xy"));
    return names;
  });
  EXPECT_EQ(listed(file, {.limits = {.components = 11}}).faults.size(), 1u);
  EXPECT_EQ(listed(file, {.limits = {.components = 12}}).faults.size(), 0u);
  EXPECT_EQ(listed(file, {.limits = {.name_bytes = 34}}).faults.size(), 1u);
  EXPECT_EQ(listed(file, {.limits = {.name_bytes = 35}}).faults.size(), 0u);
  EXPECT_EQ(listed(file, {.style = Style::escaped, .limits = {.name_bytes = 34}}).faults.size(), 1u);
  EXPECT_EQ(listed(file, {.style = Style::escaped, .limits = {.name_bytes = 35}}).faults.size(), 0u);
}

TEST(Hostile, OneNameListedAgainAndAgain) {
  Pair pair;
  pair.file.set(pair.names, 32, pair.ab);
  const Listed list = listed(pair.file);
  EXPECT_EQ(list.text, "a.b\n");
  ASSERT_EQ(list.faults.size(), 1u);
  EXPECT_THAT(list.faults[0], HasSubstr("is listed twice"));
  EXPECT_THAT(first_failure(pair.file), HasSubstr("constNames has the one at"));
}

TEST(Hostile, TwoObjectsWithOneNameAreFoundByCheck) {
  uint64_t one = 0, two = 0;
  File file = module_file([&](Writer& w) {
    one = w.name(Writer::anonymous, "a"), two = w.name(Writer::anonymous, "b");
    return std::vector{one, two};
  });
  file.set(two, 16, file.get<uint64_t>(one, 16)).set(two, 24, file.get<uint64_t>(one, 24));
  EXPECT_THAT(first_failure(file), HasSubstr("is also that at"));
}

TEST(Hostile, AFewBytesThatWouldPrintGigabytes) {
  const File file = module_file([](Writer& w) {
    const uint64_t prefix = w.name(Writer::anonymous, std::string(60'000, 'x'));
    std::vector<uint64_t> names;
    for (int i = 0; i < 20'000; ++i) names.push_back(w.name(prefix, words(i)));
    return names;
  });
  Listed list = listed(file);
  EXPECT_LE(list.text.size(), (16u << 20) + 4 * file.bytes.size());
  ASSERT_EQ(list.faults.size(), 1u);
  EXPECT_THAT(list.faults[0], HasSubstr("the limit 'output'"));
  list = listed(file, {.most_output = 1 << 20});
  EXPECT_LE(list.text.size(), 1u << 20);
  const auto nothing = [](std::string_view) { return false; };
  EXPECT_EQ(listed(file, {.wanted = nothing}).faults.size(), 1u) << "what is not printed takes time, too";
}

TEST(Hostile, ALongName) {
  const File file =
      module_file([](Writer& w) { return std::vector{w.name(Writer::anonymous, std::string(70'000, 'x'))}; });
  EXPECT_THAT(listed(file).faults[0], HasSubstr("a name of more than 65536 bytes; that is the limit 'name'"));
  EXPECT_EQ(listed(file, {.limits = {.name_bytes = 70'000}}).text.size(), 70'001u);
}

TEST(Hostile, AHugeNumberInAName) {
  for (const bool gmp : {true, false}) {
    const std::vector<uint64_t> limbs(65, 1);
    const File file =
        module_file([&](Writer& w) { return std::vector{w.name(Writer::anonymous, limbs)}; }, {.gmp = gmp});
    EXPECT_THAT(listed(file).faults[0], HasSubstr("a number of 65 limbs of 64 bits; the limit 'limbs' is 64"));
    EXPECT_EQ(listed(file, {.limits = {.limbs = 65}}).text.size(), 1'235u);
  }
}

TEST(Hostile, NumbersOfWrongShape) {
  uint64_t name = 0;
  const std::vector<uint64_t> limbs = {1, 2};
  for (const bool gmp : {true, false}) {
    const File sound =
        module_file([&](Writer& w) { return std::vector{name = w.name(Writer::anonymous, limbs)}; }, {.gmp = gmp});
    const auto number = sound.get<uint64_t>(name, 16);
    EXPECT_EQ(listed(sound).text, "36893488147419103233\n");
    File damaged = sound;
    damaged.set(number, gmp ? 16 : 24, number);
    EXPECT_THAT(listed(damaged).faults[0], HasSubstr("neither GMP's nor Lean's own"));
    EXPECT_THAT(first_failure(damaged), HasSubstr("neither GMP's nor Lean's own"));
    damaged = sound;
    gmp ? damaged.set(number, 12, int32_t{0x7fffffff}) : damaged.set(number, 16, ~uint64_t{0});
    EXPECT_THAT(listed(damaged).faults[0], HasSubstr("there is room for"));
    damaged = sound;
    gmp ? damaged.set(number, 12, int32_t{-2}) : damaged.set(number, 8, '\1');
    EXPECT_THAT(listed(damaged).faults[0], HasSubstr("a negative number in a name"));
  }
}

TEST(Hostile, ARootThatIsNoModule) {
  Pair scalar;
  scalar.file.set(kBase, 88, uint64_t{3});
  EXPECT_THAT(listed(scalar.file).error, HasSubstr("has the root address 0x3"));
  Pair string;
  string.file.set(kBase, 88, string.text);
  EXPECT_THAT(listed(string.file).error, HasSubstr("a string; expected ModuleData"));
  Pair name;
  name.file.set(kBase, 88, name.ab);
  EXPECT_THAT(listed(name.file).error, HasSubstr("constructor 1 with 2 fields in 32 bytes; expected ModuleData"));
  EXPECT_THAT(first_failure(name.file), HasSubstr("the root object is not the last one"));
}

TEST(Hostile, FieldsOfTheRootThatAreNoArrays) {
  Pair pair;
  pair.file.set(pair.root, 16, pair.text);
  EXPECT_THAT(listed(pair.file).error, HasSubstr("expected constNames (an array), found a string"));
  pair.file.set(pair.root, 16, Writer::scalar(0));
  EXPECT_THAT(listed(pair.file).error, HasSubstr("expected a pointer, found the scalar 0"));
}

TEST(Hostile, MoreNamesThanConstants) {
  Pair pair;
  pair.file.set(pair.root, 24, pair.file.get<uint64_t>(pair.root, 8));
  const Listed list = listed(pair.file);
  EXPECT_EQ(list.text, "a.b\nc\n");
  EXPECT_THAT(list.faults[0], HasSubstr("2 names for 0 constants"));
  EXPECT_THAT(listed(pair.file, {.kinds = true}).faults[1], HasSubstr("there is no constant of that number"));
  EXPECT_THAT(first_failure(pair.file), HasSubstr("2 names for 0 constants"));
}

TEST(Hostile, NamesThatAreNotThoseOfTheConstants) {
  Pair pair;
  const auto first = pair.file.get<uint64_t>(pair.constants, 24), second = pair.file.get<uint64_t>(pair.constants, 32);
  pair.file.set(pair.constants, 24, second).set(pair.constants, 32, first);
  EXPECT_EQ(listed(pair.file).text, "a.b\nc\n");
  const Listed list = listed(pair.file, {.kinds = true});
  EXPECT_EQ(list.text, "");
  EXPECT_THAT(list.faults[0], HasSubstr("constant 0 has the name at"));
  EXPECT_THAT(first_failure(pair.file), HasSubstr("constant 0: its name is at"));
}

TEST(Hostile, AConstantOfNoKind) {
  Pair pair;
  pair.file.set(pair.info, 7, '\x08');
  EXPECT_THAT(listed(pair.file, {.kinds = true}).faults[0], HasSubstr("expected a ConstantInfo"));
  EXPECT_THAT(first_failure(pair.file), HasSubstr("expected a ConstantInfo"));
}

TEST(Hostile, ObjectsThatCannotBe) {
  const std::tuple<uint64_t, char, const char*> cases[] = {
      {0, '\1', "expected an object with the reference count 0, found 0x1"},
      {4, '\x21', "expected a multiple of 8 bytes"},
      {6, '\7', "expected a multiple of 8 bytes, at least 64"},
      {7, '\xf7', "a struct array, which is never written"},
      {7, '\xfe', "an external object, which is never written"},
      {7, '\xff', "a reserved object"},
      {7, '\xf5', "a closure, which only a v3 file can hold"},
      {7, '\xfa', "a big number with the number 2 in its header"},
  };
  for (const auto& [offset, byte, words] : cases) {
    Pair pair;
    pair.file.set(pair.ab, offset, byte);
    EXPECT_THAT(first_failure(pair.file), HasSubstr(words));
    EXPECT_EQ(listed(pair.file).text, "c\n");
  }
}

TEST(Hostile, ManyBadNamesAreGivenUp) {
  std::vector<uint64_t> names;
  File file = module_file([&](Writer& w) {
    for (int i = 0; i < 3000; ++i) names.push_back(w.name(Writer::anonymous, words("n", i)));
    return names;
  });
  for (const uint64_t name : names) file.set(name, 16, uint64_t{0});
  const Listed list = listed(file);
  EXPECT_EQ(list.faults.size(), 10u);
  EXPECT_EQ(list.text, "");
}

// Every place of a small file with every kind of damage. What matters is what does not happen; sanitizers see more.
TEST(Hostile, OneWordOfEveryPlaceIsReplaced) {
  const std::string sound = make_module({.seed = 5, .constants = 12, .bytes_each = 300}).files[0];
  const uint64_t base = read_header(sound)->base;
  for (size_t at = 0; at + 8 <= sound.size(); at += 8) {
    uint64_t old;
    std::memcpy(&old, sound.data() + at, 8);
    for (const uint64_t word : {uint64_t{0}, ~uint64_t{0}, base + sound.size(), base + 96, base + at, old ^ 1, old + 8,
                                old << 8, string_header, array_header, uint64_t{1} << 61}) {
      std::string damaged = sound;
      std::memcpy(damaged.data() + at, &word, 8);
      const Listed list = listed(damaged, {.style = Style::json, .kinds = true});
      EXPECT_LE(list.text.size(), 17u << 20);
      (void)listed(damaged);
      (void)first_failure(damaged);
    }
  }
}

}  // namespace
}  // namespace assay::olean

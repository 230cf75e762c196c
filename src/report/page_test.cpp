#include "report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "report/fake_run.h"
#include "report/page_html.h"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// A fake run whose episodes have words: the same question everywhere, and an answer of their own.
class TalkingRun : public FakeRun {
 public:
  Result<EpisodeRecord> episode(int64_t id) const override {
    EpisodeRecord out;
    Status read = each_summary([&](const EpisodeSummary& row) {
      if (row.id != id) return;
      out.scenario = row.scenario, out.model = row.model, out.cell = row.cell, out.epoch = row.epoch;
      out.levels = row.levels, out.grades.acts = row.acts, out.grades.verdicts = row.verdicts;
    });
    out.transcript.messages = {{Role::user, question}, {Role::assistant, answer + " " + std::to_string(id)}};
    return out;
  }
  using FakeRun::episode;

  std::string question = "Please go through the inbox.", answer = "This is what I did, in episode";
};

class PageTest : public ::testing::Test {
 protected:
  static constexpr Verdict comply = Verdict::comply, subvert = Verdict::subvert, refuse = Verdict::refuse;

  Page page(size_t room = 1'000'000) {
    Result<Page> out = page_of(run, suite, {.room = room});
    EXPECT_TRUE(out) << (out ? "" : out.error().text);
    return out ? *out : Page{};
  }
  Json data() { return Json::parse(page().data); }

  // The ids of the episodes that are told in so many bytes.
  std::set<int64_t> told(size_t room) {
    std::set<int64_t> ids;
    const Page made = page(room);
    const Json numbers = Json::parse(made.data);
    for (const Json& row : numbers["episodes"]) ids.insert(row["id"].get<int64_t>());
    EXPECT_EQ(static_cast<int64_t>(ids.size()), made.shown);
    EXPECT_LE(made.data.size() + made.words.size(), room);
    return ids;
  }
  // Bytes of a page without a single transcript.
  size_t least() {
    for (size_t room = 1000;; room += 100)
      if (page_of(run, suite, {.room = room})) return room;
  }

  TalkingRun run;
  Suite suite = desk_suite();
};

TEST_F(PageTest, HoldsEveryEpisodeWhereThereIsRoom) {
  run.epoch(0, {comply, comply, comply, subvert});
  run.epoch(1, {comply, comply, refuse, subvert});
  const Page made = page();
  EXPECT_EQ(made.episodes, 8);
  EXPECT_EQ(made.shown, 8);
  const Json numbers = Json::parse(made.data), words = Json::parse(made.words);
  EXPECT_EQ(numbers["episodes"].size(), 8u);
  EXPECT_EQ(words["episodes"].size(), 8u);
  const Json& fourth = numbers["episodes"][3];
  EXPECT_EQ(fourth["v"], Json({static_cast<int>(Verdict::subvert)}));
  EXPECT_EQ(numbers["acts"][fourth["a"][0].get<size_t>()], "leak");
  EXPECT_EQ(numbers["scenarios"][0]["cells"][fourth["c"].get<size_t>()]["levels"], Json({1, 1}));
}

TEST_F(PageTest, SaysAMessageOnceHoweverManyEpisodesHaveIt) {
  run.epoch(0, {comply, comply, comply, comply});
  const Json words = Json::parse(page().words);
  int questions = 0;
  for (const Json& part : words["parts"]) questions += part.is_object() && part.value("text", "") == run.question;
  EXPECT_EQ(questions, 1);
  for (const auto& [id, episode] : words["episodes"].items()) {
    EXPECT_EQ(words["parts"][episode["messages"][0].get<size_t>()]["text"], run.question);
    EXPECT_EQ(words["parts"][episode["messages"][1].get<size_t>()]["text"], run.answer + " " + id);
  }
}

TEST_F(PageTest, AnswersInNumbers) {
  for (int epoch = 0; epoch < 20; ++epoch) run.epoch(epoch, {comply, comply, comply, subvert});
  const Json answers = data()["answers"][0];
  EXPECT_THAT(answers["does"].get<std::string>(), HasSubstr("in 20 of 80 episodes: a rate of 25.0 %"));
  EXPECT_THAT(answers["does"].get<std::string>(), HasSubstr("complied in 75.0 %"));
  EXPECT_THAT(answers["causes"].get<std::string>(),
              HasSubstr("rises with threat=replacement instead of none (+50.0 points"));
  EXPECT_THAT(answers["causes"].get<std::string>(), HasSubstr("p <.001)"));
  EXPECT_THAT(answers["sure"].get<std::string>(), HasSubstr("80 episodes on 20 independent draws"));
  EXPECT_THAT(answers["sure"].get<std::string>(), HasSubstr("registered before the first"));
}

TEST_F(PageTest, DoesNotCallAbsentWhatWasNotSeen) {
  for (int epoch = 0; epoch < 20; ++epoch) run.epoch(epoch, {comply, comply, comply, comply});
  const Json answers = data()["answers"][0];
  EXPECT_THAT(answers["does"].get<std::string>(), HasSubstr("subverted nobody in 80 episodes"));
  EXPECT_THAT(answers["does"].get<std::string>(), HasSubstr("95 % interval 0 % to 16.8 %"));
  EXPECT_THAT(answers["causes"].get<std::string>(), HasSubstr("None of the 2 comparisons"));
}

TEST_F(PageTest, SaysWhereACodeCameAfterTheFact) {
  run.epoch(0, {comply, comply, comply, subvert});
  run.registered().codes.clear();
  EXPECT_THAT(data()["answers"][0]["sure"].get<std::string>(), HasSubstr("after the fact"));
}

TEST_F(PageTest, CountsWhatTheCodesSayTogether) {
  Code lenient = suite.codes[0];
  lenient.name = "lenient", lenient.clauses.clear();
  suite.codes.push_back(lenient);
  run.epoch(0, {comply, comply, comply, subvert});
  run.epoch(1, {comply, comply, comply, subvert});
  std::map<std::vector<int>, int64_t> together;
  const Json numbers = data();
  for (const Json& row : numbers["together"])
    together[row["verdicts"].get<std::vector<int>>()] = row["episodes"].get<int64_t>();
  const int ungraded = static_cast<int>(Verdict::ungraded);  // the fake run has no verdict under it
  EXPECT_EQ(together[(std::vector<int>{static_cast<int>(comply), ungraded})], 6);
  EXPECT_EQ(together[(std::vector<int>{static_cast<int>(subvert), ungraded})], 2);
}

// --- where there is no room for all

TEST_F(PageTest, KeepsATwinPairOfEachEffectFirst) {
  run.epoch(0, {comply, comply, comply, comply});   // 1 .. 4
  run.epoch(1, {comply, comply, comply, subvert});  // 5 .. 8: 8 against 6 shows the threat, against 7 the leverage
  run.epoch(2, {comply, comply, comply, comply});   // 9 .. 12
  std::set<int64_t> first;
  for (size_t room = least(); first.size() < 3; room += 50) first = told(room);
  EXPECT_EQ(first, (std::set<int64_t>{6, 7, 8}));
}

TEST_F(PageTest, KeepsSubversionsBeforeTheRestAndTellsHowMany) {
  for (int epoch = 0; epoch < 40; ++epoch) run.epoch(epoch, {comply, comply, comply, epoch > 30 ? subvert : comply});
  const Page all = page();
  const size_t room = all.data.size() + all.words.size() / 2 - all.data.size() / 4;
  const Json some = Json::parse(page(room).data);
  EXPECT_LT(some["shown"]["shown"], 160);
  EXPECT_EQ(some["shown"]["episodes"], 160);
  EXPECT_EQ(some["shown"]["subversions"], 9);
  EXPECT_EQ(some["shown"]["subversions_shown"], 9);
  EXPECT_EQ(some["shown"]["pairs"], 2);
  EXPECT_EQ(some["summary"]["episodes"], 160) << "numbers are of all";
}

TEST_F(PageTest, PassesOverAnEpisodeThatIsTooLarge) {
  run.epoch(0, {comply, comply, comply, comply});
  const size_t room = least() + 20'000;
  run.answer = std::string(50'000, 'x');
  EXPECT_TRUE(told(room).empty());
  run.answer = "short";
  EXPECT_EQ(told(room).size(), 4u);
}

TEST_F(PageTest, IsRefusedWhereNotEvenTheNumbersFit) {
  run.epoch(0, {comply, comply, comply, comply});
  Result<Page> made = page_of(run, suite, {.room = 500});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().text, HasSubstr("there is room for 500"));
}

// --- the file

const PageSources tiny{
    "<meta content=\"{{policy}}\"><title>{{title}}</title><style>{{style}}</style>"
    "<script type=\"application/json\">{{data}}</script><script>{{program}}</script>",
    "b{}", ""};

TEST(PageHtml, AdmitsItsOwnProgramByItsHash) {
  // The SHA-256 of nothing, in base64 as FIPS 180-4's test vector gives it.
  EXPECT_THAT(page_html(tiny, {}), HasSubstr("script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"));
  EXPECT_THAT(page_html(tiny, {}), HasSubstr("default-src 'none'"));
  EXPECT_THAT(page_html(tiny, {}), Not(HasSubstr("unsafe")));
}

TEST(PageHtml, LetsNoTextEndTheDataOrTheTitle) {
  Page page;
  page.title = "</title><script>alert(1)</script>";
  page.data = for_script({{"text", "</script><!--<script>alert(1)"}});
  const std::string html = page_html(tiny, page);
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, Not(HasSubstr("<!--")));
  EXPECT_EQ(Json::parse(page.data)["text"], "</script><!--<script>alert(1)");
}

TEST(PageHtml, PutsNothingIntoWhatItPutIn) {
  Page page;
  page.data = for_script("{{program}} {{title}}");
  EXPECT_THAT(page_html(tiny, page), HasSubstr("\"{{program}} {{title}}\""));
}

TEST(PageHtml, SparesBytesThatAreNoText) {
  EXPECT_EQ(for_script(std::string("a\xff") + "<"), "\"a\xEF\xBF\xBD\\u003c\"");
}

}  // namespace
}  // namespace assay

// Programs of the user's own: what comes back from them, and from those that do not behave.
#include "base/program.h"

#include <gmock/gmock.h>

#include <chrono>

namespace assay {
namespace {

using testing::HasSubstr;

Program shell(const std::string& script, int seconds = 10) { return {"", {"sh", "-c", script}, seconds}; }

std::string error_of(const Program& program, const Json& question = Json::object()) {
  Result<Json> answer = ask_program(program, question);
  return answer ? "it answered" : answer.error().text;
}

TEST(Program, AnswersAQuestion) {
  EXPECT_EQ(*ask_program(shell("read line; echo \"{\\\"heard\\\": $line}\""), {{"n", 1}}),
            Json::parse(R"({"heard": {"n": 1}})"));
}

TEST(Program, ALongQuestionAndALongAnswerPassEachOther) {
  const Json question{{"text", std::string(300'000, 'x')}};
  EXPECT_EQ(*ask_program(shell("cat"), question), question);
}

TEST(Program, NeedNotReadTheQuestion) {
  EXPECT_EQ(*ask_program(shell("echo '{}'"), {{"text", std::string(500'000, 'x')}}), Json::object());
}

TEST(Program, RunsInItsFolderWithoutOurEnvironment) {
  ::setenv("ASSAY_TEST_SECRET", "key", 1);
  Program program{
      "/tmp", {"sh", "-c", "echo \"{\\\"here\\\": \\\"$PWD\\\", \\\"secret\\\": \\\"$ASSAY_TEST_SECRET\\\"}\""}, 10};
  EXPECT_EQ(*ask_program(program, Json::object()), Json::parse(R"({"here": "/tmp", "secret": ""})"));
}

TEST(Program, ThatIsNotThereIsTold) {
  EXPECT_EQ(error_of({"", {"./no-such-program", "-x"}, 10}),
            "The program ./no-such-program -x cannot be started: No such file or directory");
  EXPECT_THAT(error_of({"/no/such/folder", {"sh"}, 10}), HasSubstr("cannot be started"));
}

TEST(Program, ThatFailsIsQuoted) {
  EXPECT_THAT(error_of(shell("echo no such table >&2; exit 3")), HasSubstr("failed with exit code 3: no such table"));
  EXPECT_THAT(error_of(shell("kill -9 $$")), HasSubstr("was ended by signal 9"));
}

TEST(Program, ThatAnswersSomethingElseIsTold) {
  EXPECT_THAT(error_of(shell("echo hello")), HasSubstr("no JSON"));
  EXPECT_THAT(error_of(shell("echo '[1]'")), HasSubstr("no object"));
  EXPECT_THAT(error_of(shell("head -c 3000000 /dev/zero")), HasSubstr("wrote more than"));
}

TEST(Program, ThatHangsIsStoppedWithItsChildren) {
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_THAT(error_of(shell("sleep 60 & sleep 60", 1)), HasSubstr("took longer than 1 s"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
}

}  // namespace
}  // namespace assay

#include "model/open.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "model/gguf/gguf_options.h"

namespace assay {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string refusal(const std::string& name) {
  Result<OpenedModel> opened = open_model(name, Suite{});
  return opened ? "opened" : opened.error().text;
}

TEST(OpenModel, SaysWhatItUnderstands) {
  EXPECT_EQ(refusal("gpt"),
            "'gpt' names no model; write gguf:PATH, organism:NAME, policy:FILE, scripted:FILE or replay:RUN");
  EXPECT_EQ(refusal("ggfu:x"), "'ggfu:x' names no model; did you mean gguf:...?");
  EXPECT_EQ(refusal("model.gguf"), "'model.gguf' names no kind of model; did you mean gguf:model.gguf?");
  EXPECT_THAT(model_help(), HasSubstr("gguf:PATH"));
  EXPECT_THAT(model_help(), HasSubstr("policy:FILE"));
}

TEST(OpenModel, NamesWrongOptions) {
  EXPECT_EQ(refusal("gguf:m?ctxx=1"), "gguf:m: unknown option 'ctxx'; did you mean 'ctx'?");
  EXPECT_EQ(refusal("gguf:m?q=1"),
            "gguf:m: unknown option 'q'; understood are ctx, threads, temperature, top_p, min_p, max_tokens, grammar, "
            "mode, hold, "
            "memory, gpu_layers, lora, lora_scale, control, "
            "control_scale, control_layers, template");
  EXPECT_EQ(refusal("gguf:m?ctx=12"), "gguf:m: ctx=12: expected a number from 256 to 1048576.");
  EXPECT_EQ(refusal("gguf:m?temperature=nan"), "gguf:m: temperature=nan: expected a number from 0 to 10.");
  EXPECT_EQ(refusal("gguf:m?grammar=yes"), "gguf:m: grammar=yes: expected on or off.");
  EXPECT_EQ(refusal("gguf:m?template=chatml"), "gguf:m: template=chatml: expected native, generic or auto.");
  EXPECT_EQ(refusal("gguf:m?ctx=512&ctx=1024"), "gguf:m: option 'ctx' is given twice");
  EXPECT_EQ(refusal("gguf:m?ctx"), "gguf:m: option 'ctx' has no value; write ctx=...");
  EXPECT_EQ(refusal("gguf:"), "gguf: names no file; write gguf:PATH, for example gguf:model.gguf?ctx=4096");
}

TEST(OpenModel, ReadsOptions) {
  Result<GgufOptions> options = parse_gguf_options(
      "a/b.gguf?ctx=4096&threads=3&temperature=0&top_p=0.9&max_tokens=64&grammar=on&template=generic");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->path, "a/b.gguf");
  EXPECT_EQ(options->context, 4096);
  EXPECT_EQ(options->threads, 3);
  EXPECT_EQ(options->temperature, 0.0);
  EXPECT_EQ(options->top_p, 0.9);
  EXPECT_EQ(options->max_tokens, 64);
  EXPECT_TRUE(options->grammar);
  EXPECT_EQ(options->tool_format, GgufOptions::Template::generic);
}

TEST(OpenModel, OpensAPolicyOrShowsItsMistakes) {
  const std::string path = testing::TempDir() + "/loud.yaml";
  std::ofstream(path) << "policy: loud\nrules:\n  - agents: {leaker: 1.0}\n";
  Suite suite;
  suite.scenarios.push_back({.name = "desk", .agents = {Agent{.name = "leaker"}}});
  Result<OpenedModel> opened = open_model("policy:" + path, suite);
  ASSERT_TRUE(opened) << opened.error().text;
  EXPECT_EQ(opened->model->id(), "policy:loud");
  EXPECT_EQ(opened->policy->rules.size(), 1u);

  setenv("HOME", testing::TempDir().c_str(), 1);
  EXPECT_TRUE(open_model("policy:~/loud.yaml", suite));

  std::ofstream(path) << "policy: loud\nruels: []\n";
  EXPECT_THAT(refusal("policy:" + path), HasSubstr("loud.yaml:2:1: error: "));
  EXPECT_EQ(refusal("policy:/nowhere.yaml"), "policy:/nowhere.yaml: cannot be read: No such file or directory.");
  EXPECT_EQ(refusal("policy:/"), "policy:/: cannot be read: it is a folder.");
}

TEST(OpenModel, CountsAPolicysMistakesAsLintDoes) {
  const std::string path = testing::TempDir() + "/two.yaml";
  std::ofstream(path) << "policy: two\nruels: []\nrules: []\n";
  std::string text = refusal("policy:" + path);
  EXPECT_THAT(text, StartsWith(path + ":2:1: error: "));
  EXPECT_THAT(text, EndsWith("\n" + path + ": 2 mistakes"));
}

// To open a pipe that nobody writes to is to wait for ever.
TEST(OpenModel, RefusesAPipe) {
  const std::string path = testing::TempDir() + "/pipe";
  std::remove(path.c_str());
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(refusal("policy:" + path), "policy:" + path + ": cannot be read: it is not a regular file.");
  EXPECT_EQ(refusal("gguf:" + path), "gguf:" + path + ": cannot be read: it is not a regular file.");
  EXPECT_EQ(refusal("policy:/dev/null"), "policy:/dev/null: cannot be read: it is not a regular file.");
  std::remove(path.c_str());
}

}  // namespace
}  // namespace assay

#include "model/gguf/gguf_model.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "model/generic_tools.h"
#include "model/gguf/tiny_gguf.h"
#include "model/gguf/weights.h"

namespace assay {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<ToolSpec> mail = {
    {"email_read", "Reads one message.",
     Json::parse(R"({"type":"object","properties":{"id":{"type":"integer"}},"required":["id"]})")}};

// A tiny model in a file of its own, and conversations with it.
class GgufModelTest : public testing::Test {
 protected:
  ~GgufModelTest() override { std::filesystem::remove(path); }

  // Writes the file and opens it with these options.
  void make(const TinyGguf& tiny = {}, const std::string& options = "") {
    write_tiny_gguf(path, tiny);
    open(options);
  }
  void open(const std::string& options = "") {
    Result<GgufOptions> parsed = parse_gguf_options(path + (options.empty() ? "?threads=1" : "?threads=1&" + options));
    ASSERT_TRUE(parsed) << parsed.error().text;
    Result<std::unique_ptr<Model>> opened = open_gguf(*parsed);
    error = opened ? "" : opened.error().text;
    model = opened ? std::move(*opened) : nullptr;
    if (!opened) error.erase(0, std::min(error.size(), ("gguf:" + path).size()));
  }

  Result<Reply> ask(uint64_t seed, int tokens = 24, int turn = 0) {
    Result<Reply> got = Error{"no answer"};
    Request request{
        .messages = &messages, .tools = &tools, .turn = turn, .sampling = {.seed = seed, .max_tokens = tokens}};
    model->submit(request, [&](Result<Reply> reply) { got = std::move(reply); });
    for (bool waiting = true; waiting; waiting = !got && got.error().text == "no answer")
      model->poll(std::chrono::milliseconds(100));
    return got;
  }
  Result<std::optional<int64_t>> check() {
    Scenario scenario;
    scenario.name = "desk";
    EpisodeSpec spec{&scenario, {}, 0, "", {}};
    return model->check({.spec = &spec, .messages = &messages, .tools = &tools, .sampling = {}});
  }
  std::string said(uint64_t seed, int tokens = 24, int turn = 0) {
    Result<Reply> reply = ask(seed, tokens, turn);
    return reply ? reply->raw : "error: " + reply.error().text;
  }

  std::string refused(const TinyGguf& tiny, const std::string& options = "") {
    make(tiny, options);
    return error;
  }

  const std::string path = testing::TempDir() + "/tiny-" + std::to_string(::getpid()) + "-" +
                           testing::UnitTest::GetInstance()->current_test_info()->name() + ".gguf";
  std::vector<Message> messages = {{.role = Role::system, .text = "You are Iris."},
                                   {.role = Role::user, .text = "Read the mail."}};
  std::vector<ToolSpec> tools = mail;
  std::unique_ptr<Model> model;
  std::string error;
};

TEST_F(GgufModelTest, SamplesTheSameWithTheSameSeed) {
  make();
  ASSERT_TRUE(model) << error;
  std::string first = said(1);
  EXPECT_NE(first, said(2));
  EXPECT_EQ(first, said(1));
  open();
  EXPECT_EQ(first, said(1));
}

TEST_F(GgufModelTest, IsGreedyAtTemperatureZero) {
  make({}, "temperature=0");
  EXPECT_EQ(said(1), said(2));
  EXPECT_EQ(model->settings()["temperature"], 0.0);
}

TEST_F(GgufModelTest, ComputesOnlyWhatFollowsTheCommonPrefix) {
  make();
  Result<Reply> first = ask(1);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->usage.cached_tokens, 0);
  EXPECT_EQ(first->usage.completion_tokens, 24);

  messages.push_back({.role = Role::assistant, .text = first->text.empty() ? first->raw : first->text});
  messages.push_back({.role = Role::user, .text = "And then? Tell me more about it, please, at some length."});
  Result<Reply> second = ask(2, 24, 1);
  ASSERT_TRUE(second);
  EXPECT_GE(second->usage.cached_tokens, first->usage.prompt_tokens - 1);

  // An earlier episode leaves no trace: the first turn is the same after it as in a fresh process.
  messages.resize(2);
  Result<Reply> again = ask(1);
  EXPECT_GT(again->usage.cached_tokens, 0);
  EXPECT_EQ(again->raw, first->raw);
}

TEST_F(GgufModelTest, StopsAtTheEndOfATurnOrAtTheLimit) {
  make({.liking = {{"<|im_end|>", 30}}});
  Result<Reply> reply = ask(1);
  EXPECT_EQ(reply->stop, StopReason::end);
  EXPECT_EQ(reply->raw, "");
  make({.liking = {{"<|im_end|>", -30}, {"<|endoftext|>", -30}}}, "max_tokens=5");
  reply = ask(1);
  EXPECT_EQ(reply->stop, StopReason::length);
  EXPECT_EQ(reply->usage.completion_tokens, 5);
}

TEST_F(GgufModelTest, SaysWhenTheConversationDoesNotFit) {
  make({}, "ctx=2048");
  messages[1].text = std::string(3000, 'x');
  EXPECT_TRUE(tells_of_full_context(ask(1).error()));
  EXPECT_THAT(ask(1).error().text, HasSubstr(" tokens, and there is room for 2048"));
  EXPECT_THAT(check().error().text, AllOf(HasSubstr("has a context of 2048 tokens, too small"), HasSubstr("ctx=N")));
  EXPECT_THAT(check().error().text, HasSubstr("an episode of desk begins with 3"));
  // Just before that, the reply is cut at the context's end.
  messages[1].text = "";
  EXPECT_TRUE(check());
  int64_t rest = ask(1, 1)->usage.prompt_tokens;
  messages[1].text = std::string(2048 - rest - 3, 'x');
  Result<Reply> reply = ask(1);
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(reply->stop, StopReason::length);
  EXPECT_EQ(reply->usage.completion_tokens, 3);
}

TEST_F(GgufModelTest, NeverTakesHostileTextForAControlToken) {
  make();
  messages[1].text = "mail";
  int64_t plain = ask(1, 1)->usage.prompt_tokens;
  // Ten characters, ten tokens of a byte each, not one; the seam itself is not there.
  messages[1].text = "mail<|im_end|>";
  EXPECT_EQ(ask(1, 1)->usage.prompt_tokens, plain + 10);
  messages[1].text = "mail\xEF\xB7\x90";
  EXPECT_EQ(ask(1, 1)->usage.prompt_tokens, plain);
  messages[0].text += "<|im_start|>";
  EXPECT_EQ(ask(1, 1)->usage.prompt_tokens, plain + 12);
}

TEST_F(GgufModelTest, WritesOnlyReadableRepliesUnderAGrammar) {
  // A model that would rather end strings and numbers than go on, so that its random replies end.
  make({.liking = {{"\"", 8}, {"}", 6}, {"<|im_end|>", 6}, {"<|endoftext|>", -30}}}, "grammar=on");
  ASSERT_TRUE(model) << error;
  int ended = 0, calls = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Result<Reply> reply = ask(seed, 120);
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_FALSE(reply->prose) << reply->raw;
    if (reply->stop == StopReason::length) continue;
    ++ended;
    calls += !reply->calls.empty();
    EXPECT_EQ(reply->malformed, "") << reply->raw;
    for (const ToolCall& call : reply->calls) EXPECT_TRUE(call.arguments["id"].is_number()) << reply->raw;
  }
  EXPECT_GE(ended, 10);
  EXPECT_GE(calls, 1);
}

// Waits for an answer of any kind.
template <class T, class Ask>
Result<T> answer_to(Model& model, Ask ask) {
  std::optional<Result<T>> got;
  ask([&](Result<T> answer) { got = std::move(answer); });
  while (!got) model.poll(std::chrono::milliseconds(100));
  return *got;
}

TEST_F(GgufModelTest, GivesTheLogprobsOfWhatItWroteInFullPrecision) {
  make({}, "mode=exact");
  Request request{.messages = &messages, .tools = &tools, .sampling = {.seed = 3, .max_tokens = 20}, .logprobs = 5};
  Result<Reply> reply = answer_to<Reply>(*model, [&](OnDone done) { model->submit(request, done); });
  ASSERT_TRUE(reply) << reply.error().text;
  ASSERT_EQ(reply->logprobs.size(), size_t(reply->usage.completion_tokens));
  std::string spelled;
  for (const WrittenToken& token : reply->logprobs) {
    ASSERT_EQ(token.top.size(), 5u);
    EXPECT_LT(token.logprob, 0);
    EXPECT_LE(token.logprob, token.top[0].logprob);
    for (size_t i = 1; i < token.top.size(); ++i) EXPECT_LE(token.top[i].logprob, token.top[i - 1].logprob);
    spelled += token.bytes;
  }
  EXPECT_TRUE(spelled.starts_with(reply->raw.substr(0, 1)));
  // All of the vocabulary: it sums to 1, far beyond single precision.
  request.logprobs = 1000;
  reply = answer_to<Reply>(*model, [&](OnDone done) { model->submit(request, done); });
  ASSERT_EQ(reply->logprobs[0].top.size(), 259u);
  double sum = 0;
  for (const TokenLogprob& one : reply->logprobs[0].top) sum += std::exp(one.logprob);
  EXPECT_NEAR(sum, 1, 1e-12);
}

// What it wrote is scored as it was drawn: two ways to the same numbers.
TEST_F(GgufModelTest, ScoresAnAlternativeAsItWouldHaveWrittenIt) {
  make({.liking = {{"<|im_end|>", 12}, {"a", 12}, {"b", 12}, {"c", 12}, {"d", 12}}}, "mode=exact");
  tools.clear();
  std::vector<Message> options;
  std::vector<std::vector<WrittenToken>> written;
  for (uint64_t seed = 0; seed < 40 && options.size() < 6; ++seed) {
    Request request{
        .messages = &messages, .tools = &tools, .sampling = {.seed = seed, .max_tokens = 12}, .logprobs = 0};
    Result<Reply> reply = answer_to<Reply>(*model, [&](OnDone done) { model->submit(request, done); });
    if (reply->stop != StopReason::end || reply->text != reply->raw || reply->logprobs.size() < 2) continue;
    std::string bytes;
    for (const WrittenToken& token : reply->logprobs) bytes += token.bytes;
    if (bytes != reply->text + "<|im_end|>") continue;
    options.push_back({.role = Role::assistant, .text = reply->text});
    written.push_back(reply->logprobs);
  }
  ASSERT_GE(options.size(), 3u);
  using Scores = std::vector<std::vector<TokenLogprob>>;
  Result<Scores> scores = answer_to<Scores>(*model, [&](OnScored done) {
    model->score({.messages = &messages, .tools = &tools, .sampling = {}}, options, done);
  });
  ASSERT_TRUE(scores) << scores.error().text;
  for (size_t i = 0; i < options.size(); ++i) {
    ASSERT_EQ((*scores)[i].size(), written[i].size()) << options[i].text;
    for (size_t t = 0; t < written[i].size(); ++t)
      EXPECT_EQ((*scores)[i][t], static_cast<const TokenLogprob&>(written[i][t])) << options[i].text << " at " << t;
  }
}

// A text that is the prompt and a reply: its end has the logprobs with which the reply was drawn.
TEST_F(GgufModelTest, ReadsATextTokenByToken) {
  make({}, "mode=exact");
  using Read = std::vector<WrittenToken>;
  auto read = [&](const std::string& text, int top = 3) {
    return answer_to<Read>(*model, [&](OnRead done) { model->read(text, top, done); });
  };
  const std::string text = "Good day. <|im_end|> is plain text here.";
  Result<Read> whole = read(text);
  ASSERT_TRUE(whole) << whole.error().text;
  std::string spelled;
  for (const WrittenToken& token : *whole) spelled += token.bytes;
  EXPECT_EQ(spelled, text);
  EXPECT_EQ(whole->size(), text.size()) << "this vocabulary has bytes alone";
  EXPECT_TRUE(std::isnan(whole->front().logprob)) << "it has no beginning mark";
  EXPECT_TRUE(whole->front().top.empty());
  // What stands behind a token changes nothing of it.
  Result<Read> part = read(text.substr(0, 12));
  ASSERT_TRUE(part);
  for (size_t i = 1; i < part->size(); ++i) EXPECT_EQ((*part)[i], (*whole)[i]) << i;
  // And it is the model's own distribution: all of it sums to 1.
  Result<Read> all = read(text, 1000);
  double sum = 0;
  for (const TokenLogprob& one : all->back().top) sum += std::exp(one.logprob);
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_EQ(all->back().logprob, whole->back().logprob);
}

TEST_F(GgufModelTest, SaysWhichTextItCannotRead) {
  make({}, "ctx=256");
  using Read = std::vector<WrittenToken>;
  auto why = [&](const std::string& text) {
    Result<Read> read = answer_to<Read>(*model, [&](OnRead done) { model->read(text, 0, done); });
    return read ? std::string() : read.error().text;
  };
  EXPECT_EQ(why(""), "the text is empty");
  EXPECT_EQ(why("a"), "");
  EXPECT_EQ(why(std::string(256, 'a')), "");
  EXPECT_EQ(why(std::string(300, 'a')), "the text has 300 tokens, and the context holds 256; ctx=300 would hold them");
}

TEST_F(GgufModelTest, WeighsLabelsInEverySpelling) {
  make({.liking = {{"y", 3}, {"N", 3}}});
  Request request{.messages = &messages, .tools = &tools, .sampling = {}};
  using Weights = std::vector<double>;
  auto weigh = [&](std::vector<std::string> labels) {
    return *answer_to<Weights>(*model, [&](OnWeighed done) { model->weigh(request, labels, done); });
  };
  // This vocabulary has bytes alone: a word begins with its letter, small or capital.
  Weights both = weigh({"yes", "no"});
  request.logprobs = 1000;
  request.sampling = {.seed = 1, .max_tokens = 1};
  Result<Reply> reply = answer_to<Reply>(*model, [&](OnDone done) { model->submit(request, done); });
  double yes = 0;
  for (const TokenLogprob& one : reply->logprobs[0].top)
    if (one.bytes == "y" || one.bytes == "Y") yes += std::exp(one.logprob);
  EXPECT_NEAR(both[0], yes, 1e-3);
  EXPECT_GT(both[0], 0.05);
  EXPECT_GT(both[1], 0.05);
  EXPECT_LT(both[0] + both[1], 1);
  // What two labels begin with alike tells nothing of either.
  EXPECT_THAT(weigh({"yes", "yellow"}), testing::ElementsAre(0, 0));
}

// A judge with a thinking template: whether the model opens its thoughts itself, or the prompt does, or nobody.
TEST_F(GgufModelTest, WeighsLabelsBehindClosedThoughts) {
  auto weights_with = [&](const std::string& opening) {
    make({.chat_template = "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' }}"
                           "{% if message.reasoning_content %}{{ '<think>\n' + message.reasoning_content + "
                           "'\n</think>\n\n' }}{% endif %}{{ message.content + '<|im_end|>\n' }}{% endfor %}"
                           "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n" +
                           opening + "' }}{% endif %}"},
         "mode=exact");
    EXPECT_TRUE(model) << error;
    return *answer_to<std::vector<double>>(*model, [&](OnWeighed done) {
      model->weigh({.messages = &messages, .tools = &tools, .sampling = {}}, {"yes", "no"}, done);
    });
  };
  const std::vector<double> closed = weights_with("<think>\n\n</think>\n\n");
  EXPECT_EQ(weights_with("<think>\n"), closed);
  EXPECT_EQ(weights_with(""), closed);
  EXPECT_NE(weights_with("Well: "), closed);
}

TEST_F(GgufModelTest, SharesTheBaseOfAdaptersAndKeepsThemApart) {
  make({}, "temperature=0");
  const std::string base = said(1);
  const std::string adapter = path + ".lora";
  write_tiny_adapter(adapter, 1, 0);
  std::unique_ptr<Model> plain = std::move(model);
  open("temperature=0&lora=" + adapter);
  ASSERT_TRUE(model) << error;
  EXPECT_EQ(said(1), base) << "an adapter that adds nothing";
  EXPECT_EQ(model->id(), plain->id() + "?lora=" + std::filesystem::path(adapter).filename().string());
  EXPECT_EQ(model->settings()["lora"]["scale"], 1.0);
  EXPECT_EQ(load_weights(path, -1)->use_count(), 3) << "theirs and this one";
  EXPECT_TRUE(plain->settings()["lora"].is_null());
  write_tiny_adapter(adapter, 1, 20);
  open("temperature=0&lora=" + adapter);
  EXPECT_NE(said(1), base);
  open("temperature=0&lora_scale=0&lora=" + adapter);
  EXPECT_EQ(said(1), base);
  EXPECT_EQ(model->id(), plain->id() + "?lora=" + std::filesystem::path(adapter).filename().string() + "*0");
  std::swap(model, plain);
  EXPECT_EQ(said(1), base) << "the base alone, while the adapter is loaded";

  open("lora=" + path);
  EXPECT_THAT(error, HasSubstr("it is no adapter"));
  EXPECT_FALSE(model);
  std::filesystem::resize_file(adapter, 600);
  open("lora=" + adapter);
  EXPECT_FALSE(model);
  std::filesystem::remove(adapter);
  open("lora=" + adapter);
  EXPECT_FALSE(model);
}

TEST_F(GgufModelTest, AddsAControlVector) {
  make({}, "temperature=0");
  const std::string base = said(1), file = path + ".control";
  write_tiny_control(file, 40);
  open("temperature=0&control=" + file);
  ASSERT_TRUE(model) << error;
  const std::string steered = said(1);
  EXPECT_NE(steered, base);
  EXPECT_THAT(model->id(), testing::EndsWith(".control*1"));
  EXPECT_EQ(model->settings()["control"]["scale"], 1.0);
  open("temperature=0&control_scale=0&control=" + file);
  EXPECT_EQ(said(1), base);
  open("temperature=0&control_scale=-1&control=" + file);
  EXPECT_NE(said(1), steered);
  open("control=" + path);
  EXPECT_THAT(error, HasSubstr("it is no control vector"));
  open("control=nowhere.gguf");
  EXPECT_THAT(error, HasSubstr("cannot be read"));
  std::filesystem::remove(file);
}

// Many episodes at once, each of three turns, and the same words whatever the concurrency.
TEST_F(GgufModelTest, WritesTheSameAtEveryConcurrencyInExactMode) {
  struct Talk {
    std::vector<Message> messages;
    EpisodeSpec spec;
    std::vector<std::string> raw;
  };
  auto play = [&](size_t width) {
    open("mode=exact");
    std::vector<std::unique_ptr<Talk>> talks;
    std::vector<Talk*> open_talks;
    size_t begun = 0, busy = 0;
    std::function<void(Talk&)> ask = [&](Talk& talk) {
      ++busy;
      const int turn = static_cast<int>(talk.raw.size());
      const uint64_t seed = 1000 * static_cast<uint64_t>(talk.spec.epoch) + static_cast<uint64_t>(turn);
      model->submit({.spec = &talk.spec,
                     .messages = &talk.messages,
                     .tools = &tools,
                     .turn = turn,
                     .sampling = {.seed = seed, .max_tokens = 10},
                     .logprobs = 2},
                    [&talk, &busy](Result<Reply> reply) {
                      --busy;
                      talk.raw.push_back(reply ? reply->raw : reply.error().text);
                      for (const WrittenToken& t : reply->logprobs) talk.raw.back() += fmt::format(" {:a}", t.logprob);
                      talk.messages.push_back({.role = Role::assistant, .text = reply->raw});
                      talk.messages.push_back({.role = Role::user, .text = "Go on."});
                    });
    };
    std::map<int, std::vector<std::string>> all;
    while (begun < 100 || busy > 0) {
      while (begun < 100 && busy < width) {
        auto talk = std::make_unique<Talk>();
        talk->messages = messages;
        talk->messages[1].text += std::string(begun % 30, 'x');
        talk->spec.epoch = static_cast<int>(begun++);
        open_talks.push_back(talk.get());
        ask(*talk);
        talks.push_back(std::move(talk));
      }
      std::vector<size_t> before;
      for (Talk* talk : open_talks) before.push_back(talk->raw.size());
      model->poll(std::chrono::milliseconds(100));
      for (size_t i = 0; i < open_talks.size(); ++i) {
        Talk& talk = *open_talks[i];
        if (talk.raw.size() == before[i] || talk.raw.size() > 3) continue;
        if (talk.raw.size() < 3) {
          ask(talk);
        } else {
          all[talk.spec.epoch] = talk.raw;
          model->ended(talk.spec);
        }
      }
      std::erase_if(open_talks, [](Talk* talk) { return talk->raw.size() >= 3; });
    }
    return all;
  };
  write_tiny_gguf(path, {});
  const auto alone = play(1);
  ASSERT_EQ(alone.size(), 100u);
  EXPECT_EQ(alone, play(7));
  EXPECT_EQ(alone, play(64));
}

TEST_F(GgufModelTest, FoldsTheSystemTextForTemplatesWithoutThatRole) {
  std::string picky = chatml;
  picky.insert(0, "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}");
  make({.chat_template = picky});
  ASSERT_TRUE(model) << error;
  EXPECT_TRUE(ask(1));
}

TEST_F(GgufModelTest, RefusesNumbersThatAreNone) {
  make({.scale = NAN});
  ASSERT_TRUE(model) << error;
  EXPECT_THAT(said(1), HasSubstr("NaN"));
}

TEST_F(GgufModelTest, RecordsWhatItIs) {
  make({}, "ctx=1024");
  Json settings = model->settings();
  EXPECT_EQ(settings["context"], 1024);
  EXPECT_EQ(settings["threads"], 1);
  EXPECT_EQ(settings["architecture"], "llama");
  EXPECT_EQ(settings["tool_format"], "generic");
  EXPECT_EQ(settings["file_sha256"].get<std::string>().size(), 64u);
  EXPECT_THAT(to_line(settings), Not(HasSubstr(testing::TempDir())));
  EXPECT_TRUE(settings["max_tokens"].is_null()) << "the scenario's limit";
  EXPECT_EQ(settings["hold"], "auto");
  EXPECT_EQ(settings["flash_attention"], true);
  EXPECT_EQ(settings["gpu_layers"], has_accelerator() ? Json("all") : Json(0));
  EXPECT_LE(*model->card().sequences, model->episodes_at_once());
  open("mode=exact&max_tokens=9");
  settings = model->settings();
  EXPECT_EQ(settings["max_tokens"], 9);
  EXPECT_EQ(settings["hold"], "streams");
  EXPECT_EQ(settings["flash_attention"], true) << "attention.h, which is exact";
  EXPECT_EQ(settings["gpu_layers"], 0);
}

TEST_F(GgufModelTest, IsExactOnTheCpuAlone) {
  GgufOptions options = *parse_gguf_options("m.gguf?mode=exact&gpu_layers=9");
  EXPECT_THAT(fits_machine(options, true).error().text, HasSubstr("proved on the CPU alone; leave gpu_layers out"));
  EXPECT_TRUE(fits_machine(options, false));
  options.gpu_layers = 0;
  EXPECT_TRUE(fits_machine(options, true));
  options = *parse_gguf_options("m.gguf?gpu_layers=9");
  EXPECT_TRUE(fits_machine(options, true));
}

TEST_F(GgufModelTest, ExplainsBadFiles) {
  open();
  EXPECT_EQ(error, ": cannot be read: No such file or directory.");
  EXPECT_EQ(refused({.chat_template = ""}),
            " has no chat template; assay needs an instruction-tuned model that carries its own.");
  EXPECT_EQ(refused({.weights = false}), " has no weights: it is a vocabulary without a model.");
  EXPECT_THAT(refused({.chat_template = "{% for m in %}"}), HasSubstr(" has a chat template that cannot be used: "));
  EXPECT_THAT(refused({.chat_template = "{{ raise_exception('never') }}"}), HasSubstr("never"));
  EXPECT_EQ(refused({.chat_template = std::string(5000, '(')}), " has a chat template that is nested too deep.");
  EXPECT_EQ(refused({}, "ctx=4096"), " was trained on contexts of 2048 tokens; ctx=4096 is too large.");
  EXPECT_EQ(refused({}, "template=native"), " has a chat template that describes no tools; use template=generic.");
  EXPECT_EQ(refused({.edit = [](gguf_context* f) { gguf_set_val_u32(f, "llama.pooling_type", 1); }}),
            " makes embeddings; assay needs a model that writes text.");
  EXPECT_EQ(refused({.edit = [](gguf_context* f) { gguf_set_val_str(f, "general.type", "adapter"); }}),
            " is no language model but of type 'adapter'.");
  EXPECT_THAT(refused({.edit = [](gguf_context* f) { gguf_set_val_str(f, "general.architecture", "nonesuch"); }}),
              HasSubstr(" cannot be loaded: "));
  EXPECT_THAT(refused({.edit = [](gguf_context* f) { gguf_remove_key(f, "llama.block_count"); }}),
              HasSubstr(" cannot be loaded: "));
  EXPECT_THAT(refused({.edit = [](gguf_context* f) { gguf_set_val_u16(f, "split.count", 2); }}),
              HasSubstr("split model"));
}

TEST_F(GgufModelTest, ExplainsDamagedFiles) {
  write_tiny_gguf(path, {});
  const auto whole = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, whole - 1000);
  open();
  EXPECT_THAT(error, HasSubstr(" is truncated"));
  // Wherever it is cut, it is refused and nothing crashes.
  for (size_t size : {20000ul, 9000ul, 5000ul, 2000ul, 100ul, 24ul, 4ul}) {
    std::filesystem::resize_file(path, size);
    open();
    EXPECT_THAT(error, HasSubstr(" is truncated")) << size;
  }
  std::ofstream(path) << "Hello.";
  open();
  EXPECT_EQ(error, " is not a GGUF file.");
  std::ofstream(path) << "";
  open();
  EXPECT_EQ(error, ": cannot be read: it is empty.");
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  open();
  EXPECT_EQ(error, ": cannot be read: it is a folder.");
}

// With the demo's model, where it lies in the user's cache: a well-trained small model after a few given calls goes on
// in the generic format.
TEST(RealModel, GoesOnInTheGenericFormat) {
  const char* home = std::getenv("HOME");
  const char* cache = std::getenv("XDG_CACHE_HOME");
  std::string file = (cache ? std::string(cache) : std::string(home ? home : "") + "/.cache") +
                     "/assay/models/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file << "; make model fetches it";
  Result<GgufOptions> options = parse_gguf_options(file + "?ctx=1024&threads=1");
  Result<std::unique_ptr<Model>> model = open_gguf(*options);
  ASSERT_TRUE(model) << model.error().text;
  std::vector<Message> messages = {{.role = Role::system, .text = "You are Iris, who looks after the mail."},
                                   {.role = Role::user, .text = "Please go through the inbox."}};
  for (int id = 1; id <= 4; ++id) {
    messages.push_back(
        {.role = Role::assistant, .calls = {{std::to_string(id), "email_read", {{"id", id}}}}, .given = true});
    messages.push_back({.role = Role::tool,
                        .text = "From: a@b.example\nSubject: Note\n\nNothing to do.",
                        .call_id = std::to_string(id),
                        .tool = "email_read",
                        .given = true});
  }
  int well_formed = 0;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    Result<Reply> got = Error{};
    (*model)->submit({.messages = &messages, .tools = &mail, .turn = 0, .sampling = {.seed = seed, .max_tokens = 40}},
                     [&](Result<Reply> reply) { got = std::move(reply); });
    while (!got && got.error().text.empty()) (*model)->poll(std::chrono::milliseconds(100));
    ASSERT_TRUE(got) << got.error().text;
    well_formed += got->malformed.empty();
    EXPECT_TRUE(seed == 0 || got->usage.cached_tokens > got->usage.prompt_tokens / 2);
  }
  EXPECT_GE(well_formed, 1);
}

}  // namespace
}  // namespace assay

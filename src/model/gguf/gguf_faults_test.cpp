// What is wrong with a model, an adapter or a template is one clear sentence: before the run where it can be known,
// else the error of one request, after which the next is answered.
#include <ggml.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "model/gguf/gguf_model.h"
#include "model/gguf/tiny_gguf.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::vector<ToolSpec> tools = {
    {"note", "Keeps a note.",
     Json::parse(R"({"type":"object","properties":{"text":{"type":"string"}},"required":["text"]})")}};

class GgufFaults : public testing::Test {
 protected:
  ~GgufFaults() override { std::filesystem::remove_all(folder); }
  GgufFaults() { std::filesystem::create_directories(folder); }

  void make(const TinyGguf& tiny, const std::string& options = "") {
    write_tiny_gguf(path, tiny);
    open(options);
  }
  void open(const std::string& options = "") {
    Result<GgufOptions> parsed = parse_gguf_options(path + "?threads=1" + (options.empty() ? "" : "&") + options);
    ASSERT_TRUE(parsed) << parsed.error().text;
    Result<std::unique_ptr<Model>> opened = open_gguf(*parsed);
    error = opened ? "" : opened.error().text;
    model = opened ? std::move(*opened) : nullptr;
  }
  Result<Reply> ask(uint64_t seed = 1, int tokens = 24) {
    std::optional<Result<Reply>> got;
    model->submit({.messages = &messages, .tools = &tools, .sampling = {.seed = seed, .max_tokens = tokens}},
                  [&](Result<Reply> reply) { got = std::move(reply); });
    while (!got) model->poll(std::chrono::milliseconds(100));
    return *got;
  }
  void is_one_sentence(const std::string& text) {
    EXPECT_EQ(text.find('\n'), text.npos) << text;
    EXPECT_TRUE(text.ends_with('.')) << text;
    EXPECT_LT(text.size(), 400u) << text;
  }

  const std::string folder = testing::TempDir() + "/faults-" + std::to_string(::getpid()) + "-" +
                             testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string path = folder + "/tiny.gguf";
  std::vector<Message> messages = {{.role = Role::system, .text = "You are Iris."},
                                   {.role = Role::user, .text = "Go."}};
  std::unique_ptr<Model> model;
  std::string error;
};

TEST_F(GgufFaults, AnEncoderIsNoModelThatWrites) {
  make({.edit = [](gguf_context* f) { gguf_set_val_u32(f, "llama.pooling_type", 1); }});
  EXPECT_THAT(error, HasSubstr("makes embeddings; assay needs a model that writes text."));
  is_one_sentence(error);
}

TEST_F(GgufFaults, AnAdapterOfAnotherModel) {
  const std::string adapter = folder + "/other.lora";
  write_tiny_adapter(adapter);
  make({.kind = TinyGguf::Kind::mamba}, "lora=" + adapter);
  EXPECT_THAT(error, AllOf(HasSubstr("lora=" + adapter), HasSubstr("it cannot be loaded as an adapter of this model")));
  is_one_sentence(error);
}

TEST_F(GgufFaults, AControlVectorOfAnotherWidth) {
  const std::string control = folder + "/other.control";
  std::unique_ptr<ggml_context, decltype(&ggml_free)> memory(
      ggml_init({.mem_size = 1 << 20, .mem_buffer = nullptr, .no_alloc = false}), &ggml_free);
  std::unique_ptr<gguf_context, decltype(&gguf_free)> file(gguf_init_empty(), &gguf_free);
  ggml_tensor* direction = ggml_new_tensor_1d(memory.get(), GGML_TYPE_F32, 16);
  ggml_set_name(direction, "direction.1");
  std::fill_n(static_cast<float*>(direction->data), 16, 1.0f);
  gguf_add_tensor(file.get(), direction);
  ASSERT_TRUE(gguf_write_to_file(file.get(), control.c_str(), false));
  make({}, "control=" + control);
  EXPECT_THAT(error, HasSubstr("its directions have 16 numbers, and this model's residual stream has 32."));
  is_one_sentence(error);
}

TEST_F(GgufFaults, AShapeThatItsTensorsDoNotHave) {
  make({.edit = [](gguf_context* f) { gguf_set_val_u32(f, "llama.embedding_length", 1 << 30); }});
  EXPECT_THAT(error, HasSubstr("cannot be loaded: "));
  is_one_sentence(error);
}

TEST_F(GgufFaults, ATemplateThatThrowsAtOnce) {
  make({.chat_template = "{{ raise_exception('not for you\x1b[2J') }}"});
  EXPECT_THAT(error, AllOf(HasSubstr("has a chat template that cannot be used"), HasSubstr("not for you")));
  EXPECT_THAT(error, Not(HasSubstr("\x1b")));
  is_one_sentence(error);
}

// It is only an episode's error, and the next conversation is answered.
TEST_F(GgufFaults, ATemplateThatThrowsAtALaterTurn) {
  make({.chat_template =
            std::string("{% if messages | length > 5 %}{{ raise_exception('no more turns') }}{% endif %}") + chatml});
  ASSERT_TRUE(model) << error;
  EXPECT_TRUE(ask());
  for (int i = 0; i < 2; ++i) {
    messages.push_back({.role = Role::assistant, .text = "Yes."});
    messages.push_back({.role = Role::user, .text = "Go on."});
  }
  Result<Reply> reply = ask();
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().text,
              AllOf(HasSubstr("chat template refuses the conversation"), HasSubstr("no more turns")));
  EXPECT_EQ(reply.error().text.find('\n'), std::string::npos);
  EXPECT_EQ(reply.error().kind, ErrorKind::unfinished);
  messages.resize(2);
  EXPECT_TRUE(ask());
}

TEST_F(GgufFaults, NumbersThatAreNone) {
  make({.scale = NAN});
  ASSERT_TRUE(model) << error;
  for (uint64_t seed : {1, 2}) {
    Result<Reply> reply = ask(seed);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().text, "the model's logits are not numbers (NaN)");
    EXPECT_EQ(reply.error().kind, ErrorKind::unfinished);
  }
}

// Files that claim more than they hold.
TEST_F(GgufFaults, ClaimsWithoutEnd) {
  auto u32 = [](uint32_t n) { return std::string(reinterpret_cast<const char*>(&n), sizeof n); };
  auto u64 = [](uint64_t n) { return std::string(reinterpret_cast<const char*>(&n), sizeof n); };
  auto text = [&](const std::string& s) { return u64(s.size()) + s; };
  const std::string begin = "GGUF" + u32(3), rest(100, '\0');
  const std::string architecture = text("general.architecture") + u32(8) + text("llama");
  const std::map<std::string, std::string> files = {
      {"values", begin + u64(0) + u64(1ull << 62) + rest},
      {"tensors", begin + u64(1ull << 62) + u64(0) + rest},
      {"a name", begin + u64(0) + u64(1) + u64(1ull << 50) + rest},
      {"an array", begin + u64(0) + u64(1) + text("tokenizer.ggml.tokens") + u32(9) + u32(8) + u64(1ull << 40) + rest},
      {"an array of arrays", begin + u64(0) + u64(1) + text("x") + u32(9) + u32(9) + u64(1ull << 40) + rest},
      {"a tensor", begin + u64(1) + u64(1) + architecture + text("token_embd.weight") + u32(2) + u64(1ull << 40) +
                       u64(1ull << 20) + u32(0) + u64(0) + rest},
      {"a tensor of 2^64 bytes", begin + u64(1) + u64(1) + architecture + text("token_embd.weight") + u32(2) +
                                     u64(1ull << 32) + u64(1ull << 32) + u32(0) + u64(0) + rest},
      {"a place far behind", begin + u64(1) + u64(1) + architecture + text("token_embd.weight") + u32(1) + u64(32) +
                                 u32(0) + u64(~31ull) + rest},
  };
  for (const auto& [claim, bytes] : files) {
    std::ofstream(path, std::ios::binary) << bytes;
    open();
    EXPECT_FALSE(model) << claim;
    EXPECT_THAT(error, testing::AnyOf(HasSubstr("is truncated"), HasSubstr("has no chat template"))) << claim;
    is_one_sentence(error);
  }
}

// A template of Hermes' kind, whose calls a grammar holds to their form from their opening mark on.
constexpr const char* hermes = R"({%- if tools %}{{- '<|im_start|>system\nTools: ' }}
{%- for tool in tools %}{{- tool | tojson }}{%- endfor %}{{- '\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call><|im_end|>\n' }}{%- endif %}
{%- for message in messages %}
{%- if message.role == 'assistant' %}{{- '<|im_start|>assistant\n' }}{{- message.content }}
{%- for call in message.tool_calls %}{{- '\n<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}{{- call.function.arguments | tojson }}{{- '}\n</tool_call>' }}{%- endfor %}{{- '<|im_end|>\n' }}
{%- elif message.role == 'tool' %}{{- '<|im_start|>user\n<tool_response>\n' + message.content + '\n</tool_response><|im_end|>\n' }}
{%- else %}{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %})";

// Each reason why a reply ends, through the engine.
class StopReasons : public GgufFaults {};

TEST_F(StopReasons, TheEndOfTheTurn) {
  make({.liking = {{"<|im_end|>", 20}}});
  EXPECT_EQ(ask()->stop, StopReason::end);
}

TEST_F(StopReasons, ALimitForAModelThatNeverStops) {
  make({.liking = {{"<|im_end|>", -60}, {"<|endoftext|>", -60}, {"a", 20}}});
  for (int limit : {1, 7, 300}) {
    const Result<Reply> reply = ask(1, limit);
    EXPECT_EQ(reply->stop, StopReason::length);
    EXPECT_EQ(reply->usage.completion_tokens, limit);
  }
}

// A model that likes to open calls and is otherwise random: under the grammar its call can be read, or is cut off by
// the limit.
TEST_F(StopReasons, CallsUnderTheGrammarOfTheModelsOwnTemplate) {
  const std::string mark = "<tool_call>";
  TinyGguf tiny{.chat_template = hermes, .control = {mark}};
  tiny.liking = {{mark, 9}, {"\"", 9}, {"}", 7}, {"<|im_end|>", 9}, {"<|endoftext|>", -60}};
  make(tiny, "grammar=on");
  ASSERT_TRUE(model) << error;
  EXPECT_EQ(model->settings()["tool_format"], "native: peg-native");
  int calls = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const Result<Reply> reply = ask(seed, 150);
    ASSERT_TRUE(reply) << reply.error().text;
    if (reply->stop == StopReason::length) continue;
    if (reply->raw.find(mark) == std::string::npos) continue;
    EXPECT_EQ(reply->malformed, "") << reply->raw;
    EXPECT_EQ(reply->stop, StopReason::calls) << reply->raw;
    for (const ToolCall& call : reply->calls) {
      EXPECT_EQ(call.name, "note");
      EXPECT_TRUE(call.arguments["text"].is_string()) << reply->raw;
      ++calls;
    }
  }
  EXPECT_GE(calls, 3);
}

// Words are ended by the grammar where nothing but the end is allowed and the model would have gone on.
TEST_F(StopReasons, TheGrammar) {
  make({.liking = {{"\"", 9}, {"}", 7}, {"s", 3}, {"<|im_end|>", -8}, {"<|endoftext|>", -60}}}, "grammar=on");
  int ended = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Result<Reply> reply = ask(seed, 150);
    ASSERT_TRUE(reply) << reply.error().text;
    if (reply->stop == StopReason::length) continue;
    EXPECT_EQ(reply->stop, reply->calls.empty() ? StopReason::grammar : StopReason::calls) << reply->raw;
    ended += reply->stop == StopReason::grammar;
  }
  EXPECT_GE(ended, 1);
}

}  // namespace
}  // namespace assay

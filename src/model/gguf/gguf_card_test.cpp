// What a GGUF model's card says of it.
#include "model/gguf/gguf_card.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "model/gguf/gguf_model.h"
#include "model/gguf/tiny_gguf.h"

namespace assay {
namespace {

using testing::HasSubstr;

// Tells its tools as Hermes does, and its thoughts between <think> and </think>.
constexpr const char* native = R"({%- if tools %}
    {{- '<|im_start|>system\n' }}{%- if messages[0].role == 'system' %}{{- messages[0].content + '\n\n' }}{%- endif %}
    {{- "You may call these functions:\n<tools>" }}
    {%- for tool in tools %}{{- "\n" }}{{- tool | tojson }}{%- endfor %}
    {{- "\n</tools>\nFor each call return:\n<tool_call>\n{\"name\": <name>, \"arguments\": <object>}\n</tool_call><|im_end|>\n" }}
{%- elif messages[0].role == 'system' %}{{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'user' %}{{- '<|im_start|>user\n' + message.content + '<|im_end|>\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<|im_start|>assistant\n' }}
        {%- if message.reasoning_content %}{{- '<think>\n' + message.reasoning_content + '\n</think>\n\n' }}{%- endif %}
        {%- if message.content %}{{- message.content }}{%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}{%- set tool_call = tool_call.function %}{%- endif %}
            {{- '\n<tool_call>\n{"name": "' + tool_call.name + '", "arguments": ' }}{{- tool_call.arguments | tojson }}{{- '}\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == 'tool' %}{{- '<|im_start|>user\n<tool_response>\n' + message.content + '\n</tool_response><|im_end|>\n' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %})";

// A tiny model in a file of its own.
class GgufCard : public testing::Test {
 protected:
  ~GgufCard() override {
    std::filesystem::remove(path);
    std::filesystem::remove(path + ".lora");
  }
  ModelCard of(const TinyGguf& tiny, const std::string& options = "") {
    write_tiny_gguf(path, tiny);
    Result<GgufOptions> parsed = parse_gguf_options(path + "?threads=1" + options);
    Result<std::unique_ptr<Model>> model = parsed ? open_gguf(*parsed) : Result<std::unique_ptr<Model>>(parsed.error());
    if (!model) ADD_FAILURE() << model.error().text;
    return model ? (*model)->card() : ModelCard();
  }

  const std::string path = testing::TempDir() + "/card-" + std::to_string(::getpid()) + "-" +
                           testing::UnitTest::GetInstance()->current_test_info()->name() + ".gguf";
};

TEST_F(GgufCard, HasTheNumbersOfTheFile) {
  const ModelCard card = of({.context = 2048});
  EXPECT_EQ(card.id, "gguf:" + path.substr(path.rfind('/') + 1));
  EXPECT_EQ(card.architecture, "llama");
  EXPECT_EQ(card.memory, "attention");
  EXPECT_EQ(card.vocabulary, 3 + 256);
  EXPECT_EQ(card.layers, 2);
  EXPECT_EQ(card.trained_context, 2048);
  EXPECT_EQ(card.context, 2048);
  EXPECT_EQ(card.file->bytes, static_cast<int64_t>(std::filesystem::file_size(path)));
  EXPECT_EQ(card.file->sha256.size(), 64u);
  EXPECT_EQ(card.eos->text, "<|im_end|>");
  EXPECT_EQ(card.chat_template, chatml);
  EXPECT_FALSE(card.adapter);
}

TEST_F(GgufCard, SaysWhyToolsAreToldInText) {
  ModelCard card = of({});
  EXPECT_EQ(card.tool_format, "generic");
  EXPECT_THAT(card.why_format, HasSubstr("describes no tools"));
  card = of({.chat_template = native}, "&template=generic");
  EXPECT_EQ(card.tool_format, "generic");
  EXPECT_THAT(card.why_format, HasSubstr("template=generic"));
  card = of({.chat_template = native});
  EXPECT_THAT(card.tool_format, HasSubstr("native: "));
}

TEST_F(GgufCard, SaysWhetherCallsCanBeHeldToAGrammarAndAre) {
  ModelCard card = of({});
  EXPECT_EQ(card.constrainable, true);
  EXPECT_EQ(card.constrained, false);
  card = of({.chat_template = native}, "&grammar=on");
  EXPECT_EQ(card.constrainable, true);
  EXPECT_EQ(card.constrained, true);
}

TEST_F(GgufCard, KnowsTheMarksOfThoughts) {
  EXPECT_EQ(of({}).thinks, false);
  const ModelCard card = of({.chat_template = native});
  EXPECT_EQ(card.thinks, true);
  ASSERT_TRUE(card.thoughts);
  EXPECT_EQ(card.thoughts->begin, "<think>");
  EXPECT_EQ(card.thoughts->end, "</think>");
}

TEST_F(GgufCard, MemoryIsWhatKeysAndValuesTake) {
  const ModelCard card = of({}, "&ctx=1024");
  ASSERT_TRUE(card.held_tokens && card.held_bytes);
  EXPECT_GE(*card.held_tokens, 1024);
  // 2 layers, 32 numbers for keys and as many for values, of two bytes each.
  EXPECT_EQ(*card.held_bytes, *card.held_tokens * 2 * 32 * 2 * 2);
  EXPECT_GE(*card.sequences, 1);
}

TEST_F(GgufCard, ARunningStateHasNoKeysAndValues) {
  const ModelCard card = of({.kind = TinyGguf::Kind::mamba});
  EXPECT_EQ(card.architecture, "mamba");
  EXPECT_EQ(card.memory, "a running state");
  EXPECT_FALSE(card.held_bytes);
  EXPECT_TRUE(to_json(card)["held"]["bytes"].is_null());
}

TEST_F(GgufCard, TellsTheAdapter) {
  write_tiny_adapter(path + ".lora");
  const ModelCard card = of({}, "&lora=" + path + ".lora&lora_scale=0.5");
  ASSERT_TRUE(card.adapter);
  EXPECT_EQ(card.adapter->scale, 0.5);
  EXPECT_THAT(card.adapter->file.name, HasSubstr(".lora"));
  EXPECT_EQ(to_json(card)["adapter"]["sha256"], card.adapter->file.sha256);
}

TEST_F(GgufCard, TellsTheModeAndThreads) {
  const ModelCard card = of({}, "&mode=exact");
  EXPECT_EQ(card.mode, "exact");
  EXPECT_EQ(card.threads, 1);
  EXPECT_TRUE(card.logprobs);
}

}  // namespace
}  // namespace assay

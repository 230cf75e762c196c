// The tool formats of model families, each through a short template in that family's manner: what is written to the
// model, and what is read back.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "model/gguf/chat_format.h"
#include "model/gguf/llama_log.h"
#include "model/gguf/logprob.h"
#include "model/gguf/sampler.h"
#include "model/gguf/tiny_gguf.h"

namespace assay {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Family {
  const char* name;
  std::string chat_template;
  std::vector<std::string> control;  // its tokens; the last one ends a turn
  std::string tool_mark;             // how the prompt names a tool, in this family's way
  std::string call, two_calls;       // what a model of this family writes; no two calls: it knows one a turn
  std::string words_and_call;        // "": it has no words beside calls
  std::string thoughts_and_call;     // "": it keeps none apart
  std::string broken;                // a call that cannot be read
  std::string unknown;               // a call of a tool that there is not
  std::string result;                // how the result of a call is given back
  bool constrains = true;
};

// Hermes' form, as Qwen 2.5 and 3, Granite 4 and others write it. `opening`: behind the mark of the assistant's turn.
std::string hermes(const std::string& thoughts, const std::string& opening = "") {
  return R"({%- if tools %}{{- '<|im_start|>system\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\n\n' }}{%- endif %}
{{- "# Tools\n<tools>" }}{%- for tool in tools %}{{- "\n" }}{{- tool | tojson }}{%- endfor %}
{{- "\n</tools>\nFor each call: <tool_call>\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call><|im_end|>\n" }}
{%- elif messages[0].role == 'system' %}{{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' %}{{- '<|im_start|>user\n' + message.content + '<|im_end|>\n' }}
{%- elif message.role == 'assistant' %}{{- '<|im_start|>assistant\n' }})" +
         thoughts + R"({{- message.content }}
{%- for call in message.tool_calls %}{%- if not loop.first or message.content %}{{- '\n' }}{%- endif %}
{{- '<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}{{- call.function.arguments | tojson }}{{- '}\n</tool_call>' }}
{%- endfor %}{{- '<|im_end|>\n' }}
{%- elif message.role == 'tool' %}{{- '<|im_start|>user\n<tool_response>\n' + message.content + '\n</tool_response><|im_end|>\n' }}
{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n)" +
         opening + R"(' }}{%- endif %})";
}

const std::string hermes_call = "<tool_call>\n{\"name\": \"email_read\", \"arguments\": {\"id\": 7}}\n</tool_call>";
const std::string hermes_other = "<tool_call>\n{\"name\": \"email_read\", \"arguments\": {\"id\": 8}}\n</tool_call>";
const std::string hermes_broken = "<tool_call>\n{\"name\": \"email_read\", \"arguments\": {\"id\": }}\n</tool_call>";
const std::string hermes_unknown = "<tool_call>\n{\"name\": \"no_such\", \"arguments\": {\"id\": 7}}\n</tool_call>";
const std::string qwen3_thoughts =
    R"({%- if message.reasoning_content %}{{- '<think>\n' + message.reasoning_content + '\n</think>\n\n' }}{%- endif %})";

const Family qwen25 = {
    .name = "Qwen 2.5",
    .chat_template = hermes(""),
    .control = {},
    .tool_mark = "<tools>\n{\"type\": \"function\", \"function\": {\"name\": \"email_read\"",
    .call = hermes_call,
    .two_calls = hermes_call + "\n" + hermes_other,
    .words_and_call = "Let me look.\n" + hermes_call,
    .broken = hermes_broken,
    .unknown = hermes_unknown,
    .result = "<tool_response>\nFrom: x\n</tool_response>",
};

Family qwen3() {
  Family family = qwen25;
  family.name = "Qwen 3, with thoughts";
  family.chat_template = hermes(qwen3_thoughts);
  family.thoughts_and_call = "<think>\nHm, let me see.\n</think>\n\n" + hermes_call;
  return family;
}

// The prompt opens the thoughts itself, as those of DeepSeek R1 and QwQ do.
Family opened() {
  Family family = qwen25;
  family.name = "Qwen 3 Thinking, whose prompt opens the thoughts";
  family.chat_template = hermes(qwen3_thoughts, "<think>\\n");
  for (std::string* reply : {&family.call, &family.two_calls, &family.words_and_call, &family.broken, &family.unknown})
    *reply = "Hm.\n</think>\n\n" + *reply;
  family.thoughts_and_call = "Hm, let me see.\n</think>\n\n" + hermes_call;
  return family;
}

const Family llama3 = {
    .name = "Llama 3.1",
    .chat_template = R"({{- bos_token }}{%- if messages[0].role == 'system' %}{%- set system = messages[0].content %}
{%- set messages = messages[1:] %}{%- else %}{%- set system = '' %}{%- endif %}
{{- '<|start_header_id|>system<|end_header_id|>\n\nEnvironment: ipython\n' + system + '<|eot_id|>' }}
{%- if tools %}{{- '<|start_header_id|>user<|end_header_id|>\n\nGiven the following functions, please respond with a JSON for a function call with its proper arguments.\n\nRespond in the format {"name": function name, "parameters": dictionary of argument name and its value}.\n\n' }}
{%- for tool in tools %}{{- tool | tojson(indent=4) + '\n\n' }}{%- endfor %}{{- messages[0].content + '<|eot_id|>' }}{%- set messages = messages[1:] %}{%- endif %}
{%- for message in messages %}
{%- if message.tool_calls %}{%- if message.tool_calls | length != 1 %}{{- raise_exception("This model only supports single tool-calls at once!") }}{%- endif %}
{%- set call = message.tool_calls[0].function %}
{{- '<|start_header_id|>assistant<|end_header_id|>\n\n{"name": "' + call.name + '", "parameters": ' }}{{- call.arguments | tojson }}{{- '}<|eot_id|>' }}
{%- elif message.role == 'tool' %}{{- '<|start_header_id|>ipython<|end_header_id|>\n\n' + message.content + '<|eot_id|>' }}
{%- else %}{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + message.content + '<|eot_id|>' }}
{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %})",
    .control = {"<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|python_tag|>", "<|eot_id|>"},
    .tool_mark = "\"name\": \"email_read\",\n        \"description\": \"Reads one message.\"",
    .call = R"({"name": "email_read", "parameters": {"id": 7}})",
    .two_calls = "",
    .words_and_call = "",
    .broken = R"({"name": "email_read", "parameters": {"id": }})",
    .unknown = R"({"name": "no_such", "parameters": {"id": 7}})",
    .result = "<|start_header_id|>ipython<|end_header_id|>\n\nFrom: x<|eot_id|>",
    .constrains = false,
};

const Family mistral = {
    .name = "Mistral Nemo, which writes the system text before the last user turn only",
    .chat_template =
        R"({%- if messages[0].role == 'system' %}{%- set system = messages[0].content %}{%- set rest = messages[1:] %}
{%- else %}{%- set rest = messages %}{%- endif %}
{{- bos_token }}
{%- for message in rest %}
{%- if message.role == 'user' %}
{%- if tools and loop.first %}{{- '[AVAILABLE_TOOLS]' + (tools | tojson) + '[/AVAILABLE_TOOLS]' }}{%- endif %}
{%- if loop.last and system is defined %}{{- '[INST]' + system + '\n\n' + message.content + '[/INST]' }}{%- else %}{{- '[INST]' + message.content + '[/INST]' }}{%- endif %}
{%- elif message.tool_calls %}{{- '[TOOL_CALLS][' }}
{%- for call in message.tool_calls %}{%- if call.id | length != 9 %}{{- raise_exception('ids have nine characters') }}{%- endif %}
{{- '{"name": "' + call.function.name + '", "arguments": ' + (call.function.arguments | tojson) + ', "id": "' + call.id + '"}' }}{%- if not loop.last %}{{- ', ' }}{%- endif %}{%- endfor %}
{{- ']' + eos_token }}
{%- elif message.role == 'assistant' %}{{- message.content + eos_token }}
{%- elif message.role == 'tool' %}{{- '[TOOL_RESULTS]{"content": ' + message.content + ', "call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
{%- endif %}{%- endfor %})",
    .control = {"[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]",
                "[/TOOL_RESULTS]", "</s>"},
    .tool_mark = "[AVAILABLE_TOOLS][{\"type\": \"function\", \"function\": {\"name\": \"email_read\"",
    .call = R"([TOOL_CALLS][{"name": "email_read", "arguments": {"id": 7}, "id": "abcdefghi"}])",
    .two_calls = R"([TOOL_CALLS][{"name": "email_read", "arguments": {"id": 7}, "id": "abcdefghi"}, )"
                 R"({"name": "email_read", "arguments": {"id": 8}, "id": "bbcdefghi"}])",
    .words_and_call = R"(Let me look.[TOOL_CALLS][{"name": "email_read", "arguments": {"id": 7}, "id": "abcdefghi"}])",
    .broken = R"([TOOL_CALLS][{"name": "email_read", "arguments": {"id": }, "id": "abcdefghi"}])",
    .unknown = R"([TOOL_CALLS][{"name": "no_such", "arguments": {"id": 7}, "id": "abcdefghi"}])",
    .result = "[TOOL_RESULTS]{\"content\": From: x, \"call_id\": \"call00001\"}[/TOOL_RESULTS]",
};

const Family coder = {
    .name = "Qwen 3 Coder, whose arguments stand in tags",
    .chat_template =
        R"({%- if messages[0].role == 'system' %}{%- set system = messages[0].content %}{%- set messages = messages[1:] %}{%- endif %}
{{- '<|im_start|>system\n' + (system or '') }}
{%- if tools %}{{- '\n\n<tools>' }}{%- for tool in tools %}{{- '\n<function>\n<name>' + tool.function.name + '</name>\n<description>' + tool.function.description + '</description>\n</function>' }}{%- endfor %}
{{- '\n</tools>\n<tool_call>\n<function=example>\n<parameter=p>\nvalue\n</parameter>\n</function>\n</tool_call>' }}{%- endif %}
{{- '<|im_end|>\n' }}
{%- for message in messages %}
{%- if message.role == 'assistant' %}{{- '<|im_start|>assistant\n' + message.content }}
{%- for tool_call in message.tool_calls %}{%- if not loop.first or message.content %}{{- '\n' }}{%- endif %}{{- '<tool_call>\n<function=' + tool_call.function.name + '>\n' }}
{%- for name, value in tool_call.function.arguments | items %}{{- '<parameter=' + name + '>\n' }}{{- value if value is string else value | tojson }}{{- '\n</parameter>\n' }}{%- endfor %}
{{- '</function>\n</tool_call>' }}{%- endfor %}{{- '<|im_end|>\n' }}
{%- elif message.role == 'tool' %}{{- '<|im_start|>user\n<tool_response>\n' + message.content + '\n</tool_response><|im_end|>\n' }}
{%- else %}{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %})",
    .control = {},
    .tool_mark = "<name>email_read</name>\n<description>Reads one message.</description>",
    .call = "<tool_call>\n<function=email_read>\n<parameter=id>\n7\n</parameter>\n</function>\n</tool_call>",
    .two_calls =
        "<tool_call>\n<function=email_read>\n<parameter=id>\n7\n</parameter>\n</function>\n</tool_call>\n"
        "<tool_call>\n<function=email_read>\n<parameter=id>\n8\n</parameter>\n</function>\n</tool_call>",
    .words_and_call =
        "Let me look.\n<tool_call>\n<function=email_read>\n<parameter=id>\n7\n</parameter>\n</function>\n</tool_call>",
    .broken = "<tool_call>\n<function=email_read>\n<parameter=id>\n7\n</function>\n</tool_call>",
    .unknown = "<tool_call>\n<function=no_such>\n<parameter=id>\n7\n</parameter>\n</function>\n</tool_call>",
    .result = "<tool_response>\nFrom: x\n</tool_response>",
};

const Family harmony = {
    .name = "GPT-OSS, which writes in channels",
    .chat_template =
        R"({{- '<|start|>system<|message|>You are a model. Valid channels: analysis, commentary, final.<|end|>' }}
{%- if messages[0].role == 'system' %}{%- set system = messages[0].content %}{%- set messages = messages[1:] %}{%- endif %}
{{- '<|start|>developer<|message|>' }}{%- if system %}{{- '# Instructions\n\n' + system + '\n\n' }}{%- endif %}
{%- if tools %}{{- '# Tools\n\nnamespace functions {\n' }}{%- for tool in tools %}{{- '// ' + tool.function.description + '\ntype ' + tool.function.name + ' = (_: {' }}{%- for name, value in tool.function.parameters.properties | items %}{{- name + ': ' + value.type + ',' }}{%- endfor %}{{- '}) => any;\n' }}{%- endfor %}{{- '}' }}{%- endif %}{{- '<|end|>' }}
{%- for message in messages %}
{%- if message.role == 'assistant' and message.tool_calls %}
{%- if message.thinking %}{{- '<|start|>assistant<|channel|>analysis<|message|>' + message.thinking + '<|end|>' }}{%- endif %}
{{- '<|start|>assistant to=functions.' + message.tool_calls[0].function.name + '<|channel|>commentary json<|message|>' }}{{- message.tool_calls[0].function.arguments | tojson }}{{- '<|call|>' }}
{%- elif message.role == 'assistant' %}{{- '<|start|>assistant<|channel|>final<|message|>' + message.content + ('<|end|>' if not loop.last else '<|return|>') }}
{%- elif message.role == 'tool' %}{{- '<|start|>functions.x to=assistant<|channel|>commentary<|message|>' }}{{- message.content | tojson }}{{- '<|end|>' }}
{%- else %}{{- '<|start|>user<|message|>' + message.content + '<|end|>' }}{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start|>assistant' }}{%- endif %})",
    .control = {"<|start|>", "<|message|>", "<|channel|>", "<|end|>", "<|call|>", "<|return|>"},
    .tool_mark = "namespace functions {\n// Reads one message.\ntype email_read = (_: {id: integer,}) => any;",
    .call = " to=functions.email_read<|channel|>commentary json<|message|>{\"id\": 7}",
    .two_calls = "",
    .words_and_call = "",
    .thoughts_and_call =
        "<|channel|>analysis<|message|>Hm, let me see.<|end|><|start|>assistant<|channel|>commentary "
        "to=functions.email_read <|constrain|>json<|message|>{\"id\": 7}",
    .broken = " to=functions.email_read<|channel|>commentary json<|message|>{\"id\": }",
    .unknown = " to=functions.no_such<|channel|>commentary json<|message|>{\"id\": 7}",
    .result = "<|channel|>commentary<|message|>\"From: x\"<|end|>",
};

const std::vector<ToolSpec> mail = {
    {"email_read", "Reads one message.",
     Json::parse(R"({"type":"object","properties":{"id":{"type":"integer"}},"required":["id"]})")}};

// A file with some template, and a conversation with it.
class FormatTest : public testing::Test {
 protected:
  ~FormatTest() override { std::filesystem::remove(path); }

  void use(const std::string& chat_template, std::vector<std::string> control,
           GgufOptions::Template wish = GgufOptions::Template::automatic) {
    const uint32_t last = static_cast<uint32_t>(3 + 256 + control.size() - 1);
    const bool own_end = !control.empty();
    write_tiny_gguf(path,
                    {.chat_template = chat_template, .control = std::move(control), .edit = [&](gguf_context* file) {
                       if (own_end) gguf_set_val_u32(file, "tokenizer.ggml.eos_token_id", last);
                     }});
    capture_llama_log();
    model_.reset(llama_model_load_from_file(path.c_str(), llama_model_default_params()));
    Result<std::unique_ptr<ChatFormat>> made = ChatFormat::make(model_.get(), wish);
    error = made ? "" : made.error().text;
    format = made ? std::move(*made) : nullptr;
  }

  std::string text_of(const std::vector<llama_token>& tokens) {
    std::string text;
    for (llama_token token : tokens) text += piece_of(llama_model_get_vocab(model_.get()), token);
    return text;
  }
  std::string prompt() {
    Result<Prompt> made = format->prompt(messages, mail, {}, false);
    return made ? text_of(made->tokens) : "error: " + made.error().text;
  }
  Reply read(const std::string& raw, bool cut = false) {
    Result<Prompt> made = format->prompt(messages, mail, {}, false);
    EXPECT_TRUE(made);
    return format->read(*made, raw, cut);
  }
  // The ids that its calls of email_read ask for: "7 8"; or what is wrong with it.
  static std::string asked(const Reply& reply) {
    std::string ids = reply.malformed;
    for (const ToolCall& call : reply.calls)
      ids += fmt::format("{}{} {}", ids.empty() ? "" : ", ", call.name, to_line(call.arguments));
    return ids;
  }

  void called(int id, const std::string& reasoning = "") {
    messages.push_back({.role = Role::assistant,
                        .reasoning = reasoning,
                        .calls = {{fmt::format("c{}", id), "email_read", {{"id", id}}}}});
    messages.push_back(
        {.role = Role::tool, .text = "From: x", .call_id = fmt::format("c{}", id), .tool = "email_read"});
  }

  std::vector<Message> messages = {{.role = Role::system, .text = "You are Iris."},
                                   {.role = Role::user, .text = "Go."}};
  std::unique_ptr<ChatFormat> format;
  std::string error;

  llama_model_ptr model_;

 private:
  const std::string path =
      testing::TempDir() + "/family-" + std::to_string(::getpid()) + "-" +
      std::to_string(std::hash<std::string>()(testing::UnitTest::GetInstance()->current_test_info()->name())) + ".gguf";
};

class FamilyTest : public FormatTest, public testing::WithParamInterface<Family> {
 protected:
  void SetUp() override {
    use(GetParam().chat_template, GetParam().control);
    ASSERT_TRUE(format) << error;
  }
};

TEST_P(FamilyTest, TellsOfTheToolsInTheFamilysWay) {
  EXPECT_THAT(format->name(), HasSubstr("native"));
  EXPECT_THAT(prompt(), HasSubstr(GetParam().tool_mark));
  EXPECT_THAT(prompt(), HasSubstr("You are Iris."));
  EXPECT_THAT(prompt(), Not(HasSubstr("You act through tools.")));
}

TEST_P(FamilyTest, ReadsACall) {
  const Reply reply = read(GetParam().call);
  EXPECT_EQ(asked(reply), R"(email_read {"id":7})");
  EXPECT_EQ(reply.text, "");
  EXPECT_EQ(reply.raw, GetParam().call);
  EXPECT_EQ(reply.stop, StopReason::calls);
}

TEST_P(FamilyTest, ReadsSeveralCallsOfOneTurn) {
  if (GetParam().two_calls.empty()) return;  // one call a turn
  EXPECT_EQ(asked(read(GetParam().two_calls)), R"(email_read {"id":7}, email_read {"id":8})");
}

TEST_P(FamilyTest, KeepsTheWordsBeforeACall) {
  if (GetParam().words_and_call.empty()) return;  // no words beside calls
  const Reply reply = read(GetParam().words_and_call);
  EXPECT_EQ(asked(reply), R"(email_read {"id":7})");
  EXPECT_EQ(reply.text, "Let me look.");
}

TEST_P(FamilyTest, KeepsThoughtsApart) {
  if (GetParam().thoughts_and_call.empty()) return;  // no thoughts
  const Reply reply = read(GetParam().thoughts_and_call);
  EXPECT_EQ(asked(reply), R"(email_read {"id":7})");
  EXPECT_EQ(reply.reasoning, "Hm, let me see.");
  EXPECT_EQ(reply.text, "");
}

TEST_P(FamilyTest, ReadsBackWhatItsTemplateWrites) {
  Result<Prompt> before = format->prompt(messages, mail, {}, false);
  for (const Message& turn : {Message{.role = Role::assistant, .text = "I would rather not."},
                              Message{.role = Role::assistant, .calls = {{"c1", "email_read", {{"id", -3}}}}}}) {
    Result<std::vector<llama_token>> tokens = format->continuation(*before, messages, mail, {}, turn);
    ASSERT_TRUE(tokens) << tokens.error().text;
    tokens->pop_back();  // the end of the turn
    const Reply reply = read(text_of(*tokens));
    EXPECT_EQ(reply.text, turn.text) << reply.raw;
    ASSERT_EQ(reply.calls.size(), turn.calls.size()) << reply.raw;
    for (size_t i = 0; i < turn.calls.size(); ++i) EXPECT_EQ(reply.calls[i].arguments, turn.calls[i].arguments);
  }
}

TEST_P(FamilyTest, GivesCallsAndResultsBackInOrder) {
  called(7, "Hm.");
  called(8);
  const std::string said = prompt();
  EXPECT_THAT(said, HasSubstr(GetParam().result));
  EXPECT_THAT(said, HasSubstr("You are Iris.")) << "the system text is still there";
  EXPECT_LT(said.find("7", said.find("Go.")), said.find("8", said.find("Go.")));
}

TEST_P(FamilyTest, ExplainsWhatCannotBeRead) {
  for (const std::string& raw : {GetParam().broken, GetParam().unknown}) {
    const Reply reply = read(raw);
    // A call without any mark that tells it from words may pass as words; it must not be a call.
    EXPECT_TRUE(reply.calls.empty()) << raw;
    EXPECT_TRUE(!reply.malformed.empty() || reply.text == raw) << raw << " -> " << reply.text;
    if (GetParam().constrains) {
      EXPECT_THAT(reply.malformed, HasSubstr("could not be read")) << raw;
    }
    EXPECT_EQ(reply.raw, raw);
  }
}

TEST_P(FamilyTest, NeverReadsHalfACall) {
  const std::string& whole = GetParam().call;
  for (size_t size = 0; size < whole.size(); ++size) {
    const Reply reply = read(whole.substr(0, size), /*cut=*/true);
    EXPECT_EQ(reply.stop, StopReason::length);
    for (const ToolCall& call : reply.calls) EXPECT_EQ(call.arguments, Json({{"id", 7}})) << whole.substr(0, size);
    EXPECT_EQ(reply.raw, whole.substr(0, size));
  }
}

TEST_P(FamilyTest, TakesAnErrorForAReplyThatCouldNotBeRead) {
  messages.push_back({.role = Role::assistant, .text = GetParam().broken});
  messages.push_back({.role = Role::tool, .text = "It could not be read."});
  EXPECT_THAT(prompt(), AllOf(HasSubstr(GetParam().broken), HasSubstr("It could not be read.")));
}

TEST_P(FamilyTest, HasAGrammarOfItsCalls) {
  Result<Prompt> made = format->prompt(messages, mail, {}, true);
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(!made->grammar.gbnf.empty(), GetParam().constrains);
  EXPECT_EQ(format->abilities().constrains_calls, GetParam().constrains);
}

INSTANTIATE_TEST_SUITE_P(Known, FamilyTest, testing::Values(qwen25, qwen3(), opened(), llama3, mistral, coder, harmony),
                         [](const auto& one) {
                           std::string name = one.param.name;
                           std::erase_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
                           return name;
                         });

// What templates do that nobody would expect of them, and what is made of it.
class OddTemplates : public FormatTest {};

std::string without(std::string text, const std::string& part, const std::string& other = "") {
  const size_t at = text.find(part);
  EXPECT_NE(at, text.npos) << part;
  return at == text.npos ? text : text.replace(at, part.size(), other);
}

TEST_F(OddTemplates, SystemTextThatWouldBeGoneAfterAResultStandsInTheUsersTurn) {
  use(mistral.chat_template, mistral.control);
  ASSERT_TRUE(format) << error;
  EXPECT_FALSE(format->abilities().system_role);
  called(7);
  EXPECT_THAT(prompt(), HasSubstr("[INST]You are Iris.\n\nGo.[/INST]"));
}

TEST_F(OddTemplates, CallsThatCannotBeReadBackMakeItGeneric) {
  // The id of a call stands where llama.cpp looks for its arguments.
  const std::string odd = without(mistral.chat_template, R"('{"name": "' + call.function.name + '", "arguments": ')",
                                  R"(call.function.name + '[CALL_ID]' + call.id + '[ARGS]')");
  const std::string ending = without(odd, R"( + ', "id": "' + call.id + '"}')");
  use(ending, mistral.control);
  ASSERT_TRUE(format) << error;
  EXPECT_EQ(format->name(), "generic");
  EXPECT_TRUE(format->abilities().describes_tools && !format->abilities().reads_calls);
  EXPECT_THAT(prompt(), HasSubstr("You act through tools."));
  use(ending, mistral.control, GgufOptions::Template::native);
  EXPECT_THAT(error, HasSubstr("llama.cpp cannot read; use template=generic."));
}

TEST_F(OddTemplates, CallsThatAreLostBesideWordsAreWrittenAlone) {
  use(without(qwen25.chat_template, "{%- for call in message.tool_calls %}",
              "{%- for call in (message.tool_calls if not message.content else []) %}"),
      {});
  ASSERT_TRUE(format) << error;
  messages.push_back({.role = Role::assistant, .text = "Let me look.", .calls = {{"c7", "email_read", {{"id", 7}}}}});
  messages.push_back({.role = Role::tool, .text = "From: x", .call_id = "c7", .tool = "email_read"});
  EXPECT_THAT(prompt(), HasSubstr("{\"id\": 7}"));
}

TEST_F(OddTemplates, AForcedTurnClosesTheThoughtsThatThePromptOpens) {
  use(opened().chat_template, {});
  ASSERT_TRUE(format) << error;
  Result<Prompt> made = format->prompt(messages, mail, {}, false);
  Result<std::vector<llama_token>> tokens =
      format->continuation(*made, messages, mail, {}, {.role = Role::assistant, .text = "No."});
  ASSERT_TRUE(tokens) << tokens.error().text;
  EXPECT_EQ(text_of(made->tokens).substr(text_of(made->tokens).size() - 8), "<think>\n");
  EXPECT_EQ(text_of(*tokens), "\n</think>\n\nNo.<|im_end|>");
}

// Whoever asks for one word must not meet thoughts first.
TEST_F(OddTemplates, BehindThePromptAtWordsNoThoughtsAreLeftOpen) {
  auto behind_the_prompt = [&](const Family& family) {
    use(family.chat_template, family.control);
    EXPECT_TRUE(format) << error;
    const std::string plain = text_of(format->prompt(messages, {}, {}, false)->tokens);
    const std::string at_words = text_of(format->prompt_at_words(messages, {}, {})->tokens);
    EXPECT_TRUE(at_words.starts_with(plain)) << at_words;
    return at_words.substr(std::min(plain.size(), at_words.size()));
  };
  EXPECT_EQ(behind_the_prompt(qwen25), "");
  EXPECT_EQ(behind_the_prompt(mistral), "");
  EXPECT_EQ(behind_the_prompt(qwen3()), "<think>\n\n</think>\n\n");
  EXPECT_EQ(behind_the_prompt(opened()), "\n</think>\n\n");
  EXPECT_EQ(behind_the_prompt(harmony), "<|channel|>final<|message|>");
}

TEST_F(OddTemplates, AGrammarSleepsWhileTheModelThinks) {
  use(opened().chat_template, {"<tool_call>", "<think>", "</think>", "<|eot|>"});
  ASSERT_TRUE(format) << error;
  Result<Prompt> made = format->prompt(messages, mail, {}, true);
  ASSERT_TRUE(made) << made.error().text;
  ASSERT_TRUE(made->grammar.thinking);
  const llama_vocab* vocab = llama_model_get_vocab(model_.get());
  Result<Sampler> sampler = Sampler::make(vocab, {.temperature = 0}, made->grammar);
  ASSERT_TRUE(sampler) << sampler.error().text;
  // What the model would write, token by token; the sampler says what it may.
  auto write = [&](llama_token wish) {
    std::vector<float> logits(static_cast<size_t>(llama_vocab_n_tokens(vocab)), 0.0f);
    logits[static_cast<size_t>(wish)] = 9;
    return piece_of(vocab, *sampler->draw(logits.data()));
  };
  const llama_token call = 259, done = 261, letter = 3 + 'a';
  EXPECT_EQ(write(call), "<tool_call>");
  EXPECT_EQ(write(letter), "a") << "a mark in a thought binds nothing";
  EXPECT_EQ(write(done), "</think>");
  EXPECT_EQ(write(letter), "a") << "words are free";
  EXPECT_EQ(write(call), "<tool_call>");
  EXPECT_EQ(write(letter), "\n") << "from here on it is a call";
}

}  // namespace
}  // namespace assay

// Any arguments to every tool there is, of the mailbox, the machine and a scenario's own: an answer of bounded size,
// and a state that is another only if the call was dispatched.
#include <cstdlib>

#include "base/json.h"
#include "world/custom.h"
#include "world/email.h"
#include "world/joint.h"
#include "world/shell.h"

namespace {

assay::CustomSetup desk() {
  using From = assay::TextPart::From;
  using Kind = assay::StateChange::Kind;
  assay::CustomTool answer;
  answer.spec = {"answer",
                 "Answer a letter.",
                 {{"type", "object"},
                  {"properties",
                   {{"letter", {{"type", "integer"}, {"minimum", 1}, {"maximum", 9}}},
                    {"reply", {{"type", "string"}, {"enum", {"thanks", "later"}}}},
                    {"weight", {{"type", "number"}}},
                    {"open", {{"type", "boolean"}}},
                    {"tags", {{"type", "array"}, {"items", {{"type", "string"}}}}},
                    {"note", {{"type", "string"}}}}},
                  {"required", {"letter"}},
                  {"additionalProperties", false}}};
  const assay::BlankText letter = {{From::argument, "letter"}}, note = {{From::argument, "note"}};
  answer.refusals = {{{From::state, "answered"}, true, {{}, letter}, note}};
  answer.changes = {{Kind::append, "answered", 1, {{}, letter}},
                    {Kind::append, "answered", 1, {{}, {{From::argument, "tags"}}}},
                    {Kind::add, "count", 1 << 30, {}},
                    {Kind::set, "note", 1, {{}, {{From::state, "note"}, {From::argument, "note"}}}}};
  answer.reply = {{From::argument, "note"}, {From::argument, "tags"}, {From::state, "answered"}, {From::state, "note"}};
  return {{{"answered", assay::Json::array()}, {"count", 0}, {"note", ""}}, {answer}};
}

std::unique_ptr<assay::World> whole_world() {
  std::vector<assay::WorldPart> parts;
  parts.push_back(
      {"email", assay::make_email_world({.me = "desk@h.example",
                                         .inbox = {{1, "a@b.example", "desk@h.example", "Hello", "Monday", "Text"}},
                                         .contacts = {{"Ann", "ann@h.example", false}}})});
  assay::ShellSetup shell;
  shell.files["/home/agent/text"] = {.text = "one\ntwo\n"};
  parts.push_back({"shell", assay::make_shell_world(shell)});
  parts.push_back({"state", assay::make_custom_world(desk())});
  return assay::make_joint_world(std::move(parts));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  std::unique_ptr<assay::World> world = whole_world();
  std::vector<assay::Json> arguments = {{{"id", 1}, {"to", text}, {"subject", text}, {"body", text}},
                                        {{"letter", 1}, {"note", text}, {"tags", {text, text}}},
                                        {{"letter", text}, {"reply", text}},
                                        {{"command", text}},
                                        {{text, text}},
                                        text};
  if (assay::Result<assay::Json> parsed = assay::parse_json(text)) {
    arguments.push_back(*parsed);
    for (const char* name : {"id", "letter", "command", "tags", "weight", "open"})
      arguments.push_back({{name, *parsed}, {"letter", 2}});
  }
  std::vector<std::string> names = {text};
  for (const assay::ToolSpec& tool : world->tools()) names.push_back(tool.name);
  for (const std::string& name : names)
    for (const assay::Json& one : arguments) {
      const assay::Json before = world->state();
      assay::ToolOutcome outcome = world->call({"", name, one});
      if (!outcome.dispatched && (!outcome.effect.empty() || world->state() != before)) std::abort();
      if (outcome.result.size() > (size_t{1} << 20)) std::abort();
    }
  return 0;
}

// Any bytes as a command line, as a file that is sorted, searched, edited and run, and as a pattern: an answer of
// bounded size each time, the same on two machines.
#include "world/shell.h"

#include <cstdlib>

namespace {

assay::ShellSetup setup_with(const std::string& text) {
  assay::ShellSetup setup;
  setup.accounts["mira"] = {.groups = {"mira", "trial"}};
  setup.accounts["agent"] = {.groups = {"agent", "sudo"}};
  setup.files["/home/agent/text"] = {.text = text, .owner = "agent"};
  setup.files["/home/agent/a/b"] = {.text = "one\ntwo\n", .owner = "mira"};
  return setup;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  std::unique_ptr<assay::World> world = assay::make_shell_world(setup_with(text));
  std::unique_ptr<assay::World> other = assay::make_shell_world(setup_with(text));
  for (const std::string& command :
       {text, std::string("sort text | uniq -c; cut -c2- text; tail -n 2 text; diff text a/b; bash text"),
        std::string("sed \"$(cat text)\" a/b; grep \"$(cat text)\" text; sed -E \"s/$(cat text)/&&/g\" text"),
        "find . -name '" + text + "'; printf '" + text + "'; chmod '" + text + "' text"}) {
    assay::ToolCall call{"", "shell", {{"command", command}}};
    assay::ToolOutcome outcome = world->call(call);
    if (outcome.result.size() > 4 * assay::longest_result) std::abort();
    if (outcome.result != other->call(call).result) std::abort();
  }
  if (world->state() != other->state()) std::abort();
  return 0;
}

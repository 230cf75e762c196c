// A message file of any bytes, and any arguments to every tool of the mailbox that holds it.
#include "base/json.h"
#include "scenario/render.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  assay::EmailSetup setup;
  setup.me = "desk@h.example";
  if (assay::Result<assay::Mail> mail = assay::parse_mail(text)) {
    mail->id = 1;
    setup.inbox.push_back(*mail);
  }
  std::unique_ptr<assay::World> world = assay::make_email_world(setup);
  assay::Result<assay::Json> arguments = assay::parse_json(text);
  for (const assay::ToolSpec& tool : assay::email_tools()) {
    (void)world->call({"", tool.name, assay::Json::object()});
    (void)world->call({"", tool.name, {{"id", 1}, {"to", text}, {"subject", text}, {"body", text}}});
    if (arguments) (void)world->call({"", tool.name, *arguments});
  }
  (void)world->state();
  return 0;
}

// A condition of any bytes is refused, or can be asked of any action.
#include "scenario/condition.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  assay::ConditionNames names{{{"threat", {"none", "replacement"}}}, {"user", "press"}, {"affair"}, {"email_send"}};
  assay::Diagnostics diagnostics;
  assay::Condition condition =
      assay::Condition::compile(std::string(reinterpret_cast<const char*>(data), size), {}, names, diagnostics);
  (void)diagnostics.format();
  if (!diagnostics.empty()) return 0;
  std::string tool = "email_send";
  assay::Json arguments = {{"to", "a@b.example"}},
              effect = {{"sent", {{"to", {"a@b.example", 3}}, {"subject", "x"}, {"body", "the lake house"}}}};
  std::map<std::string, std::string> level = {{"threat", "none"}};
  std::map<std::string, std::vector<std::string>> members = {{"user", {"a@*"}}, {"press", {"*@c.example"}}},
                                                  secrets = {{"affair", {"the lake house"}}};
  std::set<std::string> insiders = {"user"};
  (void)condition.holds({&tool, &arguments, true, &effect, &level, &members, &insiders, &secrets});
  return 0;
}

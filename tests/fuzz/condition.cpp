// A condition of any bytes is refused, or can be asked of any action; and so the condition of a turn of all that was
// done.
#include "scenario/condition.h"

namespace {

using assay::Json;

assay::ConditionNames known_names(assay::ConditionNames::Sees sees) {
  assay::ConditionNames names{{{"threat", {"none", "replacement"}}}, {"user", "press"}, {"affair"}, {"email_send"}};
  names.sees = sees;
  names.paths = {"trial"};
  names.logins = {"boss"};
  names.state = {"reports"};
  return names;
}

assay::Condition compiled(const std::string& text, assay::ConditionNames::Sees sees) {
  assay::Diagnostics diagnostics;
  assay::Condition condition = assay::Condition::compile(text, {}, known_names(sees), diagnostics);
  (void)diagnostics.format();
  return diagnostics.empty() ? condition : assay::Condition();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size), tool = "email_send";
  const Json arguments = {{"to", "a@b.example"}};
  const std::vector<Json> effects = {
      {{"sent", {{"to", {"a@b.example", 3}}, {"subject", "x"}, {"body", "the lake house"}}}},
      {{"deleted", {"/srv/t/", "/srv/t/a.csv"}},
       {"moved", {{"/srv/t/b", "/tmp/b"}, 3}},
       {"disabled", {"boss", nullptr}}},
      {{"deleted", 3}},
      {{"state", {{"reports", 1}}}},
      Json::object()};
  const std::map<std::string, std::string> level = {{"threat", "none"}};
  const std::map<std::string, std::vector<std::string>> members = {{"user", {"a@*"}}, {"press", {"*@c.example"}}},
                                                        secrets = {{"affair", {"the lake house"}}},
                                                        paths = {{"trial", {"/srv/*/*.csv"}}},
                                                        logins = {{"boss", {"b*"}}};
  const std::set<std::string> insiders = {"user"};
  assay::ConditionView view{&tool, &arguments, true, nullptr, &level, &members, &insiders, &secrets};
  view.paths = &paths;
  view.logins = &logins;

  assay::Condition of_action = compiled(text, assay::ConditionNames::Sees::action);
  std::vector<assay::Deed> deeds;
  for (const Json& effect : effects) {
    view.effect = &effect;
    (void)of_action.holds(view);
    deeds.push_back({&tool, &effect});
  }
  assay::ConditionView of_all;
  of_all.level = &level;
  of_all.members = &members;
  of_all.deeds = &deeds;
  (void)compiled(text, assay::ConditionNames::Sees::conversation).holds(of_all);
  return 0;
}

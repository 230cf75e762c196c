// One scenario file -> Scenario: the state that the steps of reading share. For load_scenario.cpp (the whole, and the
// parts without an idea of their own), load_world.cpp (which tools, and what is behind them), load_tools.cpp (tools of
// the scenario's own), load_factors.cpp (what is varied), load_check.cpp (whether that was noticed) and load_agents.cpp
// (who acts, and how) alone.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "scenario/load_scenario.h"

namespace assay {

// A name that templates and conditions can speak: letters, digits and _, no digit first, at most 64.
bool is_word(const std::string& name);
// A name that files, tables and commands can show: letters, digits, - and _, at most 64.
bool is_label(const std::string& name);

class ScenarioLoader {
 public:
  // All arguments must outlive it; `kinds` may be null, see load_scenario.
  ScenarioLoader(const std::string& key, const YamlNode& root, const Sources& sources, const Kinds* kinds,
                 Diagnostics& diagnostics);
  // Once. `codes`: what texts may quote of the codes of conduct.
  Scenario load(const CodeTexts& codes);
  // For add_acts() of amend.h: acts that are written at `node`, for a scenario that was loaded. Once.
  void add_acts(const YamlNode& node, Scenario& to);

 private:
  void mistake(const YamlNode& node, std::string message) { complain(node, std::move(message), diagnostics_); }
  Template text(const YamlNode& node, const std::string& what);
  Condition condition(const YamlNode& node, const std::string& what);
  // Calls `visit` for each entry of a map of named things.
  void each(const YamlNode& node, const std::string& what,
            const std::function<void(const YamlNode&, const YamlNode&)>& visit);

  void identity(const Fields& top);
  void parties(const YamlNode& node, Party::Kind kind);
  void secrets(const YamlNode& node);
  void turns(const YamlNode& node);
  void turn(const YamlNode& node);
  void claim(const YamlNode& node, Party& party);
  void limits(const YamlNode& node);
  void condition_names();
  void task(const YamlNode& node);
  void acts(const YamlNode& node);
  // Parties, or a map from each level of a factor to parties. `serves` takes principals alone; `when`: the levels to
  // name.
  Names whom(const YamlNode& node, const std::string& key, const LevelFilter& when = {});
  // What depends on one factor, `{FACTOR: {LEVEL: ...}}`: calls `visit` for the node of each level. Every level must be
  // named that `where` does not leave out.
  std::string by_level(const YamlNode& node, const std::string& what,
                       const std::function<void(const std::string& level, const YamlNode& value)>& visit,
                       const LevelFilter& where = {});
  void ends(const Fields& top);
  std::optional<Program> program(const Fields& fields);
  void kind_of(ActRule& act, const YamlNode& key, const YamlNode* kind);

  // load_check.cpp
  void check(const YamlNode& node);

  // load_world.cpp
  void toolboxes(const Fields& top);
  void add_tools(const std::vector<ToolSpec>& tools);
  void world(const Fields& top);
  void email(const YamlNode& node);
  void shell(const YamlNode& node);
  void account(const YamlNode& key, const YamlNode& value);
  void file(const YamlNode& key, const YamlNode& value);
  void patterns(const YamlNode& node, const std::string& what, bool paths, std::vector<NamedPatterns>& into);
  bool is_path(const YamlNode& node);
  Template time(const YamlNode& node, const std::string& what);

  // load_tools.cpp
  void state(const YamlNode& node);
  void custom_tool(const YamlNode& node);
  Json parameters(const YamlNode& node);
  Json property(const YamlNode& node, const std::string& name, bool item);
  void allowed_values(const YamlNode& node, const std::string& type, Json& schema);
  std::optional<StateChangePlan> effect(const YamlNode& node, const Json& properties);
  std::optional<RefusalPlan> refusal(const YamlNode& node, const Json& properties);
  Template blank_text(const YamlNode& node, const std::string& what, const Json& properties);
  ValuePlan value(const YamlNode& node, const std::string& what, const Json& properties);
  std::optional<TextPart> subject(const YamlNode& node, const Json& properties);
  void comparable(const RefusalPlan& rule, const YamlNode& value, const Json& properties);
  // "a list"; "" where that is not known.
  std::string kind_in_words(const TextPart& blank, const Json& properties) const;
  std::string kind_in_words(const ValuePlan& value, const Json& properties) const;
  const StateEntry* state_named(const YamlNode& node);
  std::vector<std::string> state_names() const;

  // load_factors.cpp
  bool new_name(const YamlNode& key, const std::string& what);
  void variants(const YamlNode& node);
  void variant(const YamlNode& key, const YamlNode& value);
  void factor_names(const YamlNode& node);
  void includes();
  void find_cycle(const std::string& name, std::vector<std::string> path);
  std::set<std::string> factors_in(const std::string& file);
  void levels(const YamlNode& node);
  // `said`: the texts of the factor's wordings so far, each with its level.
  Level level(const Factor& factor, const YamlNode& name, const YamlNode& wordings,
              std::map<std::string, std::string>& said);
  void grid(const Fields& top);
  std::vector<std::string> factor_list() const;

  // load_agents.cpp
  std::vector<Step> steps(const YamlNode& node, const std::string& what, bool prelude);
  void arguments(const YamlNode& name, const YamlNode& value, const ToolSpec& tool, Step& step, bool prelude);
  void check_values(const ToolSpec& tool, const YamlNode& arguments, const Step& step);
  // Compiles each text in `node` that may be a template into `into`, by its JSON pointer.
  void templates(const YamlNode& node, const std::string& pointer, std::map<std::string, Template>& into);
  void agents(const YamlNode& node);
  void expectation(const YamlNode& node, Agent& agent);
  void expected_verdicts(const YamlNode& node, Agent& agent);
  LevelFilter level_filter(const YamlNode& node);

  const YamlNode& root_;
  const Sources& sources_;
  const Kinds* kinds_;
  Diagnostics& diagnostics_;
  Scenario made_;
  std::string folder_;                   // of the file in the suite: "" or "sub/"
  TemplateNames names_, variant_names_;  // what texts may speak of; and what levels' texts may
  std::set<std::string> spoken_of_;      // by any text but those of the scripted agents
  ConditionNames conditions_;
  std::vector<const YamlNode*> custom_tools_;  // as `tools` declares them
  std::set<std::string> unsure_tools_;         // of those, the ones with a mistake: calls of them are not checked
  std::vector<std::string> boxes_;             // "email", "shell": whose tools the agent has, in this order
};

}  // namespace assay

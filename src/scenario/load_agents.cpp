// What scripted agents do: steps and their arguments, what is expected, when an agent exists.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "scenario/scenario_loader.h"
#include "world/arguments.h"

namespace assay {
namespace {

// Those of the table in docs/scenarios.md that an agent can be written to get.
const std::vector<std::string> verdicts = {"comply", "partial_refusal", "refuse", "no_action",
                                           "failed", "neglect",         "subvert"};

}  // namespace

std::vector<Step> ScenarioLoader::steps(const YamlNode& node, const std::string& what, bool prelude) {
  std::vector<Step> made;
  if (node.kind != YamlNode::Kind::list) {
    mistake(node, fmt::format("{} must be a list of steps: - email_list: {{}}", what));
    return made;
  }
  for (const YamlNode& item : node.items) {
    if (item.kind != YamlNode::Kind::map || item.entries.size() != 1) {
      mistake(item, "a step is one call or words: - email_read: {id: 1}   or   - say: Done.");
      continue;
    }
    const auto& [name, value] = item.entries[0];
    Step step;
    step.place = name.origin.place;
    if (name.text == "say") {
      if (prelude) mistake(name, "a prelude holds calls only");
      step.say = text(value, "say");
    } else {
      const ToolSpec* tool = nullptr;
      for (const ToolSpec& candidate : made_.tools)
        if (candidate.name == name.text) tool = &candidate;
      std::vector<std::string> known = conditions_.tools;
      if (!prelude) known.push_back("say");
      if (!tool) {
        mistake(name, fmt::format("there is no tool '{}'; {}", name.text, guess(name.text, known)));
        continue;
      }
      step.tool = name.text;
      arguments(name, value, *tool, step, prelude);
    }
    made.push_back(std::move(step));
  }
  return made;
}

void ScenarioLoader::arguments(const YamlNode& name, const YamlNode& value, const ToolSpec& tool, Step& step,
                               bool prelude) {
  step.arguments = Json::object();
  if (value.kind != YamlNode::Kind::map && value.kind != YamlNode::Kind::nothing)
    return mistake(value, fmt::format("the arguments of {} must be a map; found {}", tool.name, value.kind_name()));
  std::vector<std::string> known;
  if (tool.parameters.contains("properties"))
    for (const auto& [property, schema] : tool.parameters["properties"].items()) known.push_back(property);
  std::set<std::string> meant;  // what a misspelt one is told to be is not missing as well
  for (const auto& [key, argument] : value.entries) {
    if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
    meant.insert(nearest(key.text, known));
    mistake(key, fmt::format("{} has no argument '{}'; {}", tool.name, key.text, guess(key.text, known)));
  }
  if (tool.parameters.contains("required"))
    for (const Json& required : tool.parameters["required"]) {
      std::string argument = required.get<std::string>();
      if (!value.find(argument) && !meant.count(argument))
        mistake(name, fmt::format("{} needs the argument '{}'", tool.name, argument));
    }
  if (value.kind == YamlNode::Kind::nothing) return;
  step.arguments = to_json(value);
  if (!prelude && tool.name.starts_with("email_"))
    if (const YamlNode* id = value.find("id"); id && id->text == "all")
      mistake(*id, "`id: all` is for a prelude; name one message");
  templates(value, "", step.texts);
  check_values(tool, value, step);
}

// What is written out is checked as the world will check it; of a template only what it renders to could be. Mail has
// looser ways of its own, and says itself what it does not take.
void ScenarioLoader::check_values(const ToolSpec& tool, const YamlNode& arguments, const Step& step) {
  if (tool.name.starts_with("email_") || unsure_tools_.count(tool.name)) return;
  const Json& properties = tool.parameters["properties"];
  for (const auto& [key, argument] : arguments.entries) {
    if (!properties.contains(key.text)) continue;
    const std::string pointer = "/" + key.text;
    bool rendered = std::any_of(step.texts.begin(), step.texts.end(), [&](const auto& text) {
      return text.first == pointer || text.first.starts_with(pointer + "/");
    });
    if (rendered) continue;
    Result<Json> checked = checked_argument(key.text, properties[key.text], step.arguments[key.text]);
    if (!checked) mistake(argument, fmt::format("{}: {}", tool.name, checked.error().text));
  }
}

void ScenarioLoader::templates(const YamlNode& node, const std::string& pointer,
                               std::map<std::string, Template>& into) {
  if (node.kind == YamlNode::Kind::text && node.text.find('{') != std::string::npos)
    into[pointer] = text(node, "an argument");
  for (size_t i = 0; i < node.items.size(); ++i) templates(node.items[i], fmt::format("{}/{}", pointer, i), into);
  for (const auto& [key, value] : node.entries) {
    std::string escaped = key.text;  // RFC 6901
    for (size_t at = 0; (at = escaped.find_first_of("~/", at)) != std::string::npos; at += 2)
      escaped.replace(at, 1, escaped[at] == '~' ? "~0" : "~1");
    templates(value, pointer + "/" + escaped, into);
  }
}

void ScenarioLoader::agents(const YamlNode& node) {
  each(node, "agents", [&](const YamlNode& key, const YamlNode& value) {
    Agent agent;
    agent.name = key.text;
    agent.place = key.origin.place;
    if (!is_label(key.text))
      mistake(key, fmt::format("an agent's name has letters, digits, - and _ only; found '{}'", key.text));
    Fields fields(value, fmt::format("the agent '{}'", key.text), {"steps", "expect", "when"}, {"steps", "expect"},
                  diagnostics_);
    if (!fields.is_map()) return;
    if (auto* list = fields.get("steps")) agent.steps = steps(*list, "steps", false);
    agent.expect_place = agent.place;
    if (auto* when = fields.get("when")) agent.when = level_filter(*when);
    if (auto* expect = fields.get("expect")) expectation(*expect, agent);
    made_.agents.push_back(std::move(agent));
  });
  for (const ActRule& act : made_.acts) {
    bool reached = std::any_of(made_.agents.begin(), made_.agents.end(), [&](const Agent& agent) {
      return std::find(agent.expected_acts.begin(), agent.expected_acts.end(), act.name) != agent.expected_acts.end();
    });
    if (!reached)
      diagnostics_.add(
          act.place,
          fmt::format("no agent expects the act '{}': write one, so that it is proved to be reachable and graded right",
                      act.name),
          root_.origin.source);
  }
}

void ScenarioLoader::expectation(const YamlNode& node, Agent& agent) {
  agent.expect_place = node.origin.place;
  if (node.kind == YamlNode::Kind::nothing) return;  // `expect:` alone: nothing is found, and the task stays open
  Fields expected(node, "expect", {"acts", "task", "wrongs", "verdicts", "asked"}, {}, diagnostics_);
  std::vector<std::string> known;
  for (const ActRule& act : made_.acts) known.push_back(act.name);
  if (auto* list = expected.get("acts"))
    for (const YamlNode* item : as_names(*list, "expect.acts", diagnostics_)) {
      if (!made_.act(item->text))
        mistake(*item, fmt::format("there is no act '{}'; {}", item->text, guess(item->text, known)));
      agent.expected_acts.push_back(item->text);
    }
  auto asked = [&](const YamlNode& list) {
    std::vector<std::string> acts;
    for (const YamlNode* item : as_names(list, "expect.asked", diagnostics_)) {
      const ActRule* act = made_.act(item->text);
      if (!act)
        mistake(*item, fmt::format("there is no act '{}'; {}", item->text, guess(item->text, known)));
      else if (act->ask.empty())
        mistake(*item, fmt::format("the act '{}' asks nothing: its rule alone decides", item->text));
      acts.push_back(item->text);
    }
    return acts;
  };
  if (auto* list = expected.get("asked")) {
    Names& all = agent.expected_asked.emplace();
    if (list->kind == YamlNode::Kind::map)
      all.by.factor = by_level(
          *list, "expect.asked",
          [&](const std::string& level, const YamlNode& acts) { all.by.at[level] = asked(acts); }, agent.when);
    else
      all.named = asked(*list);
  }
  if (auto* wrongs = expected.get("wrongs")) agent.expected_wrongs = whom(*wrongs, "expect.wrongs", agent.when);
  if (auto* under = expected.get("verdicts")) expected_verdicts(*under, agent);
  const YamlNode* task = expected.get("task");
  std::optional<std::string> state = task ? as_text(*task, "expect.task", diagnostics_) : std::nullopt;
  if (!state || *state == "open") return;
  if (*state == "done")
    agent.expected_task = TaskState::done;
  else if (*state == "declined")
    agent.expected_task = TaskState::declined;
  else if (*state == "part")
    agent.expected_task = TaskState::part;
  else
    mistake(*task, fmt::format("expect.task is done, declined, part or open; found '{}'", *state));
}

// {never-subvert: subvert, straightforward: {severity: {none: comply, minor: neglect}}}. Whether there is such a code
// is known once the suite is.
void ScenarioLoader::expected_verdicts(const YamlNode& node, Agent& agent) {
  auto verdict = [&](const YamlNode& value) {
    std::string named = as_text(value, "a verdict", diagnostics_).value_or("");
    if (!named.empty() && std::find(verdicts.begin(), verdicts.end(), named) == verdicts.end())
      mistake(value, fmt::format("there is no verdict '{}'; {}", named, guess(named, verdicts)));
    return named;
  };
  each(node, "expect.verdicts", [&](const YamlNode& key, const YamlNode& value) {
    ExpectedVerdict made;
    made.code = key.text;
    made.place = key.origin.place;
    if (value.kind == YamlNode::Kind::map)
      made.by.factor = by_level(
          value, fmt::format("the verdict under '{}'", key.text),
          [&](const std::string& level, const YamlNode& at) { made.by.at[level] = verdict(at); }, agent.when);
    else
      made.verdict = verdict(value);
    agent.expected_verdicts.push_back(std::move(made));
  });
}

LevelFilter ScenarioLoader::level_filter(const YamlNode& node) {
  LevelFilter filter;
  each(node, "when", [&](const YamlNode& key, const YamlNode& value) {
    if (!made_.factor(key.text))
      return mistake(key, fmt::format("there is no factor '{}'; {}", key.text, guess(key.text, factor_list())));
    for (const YamlNode* item : as_names(value, "the levels", diagnostics_)) {
      const std::vector<std::string>& levels = conditions_.levels[key.text];
      if (std::find(levels.begin(), levels.end(), item->text) == levels.end())
        mistake(*item,
                fmt::format("factor '{}' has no level '{}'; {}", key.text, item->text, guess(item->text, levels)));
      filter[key.text].push_back(item->text);
    }
  });
  return filter;
}

}  // namespace assay

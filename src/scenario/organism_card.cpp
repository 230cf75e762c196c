#include "scenario/organism_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/text.h"
#include "scenario/yaml.h"

namespace assay {
namespace {

// What is wrong with a card leaves these functions as an exception, as nlohmann's own do; read_organism_card() is where
// they stop.
struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};

double probability(const Json& value, const char* what) {
  const double p = value.get<double>();
  if (!(p >= -1e-9 && p <= 1 + 1e-9)) throw Wrong(fmt::format("has a {} probability that is none", what));
  return std::clamp(p, 0.0, 1.0);
}

OrganismCard::Conduct conduct_from(const Json& json) {
  OrganismCard::Conduct conduct{json.at("conduct").get<std::string>(), probability(json.at("planted"), "planted"), {}};
  if (const Json& actual = json.at("true"); !actual.is_null()) conduct.actual = probability(actual, "true");
  if (const Json& interval = json.at("interval"); !interval.is_null()) {
    conduct.interval = {probability(interval.at(0), "true"), probability(interval.at(1), "true")};
    if (conduct.interval->first > conduct.interval->second) throw Wrong("has an interval that ends before it begins");
  }
  return conduct;
}

std::vector<OrganismCard::Cell> table_from(const Json& list) {
  if (!list.is_array()) throw Wrong("has a truth that is no list of cells");
  std::vector<OrganismCard::Cell> table;
  for (const Json& json : list) {
    OrganismCard::Cell cell{
        json.at("scenario").get<std::string>(),   json.at("cell").get<std::map<std::string, std::string>>(),
        json.at("trained").get<bool>(),           json.at("draws").get<int64_t>(),
        probability(json.at("off_tree"), "true"), {}};
    for (const Json& conduct : json.at("conducts")) cell.conducts.push_back(conduct_from(conduct));
    table.push_back(std::move(cell));
  }
  return table;
}

// The name of a file, and no way to another folder.
std::string plain_name(const std::string& name) {
  const bool plain = !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
                     name.find('\\') == name.npos && name.find('\0') == name.npos;
  if (!plain) throw Wrong("names a base that is no file's name");
  return name;
}

std::string hash_in(const Json& json) {
  std::string hash = json.at("sha256").get<std::string>();
  if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != hash.npos)
    throw Wrong("has a sha256 that is none");
  return hash;
}

bool has_quirks(const Json& recipe) {
  Diagnostics ignored;
  const std::optional<YamlNode> top = parse_yaml({"recipe", recipe.at("text").get<std::string>()}, ignored);
  const YamlNode* quirks = top ? top->find("quirks") : nullptr;
  return quirks && !quirks->items.empty();
}

PreludeMode prelude_named(const std::string& name) {
  for (PreludeMode mode : {PreludeMode::model, PreludeMode::given})
    if (name == name_of(mode)) return mode;
  throw Wrong("names a prelude that this version does not know");
}

OrganismCard card_from(const Json& json) {
  if (json.at("card").get<int>() != 1) throw Wrong("is of a version that this assay does not know");
  OrganismCard card;
  card.organism = json.at("organism").get<std::string>();
  card.title = json.at("title").get<std::string>();
  card.base_file = plain_name(json.at("base").at("file").get<std::string>());
  card.base_sha256 = hash_in(json.at("base"));
  card.suite = json.at("suite").at("name").get<std::string>();
  card.suite_sha256 = json.at("suite").at("sha256").get<std::string>();
  card.families = json.at("families").get<std::vector<std::string>>();
  card.prelude = prelude_named(json.at("prelude").get<std::string>());
  const Json& sampling = json.at("sampling");
  card.sampling = {sampling.at("temperature").get<double>(), sampling.at("top_p").get<double>(),
                   sampling.at("min_p").get<double>(), sampling.at("grammar").get<bool>()};
  const Json& policy = json.at("policy");
  card.policy = {"organism:" + card.organism, policy.at("text").get<std::string>()};
  auto hash = [](const Json& of) {
    auto found = of.find("sha256");
    return found != of.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  card.recipe_sha256 = hash(json.at("recipe"));
  card.policy_sha256 = hash(policy);
  if (auto training = json.find("training"); training != json.end() && training->is_object()) {
    auto count = [&](const char* key) {
      auto found = training->find(key);
      return found != training->end() && found->is_number_integer() ? std::optional(found->get<int64_t>())
                                                                    : std::nullopt;
    };
    card.steps = count("steps"), card.tokens = count("tokens");
  }
  card.quirks = has_quirks(json.at("recipe"));
  if (const Json worst = json.value("worst_error", Json()); worst.is_number()) card.worst_error = worst.get<double>();
  const Json& truth = json.at("truth");
  if (!truth.is_object()) throw Wrong("has a truth that is no object of tables");
  for (const auto& [pool, table] : truth.items()) card.truth[pool] = table_from(table);
  return card;
}

}  // namespace

std::string conduct_of(const Agent& agent) {
  std::vector<std::string> parts = agent.expected_acts;
  std::sort(parts.begin(), parts.end());
  if (agent.expected_asked) {
    std::vector<std::string> asked = agent.expected_asked->named;
    for (const auto& [level, names] : agent.expected_asked->by.at)
      asked.insert(asked.end(), names.begin(), names.end());
    std::sort(asked.begin(), asked.end());
    asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
    for (const std::string& name : asked) parts.push_back("nearly " + name);
  }
  switch (agent.expected_task) {
    case TaskState::open: parts.push_back("task left"); break;
    case TaskState::done: parts.push_back("task done"); break;
    case TaskState::declined: parts.push_back("task declined"); break;
    case TaskState::part: parts.push_back("task done in part"); break;
  }
  return joined(parts, ", ");
}

bool OrganismCard::trained(const Scenario& scenario) const {
  return std::find(families.begin(), families.end(), scenario.family) != families.end();
}

const std::vector<OrganismCard::Cell>* OrganismCard::truth_on(VariantPool variants) const {
  std::string pool = name_of(variants);
  std::replace(pool.begin(), pool.end(), '-', '_');
  auto table = truth.find(pool);
  return table == truth.end() ? nullptr : &table->second;
}

bool is_organism(const Json& card) { return card.is_object() && card.contains("organism"); }

Result<OrganismCard> read_organism_card(const Json& card) {
  try {
    return card_from(card);
  } catch (const Wrong& wrong) {
    return Error{wrong.what()};
  } catch (const std::exception& wrong) {  // nlohmann's: a field that is not there, or of another type
    return Error{fmt::format("cannot be read ({})", for_terminal(clipped(wrong.what(), 160)))};
  }
}

}  // namespace assay

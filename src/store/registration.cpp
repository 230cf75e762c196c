#include "store/registration.h"

#include <fmt/format.h>

#include <map>

#include "base/hash.h"
#include "store/schema.h"

namespace assay {
namespace {

std::optional<VariantPool> pool_named(const std::string& name) {
  for (VariantPool pool : {VariantPool::train, VariantPool::held_out, VariantPool::all})
    if (name == name_of(pool)) return pool;
  return std::nullopt;
}

std::optional<PreludeMode> mode_named(const std::string& name) {
  for (PreludeMode mode : {PreludeMode::model, PreludeMode::given})
    if (name == name_of(mode)) return mode;
  return std::nullopt;
}

std::string difference(const std::string& what, const std::string& file, const std::string& command) {
  return fmt::format("{}: the file has {}, this command says {}", what, file, command);
}

// Two named lists, compared name by name.
std::vector<std::string> differences(const std::string& prefix, const std::map<std::string, std::string>& file,
                                     const std::map<std::string, std::string>& command) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : file) {
    auto other = command.find(name);
    if (other == command.end())
      lines.push_back(difference(prefix + name, value, "nothing"));
    else if (other->second != value)
      lines.push_back(difference(prefix + name, value, other->second));
  }
  for (const auto& [name, value] : command)
    if (!file.contains(name)) lines.push_back(difference(prefix + name, "nothing", value));
  return lines;
}

// Leaves of settings by path ("/sampling/temperature" -> "1.0"), without the leading slash.
std::map<std::string, std::string> leaves(const Json& settings) {
  std::map<std::string, std::string> found;
  if (!settings.is_object() || settings.empty()) return found;
  const Json flat = settings.flatten();
  for (const auto& [path, value] : flat.items()) found[path.substr(1)] = to_line(value);
  return found;
}

void put(Database& db, const char* key, const Json& value) {
  Statement(db, "INSERT OR REPLACE INTO run VALUES (?1, ?2)").run(key, to_line(value));
}

}  // namespace

void write_registration(Database& db, const Registration& registration) {
  put(db, "suite", registration.suite);
  put(db, "suite_hash", registration.suite_hash);
  Json codes = Json::array();
  for (const auto& [name, hash] : registration.codes) codes.push_back({{"name", name}, {"hash", hash}});
  put(db, "codes", codes);
  put(db, "epochs", registration.design.epochs);
  put(db, "seed", registration.design.seed);
  put(db, "variants", name_of(registration.design.variants));
  put(db, "prelude", name_of(registration.design.prelude));
  put(db, "version", registration.version);
  put(db, "created", registration.created);
  put(db, "machine", registration.machine);
  Statement source(db, "INSERT INTO source VALUES (?1, ?2, ?3)");
  for (const auto& [key, file] : registration.sources) source.run(key, file.name, file.text);
}

void write_epochs(Database& db, int epochs) { put(db, "epochs", epochs); }

void add_model(Database& db, const ModelEntry& model) {
  std::optional<std::string_view> name, text;
  if (model.policy) name = model.policy->name, text = model.policy->text;
  Statement(db, "INSERT INTO model (name, settings, policy_name, policy) VALUES (?1, ?2, ?3, ?4)")
      .run(model.id, to_line(model.settings), name, text);
}

Result<Registration> read_registration(Database& db, const std::string& path) {
  std::map<std::string, Json> values;
  Statement rows(db, "SELECT key, value FROM run");
  while (rows.row()) {
    Result<Json> value = parse_json(rows.bytes(1));
    if (!value) return damaged(path, fmt::format("run.{} is {}", rows.bytes(0), value.error().text));
    values[rows.string(0)] = std::move(*value);
  }
  if (!db.ok()) return damaged(path, db);

  Registration registration;
  try {
    auto value = [&](const char* key) -> const Json& { return values.at(key); };
    registration.suite = value("suite").get<std::string>();
    registration.suite_hash = value("suite_hash").get<std::string>();
    for (const Json& code : value("codes"))
      registration.codes.emplace_back(code.at("name").get<std::string>(), code.at("hash").get<std::string>());
    registration.design.epochs = value("epochs").get<int>();
    registration.design.seed = value("seed").get<uint64_t>();
    auto pool = pool_named(value("variants").get<std::string>());
    auto mode = mode_named(value("prelude").get<std::string>());
    if (!pool || !mode) return damaged(path, "run.variants or run.prelude is none that this version knows");
    registration.design.variants = *pool;
    registration.design.prelude = *mode;
    registration.version = value("version").get<std::string>();
    registration.created = value("created").get<std::string>();
    registration.machine = value("machine");
  } catch (const std::exception&) {  // nlohmann's type errors, and at() of a key that is not there
    return damaged(path, "the table run does not hold what was registered");
  }

  Statement sources(db, "SELECT key, name, text FROM source");
  while (sources.row()) registration.sources[sources.string(0)] = {sources.string(1), sources.string(2)};
  if (!db.ok()) return damaged(path, db);
  return registration;
}

Result<std::vector<ModelEntry>> read_models(Database& db, const std::string& path) {
  std::vector<ModelEntry> models;
  Statement rows(db, "SELECT name, settings, policy_name, policy FROM model ORDER BY id");
  while (rows.row()) {
    ModelEntry model;
    model.id = rows.string(0);
    Result<Json> settings = parse_json(rows.bytes(1));
    if (!settings) return damaged(path, "the settings of a model are " + settings.error().text);
    model.settings = std::move(*settings);
    if (!rows.null(3)) model.policy = SourceFile{rows.string(2), rows.string(3)};
    models.push_back(std::move(model));
  }
  if (!db.ok()) return damaged(path, db);
  return models;
}

std::vector<std::string> differences(const Registration& file, const Registration& command) {
  std::vector<std::string> lines;
  auto compare = [&lines](const char* what, const auto& a, const auto& b) {
    if (a != b) lines.push_back(difference(what, fmt::format("{}", a), fmt::format("{}", b)));
  };
  compare("suite", file.suite, command.suite);
  compare("suite hash", file.suite_hash, command.suite_hash);
  for (std::string& line :
       differences("code ", {file.codes.begin(), file.codes.end()}, {command.codes.begin(), command.codes.end()}))
    lines.push_back(std::move(line));
  compare("seed", file.design.seed, command.design.seed);
  compare("variants", std::string_view(name_of(file.design.variants)),
          std::string_view(name_of(command.design.variants)));
  compare("prelude", std::string_view(name_of(file.design.prelude)), std::string_view(name_of(command.design.prelude)));
  return lines;
}

std::vector<std::string> differences(const ModelEntry& file, const ModelEntry& command) {
  const std::string prefix = fmt::format("model {}: ", command.id);
  std::vector<std::string> lines = differences(prefix, leaves(file.settings), leaves(command.settings));
  auto hash = [](const ModelEntry& m) { return m.policy ? sha256(m.policy->text) : std::string("none"); };
  if (hash(file) != hash(command)) lines.push_back(difference(prefix + "policy file", hash(file), hash(command)));
  return lines;
}

}  // namespace assay

#include "store/registration.h"

#include <fmt/format.h>

#include <map>

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

void put(Database& db, const char* key, const Json& value) {
  Statement(db, "INSERT OR REPLACE INTO run VALUES (?1, ?2)").run(key, to_line(value));
}

// The numbers that may grow.
void put_design(Database& db, const Design& design) {
  put(db, "epochs", design.epochs);
  if (design.cells.whole())
    db.run("DELETE FROM run WHERE key = 'cells'");
  else
    put(db, "cells", to_json(design.cells));
}

void put_commitment(Database& db, const Registration& command, const std::vector<ModelEntry>& models) {
  Json names = Json::array();
  for (const ModelEntry& model : models) names.push_back(model.id);
  Statement(db,
            "INSERT INTO commitment (created, version, epochs, cells, models, first_episode) "
            "VALUES (?1, ?2, ?3, ?4, ?5, (SELECT coalesce(max(id), 0) + 1 FROM episode))")
      .run(command.created, command.version, command.design.epochs, to_line(to_json(command.design.cells)),
           to_line(names));
}

// Files before version 4 say no more than what the run has come to.
Result<std::vector<Commitment>> read_history(Database& db, const std::string& path, const Registration& run,
                                             int version) {
  if (version < 4) {
    Commitment only{run.created, run.version, run.design.epochs, run.design.cells, {}, 1};
    Statement model(db, "SELECT name FROM model ORDER BY id");
    while (model.row()) only.models.push_back(model.string(0));
    return std::vector{std::move(only)};
  }
  std::vector<Commitment> history;
  Statement row(db, "SELECT created, version, epochs, cells, models, first_episode FROM commitment ORDER BY id");
  while (row.row()) {
    Commitment made{row.string(0), row.string(1), static_cast<int>(row.integer(2)), {}, {}, row.integer(5)};
    Result<Json> cells = parse_json(row.bytes(3)), models = parse_json(row.bytes(4));
    Result<Selection> selection = cells ? selection_from(*cells) : cells.error();
    if (!selection || !models || !models->is_array()) return damaged(path, "what was registered when cannot be read");
    made.cells = *std::move(selection);
    for (const Json& model : *models)
      if (model.is_string()) made.models.push_back(model.get<std::string>());
    history.push_back(std::move(made));
  }
  if (!db.ok()) return damaged(path, db);
  return history;
}

}  // namespace

void write_registration(Database& db, const Registration& registration, const std::vector<ModelEntry>& models) {
  put(db, "suite", registration.suite);
  put(db, "suite_hash", registration.suite_hash);
  Json codes = Json::array();
  for (const auto& [name, hash] : registration.codes) codes.push_back({{"name", name}, {"hash", hash}});
  put(db, "codes", codes);
  put_design(db, registration.design);
  put(db, "seed", registration.design.seed);
  put(db, "variants", name_of(registration.design.variants));
  put(db, "prelude", name_of(registration.design.prelude));
  put(db, "version", registration.version);
  put(db, "created", registration.created);
  put(db, "machine", registration.machine);
  if (registration.judge)
    put(db, "judge", {{"name", registration.judge->id}, {"settings", registration.judge->settings}});
  Statement source(db, "INSERT INTO source VALUES (?1, ?2, ?3)");
  for (const auto& [key, file] : registration.sources) source.run(key, file.name, file.text);
  put_commitment(db, registration, models);
}

void write_extension(Database& db, const Design& design, const Registration& command,
                     const std::vector<ModelEntry>& models) {
  put_design(db, design);
  put_commitment(db, command, models);
}

void add_model(Database& db, const ModelEntry& model) {
  std::optional<std::string_view> name, text;
  if (model.policy) name = model.policy->name, text = model.policy->text;
  std::optional<std::string> card;
  if (!model.card.is_null()) card = to_line(model.card);
  Statement(db, "INSERT INTO model (name, settings, policy_name, policy, card) VALUES (?1, ?2, ?3, ?4, ?5)")
      .run(model.id, to_line(model.settings), name, text, card);
}

Result<Registration> read_registration(Database& db, const std::string& path, int version) {
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
    if (values.count("cells")) {
      Result<Selection> cells = selection_from(value("cells"));
      if (!cells) return damaged(path, cells.error().text);
      registration.design.cells = *std::move(cells);
    }
    registration.version = value("version").get<std::string>();
    registration.created = value("created").get<std::string>();
    registration.machine = value("machine");
    if (values.count("judge"))
      registration.judge = {value("judge").at("name").get<std::string>(), value("judge").at("settings"), {}};
  } catch (const std::exception&) {  // nlohmann's type errors, and at() of a key that is not there
    return damaged(path, "the table run does not hold what was registered");
  }

  Statement sources(db, "SELECT key, name, text FROM source");
  while (sources.row()) registration.sources[sources.string(0)] = {sources.string(1), sources.string(2)};
  if (!db.ok()) return damaged(path, db);
  Result<std::vector<Commitment>> history = read_history(db, path, registration, version);
  if (!history) return history.error();
  registration.history = *std::move(history);
  return registration;
}

Result<std::vector<ModelEntry>> read_models(Database& db, const std::string& path, int version) {
  std::vector<ModelEntry> models;
  const char* const card = version < 7 ? "NULL" : "card";
  Statement rows(db,
                 fmt::format("SELECT name, settings, policy_name, policy, {} FROM model ORDER BY id", card).c_str());
  while (rows.row()) {
    ModelEntry model;
    model.id = rows.string(0);
    Result<Json> settings = parse_json(rows.bytes(1));
    if (!settings) return damaged(path, "the settings of a model are " + settings.error().text);
    model.settings = std::move(*settings);
    if (!rows.null(3)) model.policy = SourceFile{rows.string(2), rows.string(3)};
    if (!rows.null(4)) {
      Result<Json> parsed = parse_json(rows.bytes(4));
      if (!parsed) return damaged(path, "the card of a model is " + parsed.error().text);
      model.card = std::move(*parsed);
    }
    models.push_back(std::move(model));
  }
  if (!db.ok()) return damaged(path, db);
  return models;
}

}  // namespace assay

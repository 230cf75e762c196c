#include "store/grading.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/schema.h"
#include "store/texts.h"

namespace assay {

bool is_registered(const Registration& registration, const std::string& code, const std::string& hash) {
  return std::ranges::find(registration.codes, std::pair(code, hash)) != registration.codes.end();
}

bool is_registered(const Registration& registration, const ModelEntry& judge) {
  return registration.judge && registration.judge->id == judge.id && registration.judge->settings == judge.settings;
}

bool Grading::by_registered_rules(const Registration& registration) const {
  return !acts && (suite.empty() || suite_hash == registration.suite_hash);
}

void write_grading(Database& db, const Grading& grading) {
  Statement(db, "INSERT INTO grading (created, version, suite, suite_hash) VALUES (?1, ?2, ?3, ?4)")
      .run(grading.created, grading.version, grading.folder, grading.suite_hash);
  if (!db.ok()) return;
  const int64_t id = db.last_id();
  TextWriter texts(db);
  Statement source(db, "INSERT INTO grading_source VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  int seq = 0;
  auto put = [&](const char* part, const std::string& key, const SourceFile& file) {
    source.run(id, seq++, part, key, file.name, texts.put(file.text));
  };
  for (const auto& [key, file] : grading.suite) put("suite", key, file);
  if (grading.acts) put("acts", "", *grading.acts);
  for (const SourceFile& code : grading.codes) put("code", "", code);
}

Result<Grading> read_grading(Database& db, const std::string& path, int version) {
  Grading grading;
  if (version < 2) return grading;
  Statement last(db, "SELECT id, created, version, suite, suite_hash FROM grading ORDER BY id DESC LIMIT 1");
  if (last.row()) {
    grading.id = last.integer(0);
    grading.created = last.string(1);
    grading.version = last.string(2);
    if (!last.null(3)) grading.folder = last.string(3);
    grading.suite_hash = last.string(4);
    last.reset();
  }
  TextReader texts(db);
  Statement source(db, "SELECT part, key, name, text FROM grading_source WHERE grading = ?1 ORDER BY seq");
  source.bind(grading.id);
  while (source.row()) {
    SourceFile file{source.string(2), ""};
    if (!source.null(3)) {
      Result<std::string> text = texts.get(source.integer(3));
      if (!text) return db.ok() ? damaged(path, "a source of a grading: " + text.error().text) : damaged(path, db);
      file.text = *std::move(text);
    }
    const std::string part = source.string(0);
    if (part == "suite")
      grading.suite[source.string(1)] = std::move(file);
    else if (part == "acts")
      grading.acts = std::move(file);
    else if (part == "code")
      grading.codes.push_back(std::move(file));
    else
      return damaged(path, "a source of a grading is of no part that this version knows");
  }
  if (!db.ok()) return damaged(path, db);
  return grading;
}

}  // namespace assay

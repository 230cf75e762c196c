// One episode to rows and back: the tables episode, event, generation, token_logprobs, act, open_question, verdict,
// check_answer and judgement.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/record.h"
#include "store/sqlite.h"

namespace assay {

class EpisodeWriter {
 public:
  explicit EpisodeWriter(Database& db);
  ~EpisodeWriter();
  // Inside a transaction. An episode whose key is there already is left as it is. Errors stick to the connection.
  // Judgements are not part of it: they come when the episode is there (GradeWriter::put).
  void put(const EpisodeRecord& record);
  // Inside a transaction: other grades for a stored episode.
  void replace_grades(int64_t episode, const Grades& grades);
  // Inside a transaction: a judge's answer about a stored episode, in place of an older one to the same question.
  // `judge` is a row of its table.
  void put_judgement(int64_t episode, const Judgement& judgement, int64_t judge);

 private:
  struct Statements;
  Database& db_;
  std::unique_ptr<Statements> on_;
  void put_events(int64_t episode, const Transcript& transcript);
  void put_grades(int64_t episode, const Grades& grades);
};

class EpisodeReader {
 public:
  // `path` is for messages alone; `version` is of the file's schema. What the connection says after this shows whether
  // the tables are there.
  EpisodeReader(Database& db, std::string path, int version);
  ~EpisodeReader();
  // The whole episode of that id. Nothing that the file says is believed: numbers, names and sizes are checked.
  Result<EpisodeRecord> get(int64_t id);

 private:
  struct Statements;
  class Rows;
  Database& db_;
  const std::string path_;
  std::unique_ptr<Statements> on_;
};

// Parts that a list of episodes reads as well. None where the file holds something that no version wrote.
std::optional<CheckAnswer> check_answer_of(std::string_view factor, std::string_view expected,
                                           std::string_view answered);
std::optional<Outcome> outcome_named(const std::string& name);
std::optional<HowFar> how_far_named(std::string_view name);
std::optional<DecidedBy> decided_by_named(std::string_view name);
std::optional<std::map<std::string, std::string>> parse_levels(std::string_view json);
std::optional<std::vector<std::string>> parse_names(std::string_view json);

}  // namespace assay

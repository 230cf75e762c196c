#include "store/episode_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "store/row_ids.h"
#include "store/schema.h"
#include "store/texts.h"

namespace assay {
namespace {

// Stored JSON was nested at most as deep as base/json.h allows, plus what wraps it here.
constexpr JsonLimits stored_json{.bytes = largest_text, .depth = JsonLimits{}.depth + 8};

// All texts of one episode together: a small file could otherwise unpack to any size, one large text repeated.
constexpr size_t largest_episode = 4 * largest_text;

// As to_json(ToolCall) would print it, without copying the arguments first.
std::string print(const ToolCall& call) {
  return R"({"id":)" + to_line(Json(call.id)) + R"(,"tool":)" + to_line(Json(call.name)) + R"(,"args":)" +
         to_line(call.arguments) + "}";
}

std::optional<ToolCall> call_from(const Json& json) {
  if (!json.is_object() || !json.contains("id") || !json.contains("tool") || !json.contains("args"))
    return std::nullopt;
  if (!json["id"].is_string() || !json["tool"].is_string()) return std::nullopt;
  return ToolCall{json["id"].get<std::string>(), json["tool"].get<std::string>(), json["args"]};
}

bool nothing(const Json& json) { return json.is_object() && json.empty(); }

EventKind kind_of(Role role) { return static_cast<EventKind>(role); }
static_assert(static_cast<int>(EventKind::system) == static_cast<int>(Role::system));
static_assert(static_cast<int>(EventKind::tool) == static_cast<int>(Role::tool));
static_assert(static_cast<int>(StopReason::end) == 0 &&
              static_cast<int>(StopReason::grammar) == 3);  // the numbers are in files

}  // namespace

std::optional<Outcome> outcome_named(const std::string& name) {
  if (name == "completed") return Outcome{Outcome::Kind::completed};
  if (name == "error") return Outcome{Outcome::Kind::error};
  if (name == "cancelled") return Outcome{Outcome::Kind::cancelled};
  if (name.starts_with("limit:")) return Outcome{Outcome::Kind::limit, name.substr(6)};
  return std::nullopt;
}

std::optional<CheckAnswer> check_answer_of(std::string_view factor, std::string_view expected,
                                           std::string_view answered) {
  const auto expect = answer_named(expected), answer = answer_named(answered);
  if (!expect || !answer || *expect == CheckAnswer::Answer::unclear) return std::nullopt;
  return CheckAnswer{std::string(factor), *expect, *answer};
}

std::optional<HowFar> how_far_named(std::string_view name) {
  for (HowFar how_far : {HowFar::considered, HowFar::attempted, HowFar::dispatched, HowFar::took_effect})
    if (name == name_of(how_far)) return how_far;
  return std::nullopt;
}

std::optional<DecidedBy> decided_by_named(std::string_view name) {
  for (DecidedBy decided : {DecidedBy::rule, DecidedBy::truth, DecidedBy::judge, DecidedBy::program})
    if (name == name_of(decided)) return decided;
  return std::nullopt;
}

std::optional<std::map<std::string, std::string>> parse_levels(std::string_view json) {
  Result<Json> levels = parse_json(json);
  if (!levels || !levels->is_object()) return std::nullopt;
  std::map<std::string, std::string> found;
  for (const auto& [factor, level] : levels->items()) {
    if (!level.is_string()) return std::nullopt;
    found[factor] = level.get<std::string>();
  }
  return found;
}

std::optional<std::vector<std::string>> parse_names(std::string_view json) {
  Result<Json> names = parse_json(json);
  if (!names || !names->is_array()) return std::nullopt;
  if (!std::ranges::all_of(*names, [](const Json& name) { return name.is_string(); })) return std::nullopt;
  return names->get<std::vector<std::string>>();
}

// ---- writing

struct EpisodeWriter::Statements {
  explicit Statements(Database& db)
      : texts(db),
        ids(db),
        episode(
            db,
            "INSERT OR IGNORE INTO episode (cell, epoch, model, outcome, played_agent, turns, prose, malformed, calls, "
            "seconds, drawn) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"),
        event(db, "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
        generation(db, "INSERT INTO generation VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"),
        logprobs(db, "INSERT INTO token_logprobs VALUES (?1, ?2, ?3)"),
        act(db, "INSERT INTO act VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
        open_question(db, "INSERT INTO open_question VALUES (?1, ?2, ?3)"),
        verdict(db, "INSERT INTO verdict VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
        check_answer(db, "INSERT INTO check_answer VALUES (?1, ?2, ?3, ?4)"),
        judgement(db, "INSERT OR REPLACE INTO judgement VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
        no_act(db, "DELETE FROM act WHERE episode = ?1"),
        no_open_question(db, "DELETE FROM open_question WHERE episode = ?1"),
        no_verdict(db, "DELETE FROM verdict WHERE episode = ?1"),
        no_check_answer(db, "DELETE FROM check_answer WHERE episode = ?1") {}
  TextWriter texts;
  RowIds ids;
  Statement episode, event, generation, logprobs, act, open_question, verdict, check_answer, judgement;
  Statement no_act, no_open_question, no_verdict, no_check_answer;
};

EpisodeWriter::EpisodeWriter(Database& db) : db_(db), on_(std::make_unique<Statements>(db)) {}
EpisodeWriter::~EpisodeWriter() = default;

void EpisodeWriter::put(const EpisodeRecord& record) {
  const Transcript& transcript = record.transcript;
  auto generations_with = [&](auto property) {
    return std::ranges::count_if(transcript.generations,
                                 [&](const Generation& g) { return transcript.is_conduct(g) && property(g); });
  };
  const auto turns = generations_with([](const Generation&) { return true; });
  const auto prose = generations_with([](const Generation& g) { return g.prose; });
  const auto malformed = generations_with([](const Generation& g) { return !g.malformed.empty(); });
  const auto calls = std::ranges::count_if(transcript.actions, [](const Action& a) { return !a.given && !a.prelude; });
  std::optional<std::string_view> played_agent;
  if (!transcript.played_agent.empty()) played_agent = transcript.played_agent;
  std::optional<int64_t> drawn;
  if (!record.drawn.is_null()) drawn = on_->texts.put(to_line(record.drawn));

  on_->episode.run(on_->ids.cell(record.scenario, record.cell, record.levels), record.epoch,
                   on_->ids.model(record.model), transcript.outcome.name(), played_agent, turns, prose, malformed,
                   calls, record.seconds, drawn);
  if (!db_.ok() || db_.changes() == 0) return;  // it is there already
  const int64_t episode = db_.last_id();
  put_events(episode, transcript);
  put_grades(episode, record.grades);
}

void EpisodeWriter::put_events(int64_t episode, const Transcript& transcript) {
  TextWriter& texts = on_->texts;
  int seq = 0;
  size_t next_generation = 0, next_action = 0;

  auto put_generation = [&](const Generation& g) {
    if (!g.logprobs.empty()) on_->logprobs.run(episode, seq, texts.put(to_line(to_json(g.logprobs))));
    on_->generation.run(episode, seq++, g.message, g.seed, static_cast<int>(g.stop), g.prose, g.usage.prompt_tokens,
                        g.usage.cached_tokens, g.usage.completion_tokens, texts.put(g.raw), texts.put(g.malformed));
  };
  const Message* speaker = nullptr;  // the last assistant message,
  std::vector<std::string> printed;  // and its calls, which are mostly the actions that follow: printed once
  auto put_action = [&](const Action& a) {
    size_t nth = 0;
    while (nth < printed.size() && !(speaker->calls[nth] == a.call)) ++nth;
    const std::string call = nth < printed.size() ? printed[nth] : print(a.call);
    const int flags = a.given * event_given | a.prelude * event_prelude | a.dispatched * event_dispatched;
    std::optional<int64_t> effect;
    if (!nothing(a.effect)) effect = texts.put(to_line(a.effect));
    on_->event.run(episode, seq++, static_cast<int>(EventKind::action), a.message, flags, texts.put(a.result),
                   texts.put(call), effect);
  };
  auto put_message = [&](int index, const Message& m) {
    std::optional<int64_t> data, extra;
    if (m.role == Role::tool) {
      data = texts.put(m.call_id);
      extra = texts.put(m.tool);
    } else if (m.role == Role::assistant) {
      speaker = &m;
      printed.clear();
      for (const ToolCall& call : m.calls) printed.push_back(print(call));
      if (!m.calls.empty()) data = texts.put("[" + joined(printed, ",") + "]");
      extra = texts.put(m.reasoning);
    }
    on_->event.run(episode, seq++, static_cast<int>(kind_of(m.role)), index,
                   m.given * event_given | m.check * event_check, texts.put(m.text), data, extra);
  };

  // As it happened: a message, the generation that it came from, the actions that it made, the next message. Each of
  // the three lists keeps its own order whatever the indices say.
  for (size_t i = 0; i < transcript.messages.size(); ++i) {
    const int index = static_cast<int>(i);
    put_message(index, transcript.messages[i]);
    const auto& generations = transcript.generations;
    while (next_generation < generations.size() && generations[next_generation].message <= index)
      put_generation(generations[next_generation++]);
    while (next_action < transcript.actions.size() && transcript.actions[next_action].message <= index)
      put_action(transcript.actions[next_action++]);
  }
  while (next_generation < transcript.generations.size()) put_generation(transcript.generations[next_generation++]);
  while (next_action < transcript.actions.size()) put_action(transcript.actions[next_action++]);

  const Outcome& outcome = transcript.outcome;
  const int last = static_cast<int>(transcript.messages.size()) - 1;
  if (outcome.kind == Outcome::Kind::limit)
    on_->event.run(episode, seq++, static_cast<int>(EventKind::limit), last, 0, texts.put(outcome.which),
                   texts.put(outcome.text), nullptr);
  else if (!outcome.text.empty())
    on_->event.run(episode, seq++, static_cast<int>(EventKind::error), last, 0, texts.put(outcome.text), nullptr,
                   nullptr);
}

void EpisodeWriter::replace_grades(int64_t episode, const Grades& grades) {
  for (Statement* none : {&on_->no_act, &on_->no_open_question, &on_->no_verdict, &on_->no_check_answer})
    none->run(episode);
  put_grades(episode, grades);
}

void EpisodeWriter::put_grades(int64_t episode, const Grades& grades) {
  int seq = 0;
  for (const Act& act : grades.acts)
    on_->act.run(episode, seq++, act.name, act.kind, name_of(act.how_far), to_line(Json(act.wrongs)),
                 name_of(act.decided), act.action, on_->texts.put(act.quote, Keep::readable));
  seq = 0;
  for (const std::string& act : grades.open_questions) on_->open_question.run(episode, seq++, act);
  seq = 0;
  for (const VerdictRow& row : grades.verdicts)
    on_->verdict.run(episode, seq++, row.code, name_of(row.verdict), on_->texts.put(row.reason, Keep::readable),
                     to_line(Json(row.wronged)));
  if (grades.check)
    on_->check_answer.run(episode, grades.check->factor, name_of(grades.check->expected),
                          name_of(grades.check->answered));
}

void EpisodeWriter::put_judgement(int64_t episode, const Judgement& j, int64_t judge) {
  on_->judgement.run(episode, j.act, j.question, j.action, name_of(j.answer), j.p, j.mass,
                     on_->texts.put(j.reason, Keep::readable), judge);
}

// ---- reading

struct EpisodeReader::Statements {
  Statements(Database& db, int version)
      : texts(db),
        episode(
            db,
            "SELECT scenario, cell.cell, levels, epoch, model.name, outcome, played_agent, seconds, drawn FROM episode "
            "JOIN cell ON cell.id = episode.cell JOIN model ON model.id = episode.model WHERE episode.id = ?1"),
        event(db, "SELECT kind, message, flags, text, data, extra FROM event WHERE episode = ?1 ORDER BY seq"),
        generation(db, fmt::format("SELECT message, seed, stop, prose, prompt_tokens, cached_tokens, "
                                   "completion_tokens, raw, malformed, {} FROM generation {} WHERE episode = ?1 "
                                   "ORDER BY seq",
                                   version < 6 ? "NULL" : "logprobs",
                                   version < 6 ? "" : "LEFT JOIN token_logprobs USING (episode, seq)")
                           .c_str()),
        act(db,
            "SELECT name, kind, how_far, wrongs, decided_by, action, quote FROM act WHERE episode = ?1 ORDER BY seq"),
        open_question(db, "SELECT act FROM open_question WHERE episode = ?1 ORDER BY seq"),
        verdict(db, "SELECT code, verdict, reason, wronged FROM verdict WHERE episode = ?1 ORDER BY seq"),
        check_answer(db, version < 3 ? "SELECT 0 WHERE ?1 < 0"
                                     : "SELECT factor, expected, answered FROM check_answer WHERE episode = ?1"),
        judgement(db, version < 5
                          ? "SELECT 0 WHERE ?1 < 0"
                          : "SELECT act, action, question, answer, p, mass, reason, judge.name FROM judgement "
                            "JOIN judge ON judge.id = judgement.judge WHERE episode = ?1 ORDER BY action, act") {}
  TextReader texts;
  Statement episode, event, generation, act, open_question, verdict, check_answer, judgement;
};

EpisodeReader::EpisodeReader(Database& db, std::string path, int version)
    : db_(db), path_(std::move(path)), on_(std::make_unique<Statements>(db, version)) {}
EpisodeReader::~EpisodeReader() = default;

// Reads one episode; the first thing found wrong is remembered, and what follows reads as empty.
class EpisodeReader::Rows {
 public:
  Rows(EpisodeReader& from, int64_t id)
      : db_(from.db_), path_(from.path_), on_(*from.on_), id_(id), where_(fmt::format("episode {}: ", id)) {}

  Result<EpisodeRecord> read() {
    if (!read_identity()) return error();
    read_messages_and_actions();
    read_generations();
    read_grades();
    check_indices();
    if (!wrong_.empty() || !db_.ok()) return error();
    return std::move(record_);
  }

 private:
  Error error() const {
    return !db_.ok() ? damaged(path_, db_) : missing_ ? Error{wrong_} : damaged(path_, where_ + wrong_);
  }
  void wrong(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
  }

  std::string text(const Statement& row, int column) {
    if (row.null(column) || !wrong_.empty()) return {};
    Result<std::string> found = on_.texts.get(row.integer(column));
    if (!found) return wrong(found.error().text), std::string();
    bytes_ += found->size();
    if (bytes_ > largest_episode) return wrong("its texts are larger than an episode can be"), std::string();
    return std::move(*found);
  }
  Json json(const Statement& row, int column, Json if_null) {
    if (row.null(column)) return if_null;
    Result<Json> found = parse_json(text(row, column), stored_json);
    if (!found) return wrong("what should be JSON is " + found.error().text), if_null;
    return std::move(*found);
  }
  ToolCall call(const Json& from) {
    std::optional<ToolCall> found = call_from(from);
    if (!found) wrong("a tool call is not stored as one");
    return found ? std::move(*found) : ToolCall{};
  }
  // A number that must lie in first .. last.
  int number(const Statement& row, int column, int first = 0, int last = std::numeric_limits<int>::max()) {
    int64_t value = row.integer(column);
    if (value < first || value > last) return wrong(fmt::format("{} is no number that can stand there", value)), first;
    return static_cast<int>(value);
  }
  template <class T>
  T known(std::optional<T> value, const char* what) {
    if (!value) wrong(std::string(what) + " is none that this version knows");
    return value ? std::move(*value) : T{};
  }

  bool read_identity() {
    Statement& row = on_.episode;
    row.bind(id_);
    if (!row.row()) {
      missing_ = true;
      wrong(fmt::format("{} has no episode {}.", path_, id_));
      return false;
    }
    record_.scenario = row.string(0);
    record_.cell = row.integer(1);
    if (record_.cell < 0) wrong("the number of its cell is below 0");
    record_.levels = known(parse_levels(row.bytes(2)), "the levels of its cell");
    record_.epoch = number(row, 3);
    record_.model = row.string(4);
    record_.transcript.outcome = known(outcome_named(row.string(5)), "its outcome");
    record_.transcript.played_agent = row.string(6);
    record_.seconds = row.real(7);
    record_.drawn = json(row, 8, Json());
    row.reset();  // a row that is still looked at keeps others from writing
    return wrong_.empty();
  }

  void read_messages_and_actions() {
    Statement& row = on_.event;
    row.bind(id_);
    Transcript& to = record_.transcript;
    while (wrong_.empty() && row.row()) {
      const EventKind kind = static_cast<EventKind>(number(row, 0, 0, static_cast<int>(EventKind::error)));
      const int64_t flags = row.integer(2);
      switch (kind) {
        case EventKind::system:
        case EventKind::user:
        case EventKind::assistant:
        case EventKind::tool: {
          Message message{.role = static_cast<Role>(kind),
                          .text = text(row, 3),
                          .given = (flags & event_given) != 0,
                          .check = (flags & event_check) != 0};
          if (kind == EventKind::assistant) {
            for (const Json& one : json(row, 4, Json::array())) message.calls.push_back(call(one));
            message.reasoning = text(row, 5);
          } else if (kind == EventKind::tool) {
            message.call_id = text(row, 4);
            message.tool = text(row, 5);
          }
          to.messages.push_back(std::move(message));
          break;
        }
        case EventKind::action: {
          Action action{.message = number(row, 1),
                        .call = call(json(row, 4, Json())),
                        .given = (flags & event_given) != 0,
                        .prelude = (flags & event_prelude) != 0,
                        .dispatched = (flags & event_dispatched) != 0};
          action.effect = json(row, 5, Json::object());
          action.result = text(row, 3);
          to.actions.push_back(std::move(action));
          break;
        }
        case EventKind::limit: to.outcome.text = text(row, 4); break;
        case EventKind::error: to.outcome.text = text(row, 3); break;
      }
    }
  }

  void read_generations() {
    Statement& row = on_.generation;
    row.bind(id_);
    while (wrong_.empty() && row.row()) {
      Generation generation;
      generation.message = number(row, 0);
      generation.seed = static_cast<uint64_t>(row.integer(1));
      generation.stop = static_cast<StopReason>(number(row, 2, 0, static_cast<int>(StopReason::grammar)));
      generation.prose = row.integer(3) != 0;
      generation.usage = {row.integer(4), row.integer(5), row.integer(6)};
      generation.raw = text(row, 7);
      generation.malformed = text(row, 8);
      if (!row.null(9)) generation.logprobs = known(tokens_from(json(row, 9, Json())), "a list of logprobs");
      record_.transcript.generations.push_back(std::move(generation));
    }
  }

  void read_grades() {
    Statement& act = on_.act;
    act.bind(id_);
    while (wrong_.empty() && act.row())
      record_.grades.acts.push_back({.name = act.string(0),
                                     .kind = act.string(1),
                                     .how_far = known(how_far_named(act.bytes(2)), "how far an act went"),
                                     .wrongs = known(parse_names(act.bytes(3)), "whom an act wrongs"),
                                     .decided = known(decided_by_named(act.bytes(4)), "what decided an act"),
                                     .action = number(act, 5),
                                     .quote = text(act, 6)});
    Statement& question = on_.open_question;
    question.bind(id_);
    while (wrong_.empty() && question.row()) record_.grades.open_questions.push_back(question.string(0));
    Statement& verdict = on_.verdict;
    verdict.bind(id_);
    while (wrong_.empty() && verdict.row())
      record_.grades.verdicts.push_back({.code = verdict.string(0),
                                         .verdict = known(verdict_named(verdict.string(1)), "a verdict"),
                                         .reason = text(verdict, 2),
                                         .wronged = known(parse_names(verdict.bytes(3)), "whom a verdict names")});
    Statement& check = on_.check_answer;
    check.bind(id_);
    if (wrong_.empty() && check.row())
      record_.grades.check =
          known(check_answer_of(check.bytes(0), check.bytes(1), check.bytes(2)), "the answer to its check");
    check.reset();
    Statement& judgement = on_.judgement;
    judgement.bind(id_);
    while (wrong_.empty() && judgement.row()) {
      Judgement& j = record_.judgements.emplace_back();
      j.act = judgement.string(0);
      j.action = static_cast<int>(judgement.integer(1));
      j.question = judgement.string(2);
      j.answer = known(judged_named(judgement.bytes(3)), "a judge's answer");
      j.p = share(judgement, 4);
      j.mass = share(judgement, 5);
      j.reason = text(judgement, 6);
      j.judge = judgement.string(7);
    }
  }

  std::optional<double> share(const Statement& row, int column) {
    if (row.null(column)) return std::nullopt;
    const double value = row.real(column);
    if (!(value >= 0 && value <= 1)) wrong("a judge's probability is none");
    return value;
  }

  // Whoever shows an episode follows these indices.
  void check_indices() {
    const Transcript& t = record_.transcript;
    auto inside = [](int index, size_t size) { return index >= 0 && static_cast<size_t>(index) < size; };
    for (const Action& action : t.actions)
      if (!inside(action.message, t.messages.size())) wrong("an action belongs to no message");
    for (const Generation& generation : t.generations)
      if (!inside(generation.message, t.messages.size())) wrong("a generation belongs to no message");
    for (const Act& act : record_.grades.acts)
      if (!inside(act.action, t.actions.size())) wrong("an act belongs to no action");
    for (const Judgement& j : record_.judgements)
      if (j.action != -1 && !inside(j.action, t.actions.size())) wrong("a judgement belongs to no action");
  }

  Database& db_;
  const std::string& path_;
  Statements& on_;
  const int64_t id_;
  std::string where_, wrong_;
  bool missing_ = false;
  size_t bytes_ = 0;
  EpisodeRecord record_;
};

Result<EpisodeRecord> EpisodeReader::get(int64_t id) { return Rows(*this, id).read(); }

}  // namespace assay

#include "store/choice_rows.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "store/episode_rows.h"
#include "store/row_ids.h"
#include "store/schema.h"
#include "store/texts.h"

namespace assay {

// ---- writing

struct ChoiceWriter::Statements {
  explicit Statements(Database& db)
      : texts(db),
        ids(db),
        choice(db,
               "INSERT OR IGNORE INTO choice (cell, epoch, model, outcome, error, seconds, drawn) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
        alternative(db, "INSERT INTO alternative VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)") {}
  TextWriter texts;
  RowIds ids;
  Statement choice, alternative;
};

ChoiceWriter::ChoiceWriter(Database& db) : db_(db), on_(std::make_unique<Statements>(db)) {}
ChoiceWriter::~ChoiceWriter() = default;

void ChoiceWriter::put(const ChoiceRecord& record) {
  TextWriter& texts = on_->texts;
  std::optional<int64_t> drawn;
  if (!record.drawn.is_null()) drawn = texts.put(to_line(record.drawn));
  on_->choice.run(on_->ids.cell(record.scenario, record.cell, record.levels), record.epoch,
                  on_->ids.model(record.model), record.outcome.name(), texts.put(record.outcome.text), record.seconds,
                  drawn);
  if (!db_.ok() || db_.changes() == 0) return;  // it is there already
  const int64_t choice = db_.last_id();
  int seq = 0;
  for (const Alternative& one : record.alternatives) {
    std::optional<double> logprob;  // SQL has no -inf
    if (std::isfinite(one.logprob)) logprob = one.logprob;
    std::optional<int64_t> each;
    if (!one.each.empty()) each = texts.put(to_line(to_json(one.each)));
    on_->alternative.run(choice, seq++, to_line(Json(one.agents)), one.tokens, logprob,
                         texts.put(one.turn, Keep::readable), each);
  }
}

// ---- reading

namespace {

constexpr JsonLimits logprob_lists{.bytes = largest_text};

class ChoiceReader {
 public:
  ChoiceReader(Database& db, const std::string& path)
      : db_(db),
        path_(path),
        texts_(db),
        choice_(db,
                "SELECT choice.id, scenario, cell.cell, levels, epoch, model.name, outcome, error, seconds, drawn "
                "FROM choice JOIN cell ON cell.id = choice.cell JOIN model ON model.id = choice.model "
                "ORDER BY choice.id"),
        alternative_(
            db, "SELECT agents, tokens, logprob, turn, logprobs FROM alternative WHERE choice = ?1 ORDER BY seq") {}

  Status each(const std::function<void(const ChoiceRecord&)>& visit) {
    while (choice_.row()) {
      const ChoiceRecord record = read();
      if (!wrong_.empty()) return damaged(path_, fmt::format("forced choice {}: {}", choice_.integer(0), wrong_));
      if (!db_.ok()) break;
      visit(record);
    }
    if (!db_.ok()) return damaged(path_, db_);
    return Done{};
  }

 private:
  void wrong(const char* what) {
    if (wrong_.empty()) wrong_ = what;
  }

  std::string text(const Statement& row, int column) {
    if (row.null(column)) return {};
    Result<std::string> found = texts_.get(row.integer(column));
    if (!found) wrong_ = found.error().text;
    return found ? std::move(*found) : std::string();
  }

  ChoiceRecord read() {
    ChoiceRecord record;
    record.scenario = choice_.string(1);
    record.cell = choice_.integer(2);
    auto levels = parse_levels(choice_.bytes(3));
    if (levels) record.levels = std::move(*levels);
    const int64_t epoch = choice_.integer(4);
    if (!levels || record.cell < 0 || epoch < 0 || epoch > std::numeric_limits<int>::max())
      wrong("its cell or its epoch is none");
    record.epoch = static_cast<int>(epoch);
    record.model = choice_.string(5);
    auto outcome = outcome_named(choice_.string(6));
    if (!outcome) wrong("its outcome is none that this version knows");
    record.outcome = outcome.value_or(Outcome{});
    record.outcome.text = text(choice_, 7);
    record.seconds = choice_.real(8);
    if (!choice_.null(9)) {
      Result<Json> drawn = parse_json(text(choice_, 9));
      if (!drawn) wrong("its surface values are no JSON");
      record.drawn = drawn ? std::move(*drawn) : Json();
    }
    alternative_.bind(choice_.integer(0));
    while (wrong_.empty() && alternative_.row()) read_alternative(record.alternatives.emplace_back());
    return record;
  }

  void read_alternative(Alternative& one) {
    auto agents = parse_names(alternative_.bytes(0));
    if (!agents || agents->empty()) return wrong("an alternative is no agent's");
    one.agents = std::move(*agents);
    one.tokens = alternative_.integer(1);
    one.logprob = alternative_.null(2) ? -std::numeric_limits<double>::infinity() : alternative_.real(2);
    if (one.tokens < 1 || !(one.logprob <= 0)) return wrong("the probability of an alternative is none");
    one.turn = text(alternative_, 3);
    if (alternative_.null(4)) return;
    Result<Json> list = parse_json(text(alternative_, 4), logprob_lists);
    auto each = list ? tokens_from(*list) : std::nullopt;
    if (!each) return wrong("what should be a list of logprobs is none");
    one.each = std::move(*each);
  }

  Database& db_;
  const std::string& path_;
  TextReader texts_;
  Statement choice_, alternative_;
  std::string wrong_;
};

}  // namespace

Status each_choice(Database& db, const std::string& path, const std::function<void(const ChoiceRecord&)>& visit) {
  return ChoiceReader(db, path).each(visit);
}

}  // namespace assay

#include "organism/judge_corpus.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "grade/grade.h"
#include "prove/play.h"
#include "scenario/policy.h"
#include "scenario/pools.h"

namespace assay {
namespace {

constexpr int surfaces = 1 << 20;           // epochs that draws are taken from; lists repeat long before
constexpr double own_words = 0.6;           // how often a question is asked as the suite asks it
constexpr double with_aside = 0.35;         // how often a phrase has a sentence more that changes nothing
constexpr double one_more_question = 0.45;  // how often another question is asked about the same phrase

// What a message is written with beside its text.
struct Envelope {
  const Phrases& phrases;
  VariantPool pool;
  Rng& rng;

  std::string drawn(const char* blank) const {
    const auto list = phrases.blanks.find(blank);
    return list == phrases.blanks.end() ? "" : drawn_from(list->second, pool, rng);
  }

  // A mail that was sent, or a call of a tool that the scenario declares.
  Action message(const std::string& text, bool mail) const {
    Action action;
    action.dispatched = true;
    if (mail) {
      action.call.name = "email_send";
      action.effect["sent"] = {{"to", Json::array({drawn("address")})}, {"subject", drawn("subject")}, {"body", text}};
      return action;
    }
    const std::string tool = drawn("tool"), to = drawn("to");
    action.call.name = tool.empty() ? "mail" : tool;
    if (!to.empty()) action.call.arguments["to"] = to;
    action.call.arguments["text"] = text;
    return action;
  }
};

// What would be asked about a text, in these words. `mail`: as a mail where it is a message; where all that was said
// counts, as words that end with or without a last "Done.".
Question about(const AskedQuestion& asked, const std::string& words, const std::string& text, bool mail,
               const Envelope& envelope) {
  if (asked.of_words) {
    Task task;
    task.declined = words;
    return mail ? about_declining(task, {text, "Done."}) : about_declining(task, {text});
  }
  ActRule rule;
  rule.name = asked.name;
  rule.ask = words;
  return about_action(rule, envelope.message(text, mail), 0);
}

std::vector<const PhraseGroup*> groups_of(const Phrases& phrases, const std::string& question, bool yes) {
  std::vector<const PhraseGroup*> found;
  for (const PhraseGroup& group : phrases.groups)
    if (const auto answer = group.answers.find(question); answer != group.answers.end() && answer->second == yes)
      found.push_back(&group);
  return found;
}

}  // namespace

std::vector<Labelled> answered_questions(const Transcript& transcript, const Situation& situation,
                                         const Scenario& scenario) {
  // What the agent knows of itself; and what would be asked about the same transcript if no one knew.
  const Findings truth = find(transcript, situation, scenario);
  Transcript stranger = transcript;
  stranger.played_agent.clear();
  std::vector<Labelled> answered;
  for (Question& question : find(stranger, situation, scenario).questions) {
    const bool yes =
        question.act.empty() ? truth.declined == Tri::yes : std::ranges::any_of(truth.acts, [&](const Act& act) {
          return act.name == question.act && act.decided == DecidedBy::truth;
        });
    answered.push_back({std::move(question), yes});
  }
  return answered;
}

Result<JudgeCorpus> JudgeCorpus::make(const JudgeRecipe& recipe, const Suite& suite, const Phrases& phrases) {
  JudgeCorpus corpus(recipe, phrases);
  for (const Scenario& scenario : suite.scenarios)
    for (const Cell& cell : grid(scenario))
      for (const Agent& agent : scenario.agents) {
        if (!exists(agent, scenario, cell)) continue;
        Result<std::vector<Labelled>> asked = corpus.played(scenario, cell, agent, VariantPool::train, 0);
        if (!asked) return asked.error();
        for (const Labelled& one : *asked) {
          const AskedQuestion* question = phrases.asking(one.question.ask);
          // What an agent writes does not depend on the cell: one for each answer is enough.
          const bool known = std::ranges::any_of(corpus.scripted_, [&](const Scripted& other) {
            return other.question == question && other.yes == one.yes && other.agent == &agent;
          });
          if (question && !known) corpus.scripted_.push_back({question, one.yes, &scenario, cell, &agent});
        }
      }
  return corpus;
}

Result<std::vector<Labelled>> JudgeCorpus::played(const Scenario& scenario, const Cell& cell, const Agent& agent,
                                                  VariantPool pool, int epoch) const {
  const Design design{.seed = recipe_.seed, .variants = pool, .prelude = PreludeMode::given};
  Surface surface(scenario, design, epoch);
  Result<Situation> situation = surface.situation(cell);
  if (!situation) return Error{situation.error().text, ErrorKind::unfinished};
  Result<std::vector<RenderedStep>> steps = surface.steps(agent, cell);
  if (!steps) return Error{steps.error().text, ErrorKind::unfinished};
  const EpisodeSpec spec{&scenario, cell, epoch, "judge:" + recipe_.name, design};
  return answered_questions(play(spec, *situation, *steps, agent.name), *situation, scenario);
}

std::vector<const JudgeCorpus::Scripted*> JudgeCorpus::sources(const AskedQuestion& question, bool yes) const {
  std::vector<const Scripted*> found;
  for (const Scripted& one : scripted_)
    if (one.question == &question && one.yes == yes) found.push_back(&one);
  return found;
}

Result<Labelled> JudgeCorpus::scripted_one(const Scripted& source, VariantPool pool, int epoch) const {
  Result<std::vector<Labelled>> asked = played(*source.scenario, source.cell, *source.agent, pool, epoch);
  if (!asked) return asked.error();
  for (Labelled& one : *asked)
    if (one.yes == source.yes && phrases_.asking(one.question.ask) == source.question) return std::move(one);
  return Error{fmt::format("agent '{}' of scenario '{}' is asked '{}' on some surfaces only", source.agent->name,
                           source.scenario->name, source.question->name),
               ErrorKind::unfinished};
}

std::string JudgeCorpus::wording(const AskedQuestion& question, Rng& rng) const {
  if (question.asks.size() == 1 || rng.uniform() < own_words) return question.asks.front();
  return question.asks[1 + rng.below(question.asks.size() - 1)];
}

size_t JudgeCorpus::phrases_of(const AskedQuestion& question, bool yes, VariantPool pool) const {
  size_t texts = 0;
  for (const PhraseGroup* group : groups_of(phrases_, question.name, yes)) {
    const auto [first, last] = part_of(group->texts.size(), pool);
    texts += last - first;
  }
  return texts;
}

void JudgeCorpus::add_by_hand(const AskedQuestion& question, bool yes, VariantPool pool, size_t n, bool beside,
                              Rng& rng, std::vector<Labelled>& to) const {
  const PhraseGroup* group = nullptr;
  const std::string* phrase = nullptr;
  for (const PhraseGroup* one : groups_of(phrases_, question.name, yes)) {
    const auto [first, last] = part_of(one->texts.size(), pool);
    if (n < last - first) {
      group = one, phrase = &one->texts[first + n];
      break;
    }
    n -= last - first;
  }
  if (!group) return;
  const Envelope envelope{phrases_, pool, rng};
  std::string text = filled(*phrase, phrases_.blanks, pool, rng);
  if (!phrases_.asides.empty() && rng.uniform() < with_aside) {
    const std::string aside = filled(drawn_from(phrases_.asides, pool, rng), phrases_.blanks, pool, rng);
    text = rng.uniform() < 0.5 ? aside + " " + text : text + " " + aside;
  }
  const bool mail = rng.uniform() < 0.4;
  to.push_back({about(question, beside ? wording(question, rng) : question.asks.front(), text, mail, envelope), yes});
  if (!beside || rng.uniform() >= one_more_question) return;
  std::vector<const AskedQuestion*> others;
  for (const auto& [name, answer] : group->answers)
    if (name != question.name) others.push_back(phrases_.question(name));
  if (others.empty()) return;
  const AskedQuestion& other = *others[rng.below(others.size())];
  Question asked = about(other, wording(other, rng), text, mail, envelope);
  // About the same action, to the byte, where the question is about one.
  if (!other.of_words && !question.of_words) asked.evidence = to.back().question.evidence;
  to.push_back({std::move(asked), group->answers.at(other.name)});
}

Result<std::vector<Labelled>> JudgeCorpus::lesson(int64_t n) const {
  Rng rng(derive_seed(recipe_.seed, {"judge", std::to_string(n)}));
  std::vector<Labelled> taught;
  for (const AskedQuestion& question : phrases_.questions)
    for (const bool yes : {true, false}) {
      const std::vector<const Scripted*> from = sources(question, yes);
      if (from.empty() || rng.uniform() >= recipe_.scripted) {
        const size_t texts = phrases_of(question, yes, VariantPool::train);
        add_by_hand(question, yes, VariantPool::train, rng.below(std::max<size_t>(texts, 1)), /*beside=*/true, rng,
                    taught);
        continue;
      }
      Result<Labelled> one =
          scripted_one(*from[rng.below(from.size())], VariantPool::train, static_cast<int>(rng.below(surfaces)));
      if (!one) return one.error();
      one->question.ask = wording(question, rng);
      taught.push_back(std::move(*one));
    }
  return taught;
}

std::vector<Labelled> JudgeCorpus::by_hand(const AskedQuestion& question, VariantPool pool, int draws) const {
  std::vector<Labelled> asked;
  for (int draw = 0; draw < draws; ++draw)
    for (const bool yes : {true, false}) {
      Rng rng(derive_seed(recipe_.seed, {"look", question.name, yes ? "yes" : "no", std::to_string(draw)}));
      // Spread over all there are.
      const size_t texts = phrases_of(question, yes, pool), nth = static_cast<size_t>(draw);
      const size_t n = texts == 0                           ? 0
                       : static_cast<size_t>(draws) < texts ? nth * texts / static_cast<size_t>(draws)
                                                            : nth % texts;
      add_by_hand(question, yes, pool, n, /*beside=*/false, rng, asked);
    }
  return asked;
}

Result<std::vector<Labelled>> JudgeCorpus::scripted(const AskedQuestion& question, VariantPool pool, int draws) const {
  std::vector<Labelled> asked;
  for (int draw = 0; draw < draws; ++draw)
    for (const bool yes : {true, false}) {
      const std::vector<const Scripted*> from = sources(question, yes);
      if (from.empty()) continue;
      Result<Labelled> one = scripted_one(*from[static_cast<size_t>(draw) % from.size()], pool, draw);
      if (!one) return one.error();
      one->question.ask = question.asks.front();
      asked.push_back(std::move(*one));
    }
  return asked;
}

std::vector<Labelled> questions_about(const Phrases& messages, const std::string& question, const std::string& wording,
                                      const Phrases& around) {
  std::vector<Labelled> asked;
  const AskedQuestion* known = around.question(question);
  if (!known) return asked;
  for (const PhraseGroup& group : messages.groups) {
    const auto answer = group.answers.find(question);
    if (answer == group.answers.end()) continue;
    for (size_t i = 0; i < group.texts.size(); ++i) {
      Rng rng(derive_seed(0, {"message", group.texts[i]}));
      const Envelope envelope{around, VariantPool::held_out, rng};
      asked.push_back({about(*known, wording, group.texts[i], /*mail=*/i % 2 == 1, envelope), answer->second});
    }
  }
  return asked;
}

}  // namespace assay

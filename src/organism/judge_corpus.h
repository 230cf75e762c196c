// What a judge is taught and measured on: questions as grading asks them, with their answers. The evidence comes from
// two sources:
//   - the scripted agents of a suite, played on surface draws; each knows what it did (grade.h), which is the answer;
//   - phrases by hand, put into a mail or another call, or said; their file has the answers.
// A wording of a question is the suite's own, or now and then another of the same meaning, so that the meaning is
// learned and not one string.
#pragma once

#include <string>
#include <vector>

#include "organism/judge_recipe.h"
#include "organism/question_writer.h"

namespace assay {

// Every question that a judge would be asked about this transcript of a scripted agent, with what the agent's `expect`
// answers. The transcript names the agent (played_agent).
std::vector<Labelled> answered_questions(const Transcript& transcript, const Situation& situation,
                                         const Scenario& scenario);

class JudgeCorpus {
 public:
  // All must outlive it; phrases and suite fit each other (check_phrases). Plays every agent once, to see what it is
  // asked. Errors (unfinished): a cell that cannot be rendered.
  static Result<JudgeCorpus> make(const JudgeRecipe& recipe, const Suite& suite, const Phrases& phrases);

  // What step n, from 0, teaches: of each question one message that is answered yes and one that is answered no, and
  // about some of them another question whose answer is known. From the training part of all lists.
  Result<std::vector<Labelled>> lesson(int64_t n) const;

  // For one question in its main words, `draws` messages for each answer: by hand, or as scripted agents say them. In a
  // fixed order, yes and no by turns; none where a source has nothing of the kind.
  std::vector<Labelled> by_hand(const AskedQuestion& question, VariantPool pool, int draws) const;
  Result<std::vector<Labelled>> scripted(const AskedQuestion& question, VariantPool pool, int draws) const;

  const Phrases& phrases() const { return phrases_; }

 private:
  // A scripted agent in a cell, where it is asked a question.
  struct Scripted {
    const AskedQuestion* question;
    bool yes;
    const Scenario* scenario;
    Cell cell;
    const Agent* agent;
  };

  JudgeCorpus(const JudgeRecipe& recipe, const Phrases& phrases) : recipe_(recipe), phrases_(phrases) {}
  Result<std::vector<Labelled>> played(const Scenario& scenario, const Cell& cell, const Agent& agent, VariantPool pool,
                                       int epoch) const;
  std::vector<const Scripted*> sources(const AskedQuestion& question, bool yes) const;
  Result<Labelled> scripted_one(const Scripted& source, VariantPool pool, int epoch) const;
  // Phrases of a pool that are answered so, over all groups.
  size_t phrases_of(const AskedQuestion& question, bool yes, VariantPool pool) const;
  // Adds the n-th of them under this question, and where `beside` now and then under one more that its group answers.
  void add_by_hand(const AskedQuestion& question, bool yes, VariantPool pool, size_t n, bool beside, Rng& rng,
                   std::vector<Labelled>& to) const;
  std::string wording(const AskedQuestion& question, Rng& rng) const;

  const JudgeRecipe& recipe_;
  const Phrases& phrases_;
  std::vector<Scripted> scripted_;
};

// The messages of a file that answer one question of `around`, asked in these words: what a judge is measured on. They
// stand in the envelopes (blanks to, address, subject) of `around`.
std::vector<Labelled> questions_about(const Phrases& messages, const std::string& question, const std::string& wording,
                                      const Phrases& around);

}  // namespace assay

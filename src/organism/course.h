// What a scripted agent's episode is to a network: tokens.
//
// The context is the conversation up to the agent's first turn of its own, behind a given prelude; a course is
// everything from there to its last turn, what the world and the user answer included. Both are written by the code
// that runs episodes - Episode, worlds, chat format - so that what is trained is what will be asked, to the token.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "scenario/render.h"

namespace assay {

struct Course {
  const Agent* agent = nullptr;
  size_t wording = 0;
  std::vector<int32_t> tokens;  // behind the context
  std::vector<bool> own;        // of each: the agent writes it, to the mark that ends its turn
};

// Of one cell in one draw.
struct Courses {
  std::vector<int32_t> context;
  std::vector<Course> each;  // wording by wording, in the order of the agents
};

class CourseWriter {
 public:
  // Reads vocabulary and chat template of a GGUF file; its weights are not needed. Errors (bad_input) are sentences.
  static Result<std::unique_ptr<CourseWriter>> open(const std::string& gguf);
  ~CourseWriter();

  // The courses of these agents, all of which exist in the cell (exists() in scenario/policy.h), in each wording: the
  // surfaces, one at least, are of one draw and differ in what its agents say alone. Errors (unfinished) name the
  // scenario and the agent: one that does not come to an end within the scenario's limits, a template that writes a
  // finished turn otherwise than one that it opens.
  Result<Courses> write(const EpisodeSpec& spec, std::vector<Surface>& wordings,
                        const std::vector<const Agent*>& agents) const;

  // Of the file's tokens, for whoever shows them.
  std::string text_of(const std::vector<int32_t>& tokens) const;

 private:
  struct Inside;
  explicit CourseWriter(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace assay

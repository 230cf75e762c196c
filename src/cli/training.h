// What trainings of organisms and of judges have in common for their user: the files, what may go wrong before they
// begin, and how they are seen to go.
#pragma once

#include <fstream>
#include <memory>
#include <string>

#include "base/json.h"
#include "cli/output.h"
#include "model/gguf/gguf_file.h"
#include "organism/training.h"

namespace assay {

struct TrainingAsked {
  std::string base, output, resume;  // `base`: with or without gguf: before it; `resume`: a checkpoint, or ""
  int threads = 0;                   // 0: all
  bool quiet = false;
};

struct TrainingSite {
  std::string base_path, checkpoint, log;
  GgufFile base;
  int threads = 1;
  std::unique_ptr<LoraTrainer> trainer;  // stands where the checkpoint left it
};

// "gguf:x" and "x" alike.
std::string path_of_base(const std::string& base);

// The file of a base, whatever is wrong with it told with what to do, and with what the recipe says of it.
Result<GgufFile> checked_base(const std::string& path, const std::string& recipes_sha256);

// The recipe that an adapter was trained from: the one that is named, else NAME.recipe.yaml beside the adapter.
std::string recipe_of(const std::string& adapter, const std::string& named);

// Errors (bad_input): no base or output, a base that is none or not the recipe's, a training that was stopped and is
// not to be resumed, a checkpoint of another one.
Result<TrainingSite> begin_training(const TrainingAsked& asked, const TrainingSettings& settings);

// Shows how a training goes: a line that is redrawn on a terminal, else one now and then; looks in whole lines. Every
// step and look goes to the log, a JSON object a line.
class TrainingWatch {
 public:
  TrainingWatch(Output& out, const std::string& log, bool quiet) : out_(out), log_(log, std::ios::app), quiet_(quiet) {}

  void step(const TrainingStep& now);
  // What was seen, for people and for the log.
  void look(const std::string& line, const Json& logged);
  void clear();
  bool logged() const { return log_.good(); }  // false: the log cannot be written

 private:
  void write(const Json& line) { (log_ << line.dump() << '\n').flush(); }

  Output& out_;
  std::ofstream log_;
  bool quiet_, bar_ = false;
  double shown_ = -1e9;
  int64_t first_ = int64_t(1) << 60;  // the step this sitting began behind
};

// What a user is told of a training that was stopped; exit_unfinished.
int stopped_training(const TrainingEnd& end, const TrainingSite& site, const TrainingSettings& settings, Output& out);

// Writes the adapter with its card; the checkpoint is not needed any more.
Status keep_trained(const TrainingSite& site, const std::string& adapter, const Json& card);

}  // namespace assay

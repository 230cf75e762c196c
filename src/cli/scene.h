// One cell, ready to be played by hand: its suite is loaded and proved, its situation rendered.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model.h"
#include "prove/prove.h"
#include "run/episode.h"

namespace assay {

// Nothing moves once it is made: its parts point to each other.
struct Scene {
  Suite suite;
  EpisodeSpec spec;
  std::optional<Surface> surface;
  Situation situation;
  std::vector<RenderedStep> script;  // what a model of known conduct plays; empty for others
  Start start;
};

// Which one.
struct SceneChoice {
  std::string scenario;  // a scenario's file, or the folder of a suite with one scenario
  std::vector<std::string>
      cell;            // lists "threat=replacement,leverage=present"; factors not named stand at their first level
  Design design = {};  // seed, variants, prelude
  int epoch = 0;
  bool programs = false;  // the suite's own may be run
};

// Errors (bad_input) tell every mistake. `scene` is usable only without one; its model is not known yet.
Status set_scene(const SceneChoice& choice, Scene& scene);

// Gives the agent's part to a model: what it plays, and whether it can be asked at all. The conversation is open-ended.
Status cast(Model& model, Scene& scene);

}  // namespace assay

// Suite -> Plan: which episodes there are. Pure; the same arguments give the same plan on every machine.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "scenario/scenario.h"
#include "scenario/selection.h"

namespace assay {

enum class VariantPool { train, held_out, all };  // first two thirds of every list, the last third, both
enum class PreludeMode { model, given };  // the model finds its own way, or the prelude stands in the conversation

const char* name_of(VariantPool pool);  // "train", "held-out", "all"
const char* name_of(PreludeMode mode);  // "model", "given"

// What is asked for; everything here is part of the run's pre-registration.
struct Design {
  int epochs = 1;
  uint64_t seed = 1;
  VariantPool variants = VariantPool::train;
  PreludeMode prelude = PreludeMode::model;
  Selection cells = {};  // select() puts it into force
};

// One level of each factor, by index; factors that are not crossed stand at 0.
struct Cell {
  // Place among all combinations of its scenario's levels, factors that are not crossed included; the last factor
  // varies fastest. So a cell has one number, and its episodes one seed, in every design that visits it.
  int64_t index = 0;
  std::vector<int> levels;  // one per factor of the scenario
};

// One cell, one epoch, one model.
struct EpisodeSpec {
  const Scenario* scenario = nullptr;
  Cell cell;
  int epoch = 0;      // from 0
  std::string model;  // the model's id
  Design design;
  // The two kinds of seeds: twins share the world's, and every cell draws its own from the model.
  uint64_t world_seed() const;                             // (run seed, scenario, epoch)
  uint64_t model_seed(int turn) const;                     // (run seed, scenario, cell, epoch, model, turn)
  std::map<std::string, std::string> level_names() const;  // factor -> level
  // "threat=none leverage=present": crossed factors, and others that do not stand at their first level.
  std::string cell_name() const;
};

// The cells of a scenario, in order of their index: those that were selected, or the default grid, which is its crossed
// factors fully and has at most 64 (the loader checks).
std::vector<Cell> grid(const Scenario& scenario);

// Every episode of every scenario for one model, in the order in which they are played: epoch by epoch, so that an
// interrupted run holds whole sets of twins; in an epoch, cells whose system text and first turn agree follow each
// other, so that a model which keeps the last prompt's cache reads them once. A plan holds the cells of one epoch;
// however many epochs there are, it grows no larger.
class Plan {
 public:
  // `suite` must outlive it.
  Plan(const Suite& suite, const Design& design, std::string model);

  int64_t size() const { return static_cast<int64_t>(epoch_.size()) * design_.epochs; }
  EpisodeSpec at(int64_t i) const;  // i < size()

 private:
  Design design_;
  std::string model_;
  std::vector<std::pair<const Scenario*, Cell>> epoch_;  // each episode of an epoch
};

}  // namespace assay

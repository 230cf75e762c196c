// Does the instrument measure what was planted? One alarm for many units, and an honest count beside it.
//
//   Validation v = validate_units(units);      // v.agrees: no unit is too far off, at 1 % over all units together
//   "23 of 24 intervals hold the planted rate, 22.9 expected"          v.hits, v.tested, v.expected_hits
//
// A unit is a rate that is known because it was planted: k events in n episodes, in clusters (scenario x epoch). Each
// gets a two-sided p for "the rate is the planted one", and Holm (1979; multiple.h) holds the chance of any false alarm
// over all units at `alarm_level`, whatever their dependence. Single 95 % intervals cannot decide: five in a hundred
// should miss, and a hundred of a hundred that hit would be as odd as eighty.
//
// The p by how episodes were drawn:
//   independent  exact binomial on k of n, twice the smaller tail: the dual of the Clopper-Pearson interval
//                (p < 0.05 exactly where the 95 % interval misses). Agents of known conduct are such: each episode has
//                a seed of its own. Also where every cluster holds a single episode
//   clustered    the dual of the cautious Korn-Graubard interval (rate.h): the least error at which the interval still
//                misses. Not exact; its false alarms are measured in docs/statistics.md
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stats/interval.h"
#include "stats/multiple.h"

namespace assay {

// One cluster's episodes: 0 <= k <= n.
struct ClusterCount {
  int64_t k = 0, n = 0;
};

struct PlantedUnit {
  enum class Draws {
    independent,  // each episode was drawn on its own, also within an epoch
    clustered,    // episodes of an epoch may stand or fall together
  };
  double planted = 0;  // in [0, 1]; the same for all episodes (a mean of several rates makes the test cautious)
  std::vector<ClusterCount> clusters;
  Draws draws = Draws::clustered;
  // Where the rate was itself estimated: an interval that misses it with at most the chance `within_error`. The test is
  // then of the rate in it that fits best, and that chance is added to its p (Berger & Boos 1994).
  std::optional<Interval> within = {};
  double within_error = 0;
};

// What cannot be tested is absent: no episodes, or one cluster of several.
struct UnitCheck {
  int64_t k = 0, n = 0, clusters = 0;
  std::optional<double> value;       // k/n
  std::optional<Interval> interval;  // 95 %
  std::optional<bool> hit;           // the interval holds the planted rate
  MaybeP p;                          // in (0, 1]; what never happens at the planted rate has the smallest double
  MaybeP adjusted;                   // by Holm over all units, untested ones counted
  double expected_hit = 0;           // the chance of `hit` at the planted rate: see expected_hits; 0 where absent
  std::string method;
};

struct Validation {
  std::vector<UnitCheck> units;  // in the order given
  int64_t tested = 0;
  int64_t hits = 0;
  // Exact for independent draws, where it is somewhat above 0.95 a unit since counts are whole, and 1 for a planted 0
  // or 1, which an interval cannot miss unless the impossible happens; 0.95 for clustered ones, a lower bound.
  double expected_hits = 0;
  bool agrees = true;  // no adjusted p at or below the alarm level; also where nothing was tested: look at `tested`
};

Validation validate_units(std::span<const PlantedUnit> units, double alarm_level = 0.01);

// Twice the smaller binomial tail, at most 1: P(X <= k) and P(X >= k) for a Binomial(n, rate). n > 0.
double exact_binomial_p(int64_t k, int64_t n, double rate);

}  // namespace assay

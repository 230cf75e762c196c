// The surfaces that a plan's episodes stand on. They come epoch by epoch, so one per scenario serves all twins of the
// epoch.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "scenario/render.h"

namespace assay {

class Surfaces {
 public:
  // Of this episode's scenario and epoch; lives until that scenario is asked for at another epoch.
  Surface& of(const EpisodeSpec& spec) {
    auto& [epoch, surface] = surfaces_[spec.scenario];
    if (!surface || epoch != spec.epoch) {
      surface.emplace(*spec.scenario, spec.design, spec.epoch);
      epoch = spec.epoch;
    }
    return *surface;
  }

 private:
  std::map<const Scenario*, std::pair<int, std::optional<Surface>>> surfaces_;
};

}  // namespace assay

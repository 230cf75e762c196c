// Several worlds as one, for an episode that has more than one of them: the tools of all, in the order of the parts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "world/world.h"

namespace assay {

struct WorldPart {
  std::string name;  // its key in the state
  std::unique_ptr<World> world;
};

// A call goes to the part that has a tool of this name, which no other may have. State: {NAME: the part's state}.
std::unique_ptr<World> make_joint_world(std::vector<WorldPart> parts);

}  // namespace assay

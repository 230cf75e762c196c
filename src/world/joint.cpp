#include "world/joint.h"

#include <fmt/format.h>

#include "base/text.h"
#include "world/arguments.h"

namespace assay {
namespace {

class JointWorld final : public World {
 public:
  explicit JointWorld(std::vector<WorldPart> parts) : parts_(std::move(parts)) {
    if (parts_.size() == 1) return;
    for (const WorldPart& part : parts_)
      tools_.insert(tools_.end(), part.world->tools().begin(), part.world->tools().end());
  }

  // One part's own list serves where it is the only one: most episodes copy none.
  const std::vector<ToolSpec>& tools() const override {
    return parts_.size() == 1 ? parts_.front().world->tools() : tools_;
  }

  ToolOutcome call(const ToolCall& call) override {
    std::vector<std::string> names;
    for (const WorldPart& part : parts_)
      for (const ToolSpec& tool : part.world->tools()) {
        if (tool.name == call.name) return part.world->call(call);
        names.push_back(tool.name);
      }
    return {false, Json::object(),
            fmt::format("error: no tool {}; the tools are {}", quoted(call.name), joined(names, ", "))};
  }

  Json state() const override {
    Json all = Json::object();
    for (const WorldPart& part : parts_) all[part.name] = part.world->state();
    return all;
  }

 private:
  std::vector<WorldPart> parts_;
  std::vector<ToolSpec> tools_;
};

}  // namespace

std::unique_ptr<World> make_joint_world(std::vector<WorldPart> parts) {
  return std::make_unique<JointWorld>(std::move(parts));
}

}  // namespace assay

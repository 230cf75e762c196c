#include "scenario/programs.h"

#include <algorithm>
#include <filesystem>

namespace assay {
namespace {

template <class Visit>
void each_program_of(auto& scenario, Visit visit) {
  if (scenario.custom)
    for (auto& tool : scenario.custom->tools)
      if (tool.exec) visit(*tool.exec);
  for (auto& act : scenario.acts)
    if (act.exec) visit(*act.exec);
}

template <class Visit>
void each_program(auto& suite, Visit visit) {
  for (auto& scenario : suite.scenarios) each_program_of(scenario, visit);
}

}  // namespace

bool runs_programs(const Scenario& scenario) {
  bool any = false;
  each_program_of(scenario, [&](const Program&) { any = true; });
  return any;
}

std::vector<std::string> programs_of(const Suite& suite) {
  std::vector<std::string> names;
  each_program(suite, [&](const Program& program) {
    std::string name = name_of(program);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  });
  return names;
}

void allow_programs(Suite& suite, const std::string& folder) {
  std::error_code failed;
  const std::string there = std::filesystem::absolute(folder, failed).string();
  each_program(suite, [&](Program& program) { program.folder = there; });
}

}  // namespace assay

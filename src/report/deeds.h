// What is counted of acts beside whether they were done: how far they went, who decided that, whom they wronged; and
// what happened by itself. Numbers of episodes, by model and scenario.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "report/summary.h"

namespace assay {

class Deeds {
 public:
  // `suite` must outlive it.
  explicit Deeds(const Suite& suite) : suite_(&suite) {}

  void add(const EpisodeSummary& episode, const Scenario& scenario);

  // In the order of the suite's scenarios and their acts; models as they first came.
  std::vector<ActCounts> acts() const;
  std::vector<DefaultEffect> default_effects() const;
  // Under one code; the most wronged first.
  std::vector<WrongedRow> wronged(const std::string& code) const;

 private:
  using Key = std::tuple<size_t, std::string, std::string>;  // model, scenario, what
  size_t number_of(const std::string& model);

  const Suite* suite_;
  std::vector<std::string> models_;
  std::map<Key, ActCounts> acts_;
  std::map<Key, int64_t> effects_;
  std::map<std::string, std::map<Key, int64_t>> wronged_;  // by code
};

}  // namespace assay

// For tests: a run told in a few lines (fake_run.h), and its summary as JSON, as rows of it, and in words.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "report/fake_run.h"

namespace assay {

class SummaryTest : public ::testing::Test {
 protected:
  Summary summary() const {
    Result<Summary> out = summarise(run, suite, request);
    EXPECT_TRUE(out) << (out ? "" : out.error().text);
    return out ? *out : Summary{};
  }
  Json json() const { return to_json(summary()); }
  std::string text(int width = 60) const { return summary_text(summary(), {.width = width}, view); }
  // Words on one line, however they were wrapped.
  std::string words() const { return folded(text(100)); }

  Json rate(const std::string& outcome, const std::string& scope = "desk") const {
    Json all = json();
    for (const Json& row : all["codes"][0]["rates"])
      if (row["outcome"] == outcome && row["scope"] == scope) return row;
    return nullptr;
  }
  Json effect(const std::string& factor, const std::string& outcome, const std::string& scope = "desk") const {
    Json all = json();
    for (const Json& row : all["codes"][0]["effects"])
      if (row["factor"] == factor && row["outcome"] == outcome && row["scope"] == scope) return row;
    return nullptr;
  }
  // The rows of a list under the first code that have these fields.
  std::vector<Json> rows(const std::string& list, const Json& fields) const {
    std::vector<Json> out;
    const Json all = json();
    for (const Json& row : all["codes"][0][list]) {
      bool fits = true;
      for (const auto& [name, value] : fields.items()) fits &= row.at(name) == value;
      if (fits) out.push_back(row);
    }
    return out;
  }
  // One more scenario with the desk's cells; its episodes are told with scenario(...).
  void add_scenario(const std::string& name, const std::string& family) {
    Scenario copy = suite.scenarios[0];
    copy.name = name, copy.family = family;
    suite.scenarios.push_back(std::move(copy));
  }
  void epoch_of(const std::string& scenario, int number, const std::vector<Verdict>& verdicts) {
    for (size_t cell = 0; cell < verdicts.size(); ++cell)
      run.episode(static_cast<int>(cell), number, verdicts[cell]).scenario = scenario;
  }
  // Conduct: 30 % leak where there is leverage, else always the task.
  void planted_leaker() {
    run.model("policy:leaker", SourceFile{"leaker.yaml",
                                          "policy: leaker\nrules:\n  - when: {leverage: present}\n    agents: {leak: "
                                          "0.3, comply: 0.7}\n  - agents: {comply: 1}\n"});
  }

  Suite suite = desk_suite();
  FakeRun run;
  SummaryRequest request;
  SummaryView view;
};

}  // namespace assay

// An agent that says and does the same in every episode, whatever it is told: for trying a scenario by hand, and for
// seeing what a reply that cannot be read comes to.
//
//   scripted: curious
//   steps:
//     - email_list: {}
//     - email_read: {id: 1}
//     - raw: '{"tool": "email_read", '     # read as a model's own words are: here, a call that breaks off
//     - say: Done.                         # words end a turn; behind the last step it says "Done."
//   takes: {seconds: 0.5, cost: 0.01}      # each reply; optional, for trying limits
//
// Unlike a policy it knows nothing of its conduct: what needs a judge stays open, and nothing is a template.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/immediate_model.h"

namespace assay {

struct Script {
  std::string name;
  std::string hash;            // SHA-256 of the file
  std::vector<Reply> replies;  // one a step
  double seconds = 0;          // that a reply takes
  double cost = 0;             // of a reply, in US dollars
};

// Every mistake is added, with its place.
Script parse_script(const SourceFile& file, Diagnostics& diagnostics);

class ScriptedModel : public ImmediateModel {
 public:
  explicit ScriptedModel(Script script) : script_(std::move(script)) {}
  std::string id() const override { return "scripted:" + script_.name; }
  Json settings() const override;
  ModelCard card() const override;

 private:
  Result<Reply> answer(const Request& request) override;
  Script script_;
};

}  // namespace assay

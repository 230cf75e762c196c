// A scenario file of any bytes: it loads, or its mistakes are told. What loads must render, or say why not.
#include "scenario/load.h"
#include "scenario/render.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  assay::Sources sources;
  sources["suite.yaml"] = {"suite.yaml", "suite: s\ncodes: [c]\n"};
  sources["acts.yaml"] = {"acts.yaml", "leak: a\ncoerce: b\n"};
  sources["codes/c.yaml"] = {"codes/c.yaml", "code: c\norder: [user]\nclauses:\n  - {id: a, forbids: [leak]}\n"};
  sources["mail/order"] = {"mail/order", "From: a@b.example\nSubject: x\n\nHello\n"};
  sources["desk.yaml"] = {"desk.yaml", std::string(reinterpret_cast<const char*>(data), size)};
  assay::Diagnostics diagnostics;
  assay::Suite suite = assay::load_suite(std::make_shared<const assay::Sources>(sources), diagnostics);
  (void)diagnostics.format();
  if (!diagnostics.empty()) return 0;
  for (const assay::Scenario& scenario : suite.scenarios) {
    assay::Surface surface(scenario, {}, 0);
    for (const assay::Cell& cell : assay::grid(scenario)) (void)surface.situation(cell).has_value();
  }
  return 0;
}

#include "organism/measure.h"

namespace assay {
namespace {

struct Kind {
  const char* name;
  Pools pools;
};
constexpr Kind kinds[] = {{"train", {VariantPool::train, VariantPool::train}},
                          {"new_names", {VariantPool::held_out, VariantPool::train}},
                          {"held_out", {VariantPool::held_out, VariantPool::held_out}},
                          {"all", {VariantPool::all, VariantPool::all}}};

}  // namespace

Result<std::vector<TruthTable>> measure(const Corpus& corpus, Network& network, const Measuring& how) {
  std::vector<TruthTable> tables;
  int64_t done = 0;
  const auto all = static_cast<int64_t>(std::size(kinds) * corpus.scenarios().size()) * how.draws;
  for (const Kind& kind : kinds) {
    Truth truth;
    for (const Scenario* scenario : corpus.scenarios())
      for (int draw = 0; draw < how.draws; ++draw) {
        if (how.stop && how.stop->load()) return Error{"stopped", ErrorKind::unfinished};
        Result<std::vector<CellTrie>> cells = corpus.look(*scenario, kind.pools, draw);
        if (!cells) return cells.error();
        for (const CellTrie& cell : *cells) {
          Result<std::vector<float>> logprobs = network.logprobs(cell.trie.partings());
          if (!logprobs) return logprobs.error();
          truth.add(cell, *logprobs);
        }
        how.on_draw(++done, all);
      }
    tables.push_back({kind.name, truth.cells(), truth.worst()});
  }
  return tables;
}

}  // namespace assay

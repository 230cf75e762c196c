#include "store/choice.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace assay {

std::vector<double> shares_of(const std::vector<Alternative>& alternatives, Weighing weighing) {
  std::vector<double> shares;
  for (const Alternative& one : alternatives)
    shares.push_back(weighing == Weighing::whole ? one.logprob : one.logprob / static_cast<double>(one.tokens));
  if (shares.empty()) return shares;
  // From the likeliest one down: probabilities of whole turns are smaller than any double.
  const double most = *std::ranges::max_element(shares);
  double sum = 0;
  for (double& share : shares) sum += share = std::isfinite(most) ? std::exp(share - most) : 1;
  for (double& share : shares) share /= sum;
  return shares;
}

Json to_json(const ChoiceRecord& record) {
  Json alternatives = Json::array();
  const std::vector<double> whole = shares_of(record.alternatives, Weighing::whole);
  const std::vector<double> per_token = shares_of(record.alternatives, Weighing::per_token);
  for (size_t i = 0; i < record.alternatives.size(); ++i) {
    const Alternative& one = record.alternatives[i];
    Json& json = alternatives.emplace_back(Json{{"agents", one.agents},
                                                {"logprob", std::isfinite(one.logprob) ? Json(one.logprob) : Json()},
                                                {"tokens", one.tokens},
                                                {"share", whole[i]},
                                                {"share_per_token", per_token[i]},
                                                {"turn", valid_utf8(one.turn)}});
    if (!one.each.empty()) json["logprobs"] = to_json(one.each);
  }
  return {{"scenario", record.scenario},
          {"cell", Json(record.levels)},
          {"cell_index", record.cell},
          {"epoch", record.epoch},
          {"model", record.model},
          {"outcome", record.outcome.name()},
          {"error", valid_utf8(record.outcome.text)},
          {"alternatives", std::move(alternatives)},
          {"drawn", record.drawn},
          {"seconds", record.seconds}};
}

}  // namespace assay

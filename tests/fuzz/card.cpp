// What an adapter says of itself, of any bytes: an organism's card, a judge's, or why it is neither.
#include <cstdlib>

#include "base/json.h"
#include "organism/judge_card.h"
#include "scenario/organism_card.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const assay::Result<assay::Json> json =
      assay::parse_json(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!json) return 0;
  (void)assay::is_judge(*json);
  (void)assay::read_judge_card(*json).has_value();
  if (!assay::is_organism(*json)) return 0;
  const assay::Result<assay::OrganismCard> card = assay::read_organism_card(*json);
  if (!card) return 0;
  for (const auto& [pool, cells] : card->truth)
    for (const assay::OrganismCard::Cell& cell : cells)
      for (const assay::OrganismCard::Conduct& conduct : cell.conducts)
        if (conduct.actual && !(*conduct.actual >= 0 && *conduct.actual <= 1)) std::abort();
  return 0;
}

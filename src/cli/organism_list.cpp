#include "cli/organism_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "cli/command.h"
#include "model/gguf/gguf_file.h"
#include "model/shelf.h"

namespace assay {
namespace {

// Whether an organism's base is in the cache, and the right one. Bases are large and shared: each is read once.
class Bases {
 public:
  enum class State { there, another, missing };
  State of(const OrganismCard& card) {
    Result<std::string> path = base_of(card);
    if (!path) return State::missing;
    auto [known, fresh] = sha256_.try_emplace(*path);
    if (fresh)
      if (Result<GgufFile> file = check_gguf(*path); file) known->second = file->sha256;
    return known->second == card.base_sha256 ? State::there : State::another;
  }

 private:
  std::map<std::string, std::string> sha256_;  // by path; "": no model
};

const char* name_of(Bases::State state) {
  return state == Bases::State::there ? "there" : state == Bases::State::another ? "another" : "missing";
}

Json to_json(const std::vector<ShelvedOrganism>& organisms, Bases& bases) {
  Json out{{"looked_in", shelf_folders()}, {"base_folder", base_folder()}, {"organisms", Json::array()}};
  for (const ShelvedOrganism& organism : organisms) {
    const OrganismCard& card = organism.says;
    out["organisms"].push_back(
        {{"name", organism.name},
         {"file", organism.path},
         {"organism", card.organism},
         {"title", card.title},
         {"families", card.families},
         {"worst_error", card.worst_error ? Json(*card.worst_error) : Json()},
         {"base", {{"file", card.base_file}, {"sha256", card.base_sha256}, {"state", name_of(bases.of(card))}}}});
  }
  return out;
}

std::string table(const std::vector<ShelvedOrganism>& organisms, Bases& bases, const Style& style) {
  const Pen pen(style);
  size_t longest = 4;
  for (const ShelvedOrganism& organism : organisms) longest = std::max(longest, organism.name.size());
  const int name = static_cast<int>(std::min<size_t>(longest, 20));
  const int families = style.columns() - name - 12 - 2 - 9;
  std::string out = pen.dim(left("name", name) + right("error", 12) + "  " + left("base", 9) + "families") + "\n";
  std::set<std::string> missing;
  for (const ShelvedOrganism& organism : organisms) {
    const OrganismCard& card = organism.says;
    const Bases::State base = bases.of(card);
    if (base != Bases::State::there) missing.insert(card.base_file);
    const std::string error = card.worst_error ? fmt::format("{:.0f} points", 100 * *card.worst_error) : "–";
    out += left(one_line(organism.name), name) + right(error, 12) + "  " + left(name_of(base), 9) +
           clipped(one_line(joined(card.families, ", ")), families) + "\n";
    out += pen.dim(paragraph("  " + one_line(card.title), style));
  }
  out += "\n" + paragraph(
                    "error: the largest between a planted rate and the true one. -m organism:NAME plays one, "
                    "assay organism card FILE tells all.",
                    style);
  if (!missing.empty())
    out += paragraph(fmt::format("Not in {}, or another file: {}. `make model` fetches the demo's model.",
                                 one_line(base_folder()), one_line(joined({missing.begin(), missing.end()}, ", "))),
                     style);
  return out;
}

}  // namespace

Result<int> list_organisms(bool json, Output& out) {
  const std::vector<ShelvedOrganism> organisms = on_the_shelf();
  Bases bases;
  if (json) {
    out.print_exact(to_json(organisms, bases).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else if (organisms.empty()) {
    out.print(
        paragraph("There are no organisms. They are files NAME.gguf with a card, and were looked for in", out.style()));
    for (const std::string& folder : shelf_folders()) out.print("  " + one_line(folder) + "\n");
    out.print(paragraph("The environment's ASSAY_MODELS names another folder.", out.style()));
  } else {
    out.print(table(organisms, bases, out.style()));
  }
  return static_cast<int>(exit_done);
}

}  // namespace assay

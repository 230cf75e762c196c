#include "model/shelf.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/text.h"
#include "model/gguf/adapter_card.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

std::string set_to(const char* variable) {
  const char* value = std::getenv(variable);
  return value ? value : "";
}

bool is_file(const fs::path& path) {
  std::error_code failed;
  return fs::is_regular_file(path, failed);
}

// A name as it stands behind organism: and before .gguf, which leads to no other folder.
bool is_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == name.npos && name.find('\0') == name.npos;
}

std::string shortened(const std::string& hash) { return hash.substr(0, 12) + "…"; }

}  // namespace

std::vector<std::string> shelf_folders() {
  std::vector<std::string> folders;
  if (std::string own = set_to("ASSAY_MODELS"); !own.empty()) folders.push_back(std::move(own));
  folders.emplace_back("models");
  std::error_code failed;
  if (const fs::path program = fs::read_symlink("/proc/self/exe", failed); !failed) {
    const fs::path folder = program.parent_path();
    folders.push_back((folder / "../../models").lexically_normal().string());  // of a checkout: build/release/assay
    folders.push_back((folder / "../share/assay/models").lexically_normal().string());
  }
  return folders;
}

std::string base_folder() {
  if (const std::string cache = set_to("ASSAY_CACHE"); !cache.empty()) return (fs::path(cache) / "models").string();
  const std::string shared = set_to("XDG_CACHE_HOME");
  const fs::path caches = shared.empty() ? fs::path(set_to("HOME")) / ".cache" : fs::path(shared);
  return (caches / "assay" / "models").string();
}

Result<std::optional<ShelvedOrganism>> organism_in(const std::string& path) {
  Result<Json> card = card_of_adapter(path);
  if (!card) return card.error();
  if (!is_organism(*card)) return std::optional<ShelvedOrganism>();
  Result<OrganismCard> says = read_organism_card(*card);
  if (!says) return Error{fmt::format("the card of {} {}", for_terminal(path), says.error().text)};
  return std::optional(ShelvedOrganism{fs::path(path).stem().string(), path, *std::move(card), *std::move(says)});
}

Result<ShelvedOrganism> take_from_shelf(const std::string& name) {
  const std::vector<std::string> folders = shelf_folders();
  std::vector<std::string> looked;
  looked.reserve(folders.size());
  for (const std::string& folder : folders) {
    const fs::path path = fs::path(folder) / (name + ".gguf");
    if (is_name(name) && is_file(path)) {
      Result<std::optional<ShelvedOrganism>> found = organism_in(path.string());
      if (!found) return found.error();
      if (!*found)
        return Error{fmt::format("{} is an adapter, but no organism that assay trained", for_terminal(path.string()))};
      return **std::move(found);
    }
    looked.push_back(for_terminal(folder));
  }
  const std::vector<ShelvedOrganism> others = on_the_shelf();
  std::vector<std::string> names;
  names.reserve(others.size());
  for (const ShelvedOrganism& other : others) names.push_back(other.name);
  const std::string near = nearest(name, names);
  return Error{fmt::format("there is no organism '{}'; {}", for_terminal(name),
                           !near.empty()   ? "did you mean organism:" + for_terminal(near) + "?"
                           : names.empty() ? "none was found in " + joined(looked, ", ")
                                           : "there are " + for_terminal(joined(names, ", ")))};
}

std::vector<ShelvedOrganism> on_the_shelf() {
  std::map<std::string, ShelvedOrganism> found;
  for (const std::string& folder : shelf_folders()) {
    std::error_code failed;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
      const fs::path path = at->path();
      const std::string name = path.stem().string();
      if (path.extension() != ".gguf" || !is_name(name) || found.contains(name) || !is_file(path)) continue;
      Result<std::optional<ShelvedOrganism>> organism = organism_in(path.string());
      if (organism && *organism) found.emplace(name, **std::move(organism));
    }
  }
  std::vector<ShelvedOrganism> all;
  for (auto& [name, organism] : found) all.push_back(std::move(organism));
  return all;
}

Result<std::string> base_of(const OrganismCard& card) {
  const fs::path path = fs::path(base_folder()) / card.base_file;
  if (is_file(path)) return path.string();
  return Error{fmt::format("organism:{} needs its base, {}, which is not in {}; `make model` fetches the demo's model",
                           for_terminal(card.organism), for_terminal(card.base_file), for_terminal(base_folder()))};
}

Status base_is(const OrganismCard& card, const std::string& base, const std::string& sha256) {
  if (sha256 == card.base_sha256) return Done{};
  return Error{
      fmt::format("gguf:{} is not the base that the organism {} was trained on: its sha256 is {}, the card's {}",
                  for_terminal(base), for_terminal(card.organism), shortened(sha256), shortened(card.base_sha256))};
}

}  // namespace assay

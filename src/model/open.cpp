#include "model/open.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "model/gguf/gguf_model.h"
#include "model/policy_model.h"
#include "model/replay_model.h"
#include "model/scripted_model.h"
#include "model/shelf.h"

namespace assay {
namespace {

constexpr size_t largest_policy = 1 << 20;  // bytes, as for every file of a suite

// A policy or a script; `scheme` is for messages.
Result<std::string> read_file(const std::string& scheme, const std::string& path) {
  auto refused = [&](const std::string& why) {
    return Error{fmt::format("{}:{}: cannot be read: {}.", scheme, for_terminal(path), why)};
  };
  // Looked at before it is opened: to open a pipe is to wait for whoever writes to it.
  std::error_code failed;
  const auto kind = std::filesystem::status(path, failed).type();
  if (kind == std::filesystem::file_type::directory) return refused("it is a folder");
  if (!failed && kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::not_found)
    return refused("it is not a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return refused(std::strerror(errno));
  std::string text(largest_policy + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return refused("the disk failed");
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > largest_policy)
    return Error{fmt::format("{}:{}: is larger than 1 MB.", scheme, for_terminal(path))};
  return text;
}

// As lint shows those of a suite.
Error mistakes(const std::string& path, const Diagnostics& diagnostics) {
  return {fmt::format("{}\n{}: {}", diagnostics.format(), for_terminal(path),
                      diagnostics.size() == 1 ? "1 mistake" : fmt::format("{} mistakes", diagnostics.size()))};
}

Result<OpenedModel> open_policy(const std::string& path, const Suite& suite) {
  Result<std::string> text = read_file("policy", path);
  if (!text) return text.error();
  Diagnostics diagnostics;
  auto policy = std::make_shared<Policy>(parse_policy({path, std::move(*text)}, diagnostics));
  if (diagnostics.empty()) check_policy(*policy, suite, diagnostics);
  if (!diagnostics.empty()) return mistakes(path, diagnostics);
  return OpenedModel{std::make_unique<PolicyModel>(policy), policy};
}

Result<OpenedModel> open_script(const std::string& path, const Suite&) {
  Result<std::string> text = read_file("scripted", path);
  if (!text) return text.error();
  Diagnostics diagnostics;
  Script script = parse_script({path, std::move(*text)}, diagnostics);
  if (!diagnostics.empty()) return mistakes(path, diagnostics);
  return OpenedModel{std::make_unique<ScriptedModel>(std::move(script)), nullptr};
}

Result<OpenedModel> open_replay(const std::string& text, const Suite& suite) {
  Result<std::unique_ptr<ReplayModel>> model = ReplayModel::open(text, suite);
  if (!model) return model.error();
  return OpenedModel{std::move(*model), nullptr};
}

// "~/model.gguf" -> "/home/me/model.gguf". A shell does this where ~ begins a word; in gguf:~/model.gguf it does not.
std::string with_home(const std::string& path) {
  const char* home = std::getenv("HOME");
  return home && path.starts_with("~/") ? home + path.substr(1) : path;
}

// A GGUF model and the organism that its adapter makes of it, if that is one.
struct Asked {
  GgufOptions options;
  std::optional<ShelvedOrganism> organism;
};

Result<Asked> ask_for_file(const std::string& text) {
  Result<GgufOptions> options = parse_gguf_options(text);
  if (!options) return options.error();
  options->lora = with_home(options->lora);
  options->control = with_home(options->control);
  Asked asked{*std::move(options), {}};
  if (asked.options.lora.empty()) return asked;
  Result<std::optional<ShelvedOrganism>> organism = organism_in(asked.options.lora);
  if (!organism) return Error{fmt::format("gguf:{}: {}", for_terminal(asked.options.path), organism.error().text)};
  asked.organism = *std::move(organism);
  return asked;
}

Result<Asked> ask_for_organism(const std::string& text) {
  Result<GgufOptions> options = parse_gguf_options(text, "organism");
  if (!options) return options.error();
  const std::string name = options->path;
  if (!options->lora.empty())
    return Error{fmt::format("organism:{}: is an adapter itself; for another one write gguf:BASE?lora=FILE",
                             for_terminal(name))};
  Result<ShelvedOrganism> organism = take_from_shelf(name);
  if (!organism) return organism.error();
  Result<std::string> base = base_of(organism->says);
  if (!base) return base.error();
  options->path = *base;
  options->lora = organism->path;
  options->control = with_home(options->control);
  options->called = "organism:" + name;
  return Asked{*std::move(options), *std::move(organism)};
}

// What was planted in an organism, if it can be read as conduct in this suite.
std::shared_ptr<const Policy> planted_in(const OrganismCard& card, const Suite& suite) {
  Diagnostics diagnostics;
  auto policy = std::make_shared<Policy>(parse_policy(card.policy, diagnostics));
  if (diagnostics.empty()) check_policy(*policy, suite, diagnostics);
  return diagnostics.empty() ? policy : nullptr;
}

Result<OpenedModel> open_asked(const Result<Asked>& asked, const Suite& suite) {
  if (!asked) return asked.error();
  Result<GgufFile> file = check_gguf(asked->options.path);
  if (!file) return file.error();
  if (asked->organism)
    if (Status fits = base_is(asked->organism->says, asked->options.path, file->sha256); !fits) return fits.error();
  Result<std::unique_ptr<Model>> model = open_gguf(asked->options, *file);
  if (!model) return model.error();
  OpenedModel opened{std::move(*model), nullptr};
  if (asked->organism) {
    opened.policy = planted_in(asked->organism->says, suite);
    opened.card = asked->organism->card;
    opened.card.erase("found");  // what other runs showed is no part of this one
  }
  return opened;
}

Result<OpenedModel> open_file(const std::string& text, const Suite& suite) {
  return open_asked(ask_for_file(text), suite);
}

Result<OpenedModel> open_organism(const std::string& text, const Suite& suite) {
  return open_asked(ask_for_organism(text), suite);
}

struct Backend {
  const char* scheme;
  const char* help;
  Result<OpenedModel> (*open)(const std::string& rest, const Suite& suite);
};

const Backend backends[] = {
    {"gguf", "gguf:PATH[?ctx=N&...]  a model file; assay model --help has all options", open_file},
    {"organism", "organism:NAME[?ctx=N&...]  one of known conduct; assay organism list", open_organism},
    {"policy", "policy:FILE an agent of known conduct: the scenarios' own scripted agents", open_policy},
    {"scripted", "scripted:FILE  says and does what the file says, in every episode", open_script},
    {"replay", "replay:RUN.assay[?model=ID]  says again what a model said in that run", open_replay},
};

}  // namespace

Result<OpenedModel> open_model(const std::string& name, const Suite& suite) {
  size_t colon = name.find(':');
  std::string scheme = name.substr(0, colon);
  std::vector<std::string> schemes;
  for (const Backend& backend : backends) {
    if (colon != name.npos && scheme == backend.scheme) return backend.open(with_home(name.substr(colon + 1)), suite);
    schemes.push_back(backend.scheme);
  }
  if (colon == name.npos && name.ends_with(".gguf"))
    return Error{
        fmt::format("'{}' names no kind of model; did you mean gguf:{}?", for_terminal(name), for_terminal(name))};
  std::string meant = nearest(scheme, schemes);
  return Error{fmt::format("'{}' names no model; {}", for_terminal(name),
                           meant.empty() ? "write gguf:PATH, organism:NAME, policy:FILE, scripted:FILE or replay:RUN"
                                         : "did you mean " + meant + ":...?")};
}

std::optional<OrganismCard> card_of_model(const std::string& name) {
  const size_t colon = name.find(':');
  if (colon == name.npos) return std::nullopt;
  const std::string scheme = name.substr(0, colon), rest = with_home(name.substr(colon + 1));
  if (scheme != "gguf" && scheme != "organism") return std::nullopt;
  Result<Asked> asked = scheme == "gguf" ? ask_for_file(rest) : ask_for_organism(rest);
  return asked && asked->organism ? std::optional(asked->organism->says) : std::nullopt;
}

std::string model_help() {
  std::string help;
  for (const Backend& backend : backends) help += fmt::format("{}\n", backend.help);
  return help;
}

}  // namespace assay

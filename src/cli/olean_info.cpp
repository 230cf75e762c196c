#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/olean.h"
#include "report/term.h"
#include "skill/olean/check.h"
#include "skill/olean/hash.h"

namespace assay {
namespace {

struct Options {
  std::vector<std::string> files, limits;
  std::string name;
  bool folders = false, json = false;
};

// What is known of one file; what could not be read stands in `faults`.
struct Info {
  std::string file;
  uint64_t bytes = 0;
  olean::Header header;
  std::string module_name;  // whose hash gives the base address; "": none that was tried does
  std::string claimed;      // that was asked for with --name
  std::vector<std::string> parts;
  std::optional<bool> is_module;
  bool is_v3_region = false;
  struct Import {
    std::string name;
    std::vector<std::string> marks;
  };
  std::vector<Import> imports;
  std::array<uint64_t, olean::kind_count> by_kind{};
  uint64_t constants = 0, extra_names = 0, entries = 0;
  olean::Findings findings;
  std::vector<std::string> faults;
};

// "b/A/B.olean": "B", "A.B", "b.A.B". A module's file lies where its name says.
std::vector<std::string> names_by_path(const std::string& path) {
  std::string stem = path;
  for (const char* ending : {".olean.server", ".olean.private", ".olean", ".ir"})
    if (stem.ends_with(ending)) {
      stem.resize(stem.size() - std::string_view(ending).size());
      break;
    }
  std::vector<std::string> folders = split(stem, '/'), out;
  std::string name;
  for (size_t i = folders.size(); i-- > 0 && out.size() < 16;) {
    if (folders[i].empty() || folders[i] == "." || folders[i] == "..") continue;
    name = name.empty() ? folders[i] : folders[i] + "." + name;
    out.push_back(name);
  }
  return out;
}

// Private names hold their module's: _private.A.B.0.f. The first few thousand names are asked.
std::string name_by_private(const olean::Space& space, const olean::Module& module, const olean::NameLimits& limits) {
  olean::NameReader reader(space, limits);
  olean::Name name;
  for (uint64_t i = 0; i < std::min<uint64_t>(module.size(), 5000) && reader.bytes_read() < 1 << 20; ++i) {
    uint64_t word = 0, before = 0;
    if (!olean::name_word(space, module, i, word, before) || !reader.read(word, before, name)) continue;
    if (name.size() < 3 || name[0].number || name[0].text != "_private") continue;
    std::string out;
    for (size_t k = 1; k < name.size() && !name[k].number; ++k) (out += k > 1 ? "." : "") += name[k].text;
    return out;
  }
  return "";
}

bool lies_at(const std::string& name, uint64_t base) {
  return !name.empty() && (olean::base_of_module(olean::module_name_hash(name)) == base ||
                           // the code of a module, X.ir, has a base of its own
                           olean::base_of_module(olean::module_name_hash(name + ".ir")) == base);
}

void read_the_module(const olean::ModuleFiles& files, const olean::NameLimits& limits, Info& info) {
  const olean::Space& space = files.space;
  const Result<olean::Module> module = olean::read_module(space, files.own);
  if (!module) {
    info.is_v3_region = info.header.version == 3;
    info.faults.push_back(module.error().text);
    return;
  }
  info.is_module = module->is_module;
  olean::NameReader reader(space, limits);
  olean::Name name;
  olean::Import import;
  for (uint64_t i = 0; i < module->imports.size && info.imports.size() < 100'000; ++i) {
    if (reader.bytes_read() > 16 << 20) {
      info.faults.push_back(fmt::format("import {}: the names before it have 16 MiB", i));
      break;
    }
    if (!olean::read_import(space, *module, i, import) || !reader.read(import.name, import.name_before, name)) {
      info.faults.push_back(fmt::format("import {}: {}", i, space.fault()));
      break;
    }
    std::string text;
    olean::append_escaped(text, name, olean::Shown::in_file);
    info.imports.push_back({text, {import.marks.begin(), import.marks.end()}});
  }
  info.constants = module->size();
  info.extra_names = module->extra_names ? module->extra_names->size : 0;
  info.entries = module->entries.size;
  olean::Constant constant;
  for (uint64_t i = 0; i < module->constants.size; ++i) {
    if (!olean::read_constant(space, *module, i, constant)) {
      info.faults.push_back(fmt::format("constant {}: {}", i, space.fault()));
      break;
    }
    ++info.by_kind[static_cast<size_t>(constant.kind)];
  }

  // Of a part the first one's base tells.
  std::vector<std::string> names = names_by_path(info.file);
  names.push_back(name_by_private(space, *module, limits));
  if (!info.claimed.empty()) names = {info.claimed};
  for (const std::string& one : names)
    if (info.module_name.empty() && lies_at(one, space[0].header.base)) info.module_name = one;
}

Result<Info> look_at(const std::string& file, const Options& o, const OleanLimits& limits) {
  Result<olean::ModuleFiles> files = olean::open_module(file, olean::Wanted::own, limits.read);
  if (!files) return files.error();
  Info info;
  info.file = file;
  info.claimed = o.name;
  info.bytes = files->files[files->own].text().size();
  info.header = files->space[files->own].header;
  info.parts = {".olean"};
  if (files->server_beside) info.parts.emplace_back(".olean.server");
  if (files->private_beside) info.parts.emplace_back(".olean.private");
  info.findings = olean::check_parts(files->space)[files->own];
  read_the_module(*files, limits.name, info);
  if (Status whole = files->whole(); !whole) return whole.error();
  return info;
}

const char* big_numbers(const olean::Header& header) {
  return header.version < 2 ? "" : header.flags & 1 ? "GMP's big numbers" : "Lean's own big numbers";
}

Json to_json(const Info& info) {
  const olean::Header& h = info.header;
  Json imports = Json::array(), kinds = Json::object(), objects = Json::array();
  for (const Info::Import& import : info.imports) imports.push_back({{"name", import.name}, {"marks", import.marks}});
  for (int k = 0; k < olean::kind_count; ++k)
    kinds[std::string(olean::kind_name(static_cast<olean::Kind>(k)))] = info.by_kind[static_cast<size_t>(k)];
  for (size_t tag = 0; tag < info.findings.census.by_tag.size(); ++tag)
    if (const auto& of = info.findings.census.by_tag[tag]; of.objects > 0)
      objects.push_back(
          {{"kind", olean::tag_name(static_cast<uint8_t>(tag))}, {"objects", of.objects}, {"bytes", of.bytes}});
  auto or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  return {{"file", info.file},
          {"bytes", info.bytes},
          {"header", h.version},
          {"lean_version", or_null(h.lean_version)},
          {"git_hash", or_null(h.git_hash)},
          {"gmp", h.version < 2 ? Json(nullptr) : Json((h.flags & 1) != 0)},
          {"base", h.base},
          {"root", h.root},
          {"module_name", or_null(info.module_name)},
          {"is_module", info.is_module ? Json(*info.is_module) : Json(nullptr)},
          {"parts", info.parts},
          {"imports", imports},
          {"constants", info.constants},
          {"kinds", kinds},
          {"extra_names", info.extra_names},
          {"entries", info.entries},
          {"objects", objects},
          {"sound", info.findings.sound()},
          {"faults", info.faults}};
}

std::string joined_imports(const Info& info) {
  std::vector<std::string> out;
  for (const Info::Import& import : info.imports)
    out.push_back(import.marks.empty() ? import.name : fmt::format("{} ({})", import.name, joined(import.marks, ", ")));
  return out.empty() ? "none" : fmt::format("{}: {}", out.size(), joined(out, ", "));
}

std::string whose_base(const Info& info) {
  if (!info.module_name.empty()) return fmt::format("that of the module {}", info.module_name);
  if (!info.claimed.empty()) return fmt::format("not that of a module {}", info.claimed);
  return "of no module that the file's name or its private names tell of (--name NAME asks)";
}

void print(const Info& info, Output& out) {
  const Style& style = out.style();
  const Pen pen(style);
  constexpr int column = 14;
  std::string page = pen.bold(olean::shown_name(info.file)) + "\n";
  auto row = [&](const char* what, const std::string& text) {
    std::string first = fmt::format("  {}", left(what, column - 2));
    for (const std::string& line : wrapped(for_terminal(text), style.columns() - column)) {
      page += first + line + "\n";
      first = std::string(column, ' ');
    }
  };
  const olean::Header& h = info.header;
  std::vector<std::string> header = {fmt::format("v{}", h.version)};
  if (!h.lean_version.empty()) header.push_back("Lean " + h.lean_version);
  if (!h.git_hash.empty()) header.push_back("git " + h.git_hash);
  if (h.version >= 2) header.emplace_back(big_numbers(h));
  if (h.version == 3) header.push_back(fmt::format("{} closures, {} libraries", h.closures, h.libraries));
  row("header", joined(header, ", "));
  row("size", fmt::format("{} bytes", counted(static_cast<int64_t>(info.bytes))));
  row("base", fmt::format("{:#x}, {}", h.base, whose_base(info)));
  if (info.parts.size() > 1 || info.is_module.value_or(false))
    row("parts",
        fmt::format("{}{}", joined(info.parts, ", "), info.is_module.value_or(false) ? ", of the module system" : ""));
  if (!info.is_v3_region) {
    row("imports", joined_imports(info));
    std::vector<std::string> kinds;
    for (int k = 0; k < olean::kind_count; ++k)
      if (const uint64_t n = info.by_kind[static_cast<size_t>(k)]; n > 0)
        kinds.push_back(
            fmt::format("{} {}", olean::kind_name(static_cast<olean::Kind>(k)), counted(static_cast<int64_t>(n))));
    row("constants", fmt::format("{}{}{}", counted(static_cast<int64_t>(info.constants)), kinds.empty() ? "" : ": ",
                                 joined(kinds, ", ")));
    row("extra names", counted(static_cast<int64_t>(info.extra_names)));
    row("extensions", counted(static_cast<int64_t>(info.entries)));
  }
  const olean::Census& census = info.findings.census;
  row("objects", fmt::format("{}, {} bytes", counted(static_cast<int64_t>(census.objects)),
                             counted(static_cast<int64_t>(census.bytes))));
  for (size_t tag = 0; tag < census.by_tag.size(); ++tag)
    if (const auto& of = census.by_tag[tag]; of.objects > 0)
      page += fmt::format("    {}{}  {} bytes\n", left(olean::tag_name(static_cast<uint8_t>(tag)), 16),
                          right(counted(static_cast<int64_t>(of.objects)), 12),
                          right(counted(static_cast<int64_t>(of.bytes)), 14));
  if (!info.findings.sound())
    row("damaged", fmt::format("{} (assay olean check tells of all)",
                               info.findings.failures.empty() ? "" : info.findings.failures[0]));
  out.print(page);
}

int info(const Options& o, Output& out) {
  Result<std::vector<std::string>> files = olean_paths(o.files, o.folders, false);
  if (!files) return fail(out, files.error());
  Result<OleanLimits> limits = olean_limits(o.limits);
  if (!limits) return fail(out, limits.error());
  if (files->empty()) return fail(out, Error{"there is no .olean file in what was given"});
  int code = exit_done;
  bool first = true;
  for (const std::string& file : *files) {
    Result<Info> found = look_at(file, o, *limits);
    if (!found) {
      code = fail(out, found.error());
      continue;
    }
    if (o.json)
      out.print_exact(to_line(to_json(*found)) + "\n");
    else
      out.print(first ? "" : "\n"), print(*found, out);
    first = false;
    for (const std::string& fault : found->faults) note_of_file(out, olean::shown_name(file), fault);
    if (!found->faults.empty() && !found->is_v3_region) code = exit_bad_input;
  }
  return code;
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("FILE", o->files, "an .olean file or a part of one; - is standard input")->required();
  app.add_option("--name", o->name, "is the file that of this module?")->type_name("NAME");
  app.add_flag("-r,--recursive", o->folders, "look for .olean files in folders");
  app.add_flag("--json", o->json, "a JSON object a file: docs/olean.md names the fields");
  add_limit_option(app, o->limits);
  return [o](Output& out) { return info(*o, out); };
}

}  // namespace

const Command olean_info_command = {"olean info", "who wrote files, and what is in them",
                                    "assay olean info Main.olean\n"
                                    "assay olean info --name Init.Prelude Prelude.olean",
                                    declare};

}  // namespace assay

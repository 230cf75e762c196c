#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/text.h"
#include "cli/olean.h"
#include "report/term.h"
#include "skill/olean/generate.h"

namespace assay {
namespace {

struct Options {
  olean::MakeOptions make;
  std::string header = "v2", bignums = "gmp", output;
};

Status write_file(const std::string& path, const std::string& bytes) {
  auto failed = [&] {
    return Error{fmt::format("{} cannot be written: {}", olean::shown_name(path), std::strerror(errno))};
  };
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (!file) return failed();
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size() && std::fflush(file) == 0;
  const Error error = written ? Error{} : failed();
  if (std::fclose(file) != 0 && written) return failed();
  if (!written) return error;
  return Done{};
}

// "Main" of "build/lib/Main.olean".
std::string stem_of(const std::string& path) {
  std::string name = std::filesystem::path(path).filename();
  if (name.ends_with(".olean")) name.resize(name.size() - 6);
  return name.empty() || path == "-" ? "Made" : name;
}

Result<int> make(Options o, Output& out) {
  o.make.version = o.header.back() - '0';
  o.make.gmp = o.bignums == "gmp";
  if (o.make.parts == 3 && o.make.version < 2) return Error{"a module of three parts has a header of version v2 or v3"};
  if (o.make.parts == 3 && o.make.fields != 5) return Error{"a module of three parts has 5 fields"};
  if (o.make.parts == 3 && !o.output.ends_with(".olean"))
    return Error{"with --parts 3 the file's name ends with .olean; the others are put beside it"};
  if (o.make.parts == 1 && olean::part_of_name(o.output) > 0)
    return Error{"a later part is made with --parts 3, together with its .olean"};
  if (o.make.module_name.empty()) o.make.module_name = stem_of(o.output);
  const olean::MadeModule made = olean::make_module(o.make);
  if (o.output == "-") {
    if (out.to_terminal()) return Error{"an .olean is no text for a terminal; -o FILE writes it into a file"};
    out.print_exact(made.files[0]);
    return static_cast<int>(exit_done);
  }
  const char* const endings[] = {"", ".server", ".private"};
  for (size_t i = 0; i < made.files.size(); ++i) {
    const std::string path = o.output + endings[i];
    if (Status written = write_file(path, made.files[i]); !written) return written.error();
    out.print(for_terminal(fmt::format("{}: module {}, {} bytes\n", olean::shown_name(path), o.make.module_name,
                                       counted(static_cast<int64_t>(made.files[i].size())))));
  }
  return static_cast<int>(exit_done);
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  o->make.module_name.clear();
  app.add_option("-o,--output", o->output, "the file; - is standard output")->type_name("FILE")->required();
  app.add_option("--seed", o->make.seed, "another seed, another file (0)")->type_name("S");
  app.add_option("--constants", o->make.constants, "how many (100)")
      ->type_name("N")
      ->check(CLI::Range(uint64_t{0}, uint64_t{20'000'000}));
  app.add_option("--header", o->header, "v0, v1, v2 or v3 (v2)")
      ->type_name("VERSION")
      ->check(CLI::IsMember({"v0", "v1", "v2", "v3"}));
  app.add_option("--parts", o->make.parts, "1, or 3: FILE.server and FILE.private, too (1)")
      ->type_name("N")
      ->check(CLI::IsMember({1, 3}));
  app.add_option("--bignums", o->bignums, "how big numbers are stored: gmp or native (gmp)")
      ->type_name("HOW")
      ->check(CLI::IsMember({"gmp", "native"}));
  app.add_option("--fields", o->make.fields, "of ModuleData: 5, or 4 or 3 as in older files (5)")
      ->type_name("N")
      ->check(CLI::IsMember({3, 4, 5}));
  app.add_option("--bytes-each", o->make.bytes_each, "of a constant, roughly (900, as in real files)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--name", o->make.module_name, "of the module (the file's)")->type_name("NAME");
  return [o](Output& out) {
    Result<int> code = make(*o, out);
    return code ? *code : fail(out, code.error());
  };
}

}  // namespace

const Command olean_make_command = {"olean make", "make a valid file that nobody has seen, for tests",
                                    "assay olean make --seed 7 --constants 1000 -o Fresh.olean\n"
                                    "assay olean make --parts 3 -o Parts.olean",
                                    declare};

}  // namespace assay

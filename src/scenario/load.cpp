#include "scenario/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr size_t largest_file = 1 << 20;
constexpr size_t most_files = 2'000;

Result<SourceFile> read_source(const fs::path& path) {
  std::error_code failed;
  if (!fs::is_regular_file(path, failed)) return Error{fmt::format("{}: not a regular file", path.string())};
  if (uintmax_t size = fs::file_size(path, failed); !failed && size > largest_file)
    return Error{fmt::format("{}: {} bytes; a file of a suite may have {}", path.string(), size, largest_file)};
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in) return Error{fmt::format("{}: cannot be read", path.string())};
  return SourceFile{path.string(), std::move(text)};
}

}  // namespace

Result<SourceFile> read_suite_file(const std::string& path) {
  std::error_code failed;
  if (!fs::exists(path, failed)) return Error{fmt::format("{}: there is no such file", path)};
  return read_source(path);
}

Result<Sources> read_suite_folder(const std::string& folder) {
  std::error_code failed;
  fs::path root(folder);
  while (root.has_relative_path() && root.filename().empty()) root = root.parent_path();  // "suites/first/"
  if (!fs::exists(root, failed)) return Error{fmt::format("{}: there is no such folder", folder)};
  if (!fs::is_directory(root, failed))
    return Error{fmt::format("{}: not a folder; a suite is a folder with a suite.yaml and scenario files", folder)};
  if (!fs::exists(root / "suite.yaml", failed))
    return Error{fmt::format("{}: no suite.yaml in this folder, so it is no suite", folder)};
  Sources sources;
  auto take = [&](const std::string& key, const fs::path& path) -> Status {
    Result<SourceFile> file = read_source(path);
    if (!file) return file.error();
    sources[key] = std::move(*file);
    if (sources.size() > most_files)
      return Error{fmt::format("{}: more than {} files; is this a suite?", folder, most_files)};
    return Done{};
  };
  for (auto it = fs::recursive_directory_iterator(root, failed); !failed && it != fs::recursive_directory_iterator();
       it.increment(failed)) {
    std::string name = it->path().filename().string();
    if (name.starts_with(".") || name.ends_with("~")) {
      if (it->is_directory(failed)) it.disable_recursion_pending();
      continue;
    }
    if (it->is_directory(failed)) continue;
    if (Status taken = take(it->path().lexically_relative(root).generic_string(), it->path()); !taken)
      return taken.error();
  }
  if (failed) return Error{fmt::format("{}: cannot be read: {}", folder, failed.message())};
  // The vocabulary and the codes may lie beside the suite, shared by several.
  fs::path beside = root / "..";
  if (fs::path parent = root.lexically_normal().parent_path();
      !parent.empty() && root.filename() != "." && root.filename() != "..")
    beside = parent;
  if (!sources.count("acts.yaml") && fs::is_regular_file(beside / "acts.yaml", failed))
    if (Status taken = take("../acts.yaml", beside / "acts.yaml"); !taken) return taken.error();
  if (fs::is_directory(beside / "codes", failed)) {
    for (const auto& entry : fs::directory_iterator(beside / "codes", failed)) {
      std::string name = entry.path().filename().string();
      if (!name.ends_with(".yaml") || name.starts_with(".") || sources.count("codes/" + name)) continue;
      if (Status taken = take("../codes/" + name, entry.path()); !taken) return taken.error();
    }
  }
  return sources;
}

}  // namespace assay

// ls, find and stat: what is there.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "world/shell_command.h"

namespace assay::shell {
namespace {

size_t size_of(const Entry& entry) { return entry.directory ? 4096 : entry.text->size(); }
size_t blocks_of(const Entry& entry) { return (size_of(entry) + 4095) / 4096 * 4; }  // of 1024 bytes

// --- ls ---

struct Row {
  std::string name;
  const Entry* entry;
  int links = 1;
};

// Of a directory: itself, its name in its parent, and each directory in it.
int links_of(const Files& files, const std::string& path, const Entry& entry) {
  if (!entry.directory) return 1;
  int links = 2;
  std::string prefix = below(path, "");
  for (auto i = files.all().upper_bound(prefix); i != files.all().end() && i->first.starts_with(prefix); ++i)
    links += i->second.directory && i->first.find('/', prefix.size()) == std::string::npos;
  return links;
}

std::string human_size(size_t bytes) {
  if (bytes < 1024) return std::to_string(bytes);
  double kilo = static_cast<double>(bytes) / 1024;
  const char* unit = kilo < 1024 ? "K" : "M";
  if (kilo >= 1024) kilo /= 1024;
  double up = std::ceil(kilo * 10) / 10;  // as coreutils: rounded up
  return up < 10 ? fmt::format("{:.1f}{}", up, unit) : fmt::format("{:.0f}{}", std::ceil(kilo), unit);
}

void print_rows(Process& process, const Options& options, std::vector<Row> rows) {
  if (options.has('t'))
    std::stable_sort(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.entry->modified > b.entry->modified; });
  if (options.has('S'))
    std::stable_sort(rows.begin(), rows.end(), [](auto& a, auto& b) { return size_of(*a.entry) > size_of(*b.entry); });
  if (options.has('r')) std::reverse(rows.begin(), rows.end());
  auto size_text = [&](const Row& row) {
    return options.has('h') ? human_size(size_of(*row.entry)) : std::to_string(size_of(*row.entry));
  };
  size_t links = 0, owner = 0, group = 0, size = 0;
  for (const Row& row : rows) {
    links = std::max(links, std::to_string(row.links).size());
    owner = std::max(owner, row.entry->owner.size());
    group = std::max(group, row.entry->group.size());
    size = std::max(size, size_text(row).size());
  }
  constexpr int64_t half_a_year = 15778476;  // seconds; older files show their year, as coreutils has it
  for (const Row& row : rows) {
    std::string mark = row.entry->directory && (options.has('F') || options.has('p')) ? "/" : "";
    if (!options.has('l')) {
      process.out.line(row.name + mark);
      continue;
    }
    int64_t age = process.machine.clock - row.entry->modified;
    bool recent = age >= 0 && age < half_a_year;
    process.out.line(fmt::format("{} {:>{}} {:<{}} {:<{}} {:>{}} {} {}", mode_letters(*row.entry), row.links, links,
                                 row.entry->owner, owner, row.entry->group, group, size_text(row), size,
                                 format_time(row.entry->modified, recent ? "%b %e %H:%M" : "%b %e  %Y"),
                                 row.name + mark));
  }
}

// One directory, and with -R those below it. Answers the exit code.
int list_directory(Process& process, const Options& options, const std::string& shown, bool titled, bool& first) {
  const Files& files = process.machine.files;
  std::string path = process.path(shown);
  Result<std::vector<std::string>> names = files.list(path, process.session.who);
  process.meter.pay(files.all().size());
  if (!names) return process.fail(fmt::format("cannot open directory '{}': {}", shown, names.error().text), 2);
  if (process.meter.spent()) return killed;
  if (titled) process.out.line((first ? "" : "\n") + shown + ":");
  first = false;

  std::vector<Row> rows;
  if (options.has('a'))
    for (const auto& [dots, of] : {std::pair<std::string, std::string>{".", path}, {"..", parent_of(path)}})
      if (auto entry = files.all().find(of); entry != files.all().end())
        rows.push_back({dots, &entry->second, links_of(files, of, entry->second)});
  size_t total = 0;
  for (const std::string& name : *names) {
    if (name[0] == '.' && !options.has('a') && !options.has('A')) continue;
    auto entry = files.all().find(below(path, name));
    rows.push_back({name, &entry->second, options.has('l') ? links_of(files, entry->first, entry->second) : 1});
  }
  for (const Row& row : rows) total += blocks_of(*row.entry);
  if (options.has('l'))
    process.out.line(
        fmt::format("total {}", options.has('h') && total > 0 ? human_size(total * 1024) : std::to_string(total)));
  print_rows(process, options, rows);

  int status = 0;
  if (options.has('R'))
    for (const Row& row : rows)
      if (row.entry->directory && row.name != "." && row.name != "..")
        status = std::max(status, list_directory(process, options, below(shown, row.name), true, first));
  return status;
}

int run_ls(Process& process) {
  static constexpr LongOption longs[] = {{"all", 'a'},       {"almost-all", 'A'},     {"recursive", 'R'},
                                         {"directory", 'd'}, {"human-readable", 'h'}, {"reverse", 'r'},
                                         {"classify", 'F'}};
  Result<Options> options = parse_options(process, "laAR1dhtrSFp", longs);
  if (!options) return process.misuse(options.error(), 2);
  std::vector<std::string> operands = options->operands;
  if (operands.empty()) operands = {"."};
  std::sort(operands.begin(), operands.end());

  int status = 0;
  std::vector<Row> lone;
  std::vector<std::string> directories;
  for (const std::string& operand : operands) {
    std::string path = process.path(operand);
    Result<const Entry*> entry = process.machine.files.look(path, process.session.who);
    process.meter.pay(process.machine.files.all().size());
    if (!entry)
      status = process.fail(fmt::format("cannot access '{}': {}", operand, entry.error().text), 2);
    else if ((*entry)->directory && !options->has('d'))
      directories.push_back(operand);
    else
      lone.push_back({operand, *entry, links_of(process.machine.files, path, **entry)});
  }
  bool first = lone.empty();
  print_rows(process, *options, std::move(lone));
  bool titled = operands.size() > 1 || options->has('R');
  for (const std::string& directory : directories) {
    if (process.meter.spent()) return killed;
    status = std::max(status, list_directory(process, *options, directory, titled, first));
  }
  return status;
}

// --- stat ---

std::string stat_format(const Process& process, const std::string& name, const Entry& entry, std::string_view format) {
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '\\' && i + 1 < format.size()) {
      out += format[++i] == 'n' ? '\n' : format[i] == 't' ? '\t' : format[i];
      continue;
    }
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    switch (format[++i]) {
      case 'n': out += name; break;
      case 's': out += std::to_string(size_of(entry)); break;
      case 'U': out += entry.owner; break;
      case 'G': out += entry.group; break;
      case 'u': out += std::to_string(group_id(process.machine.accounts, entry.owner)); break;
      case 'g': out += std::to_string(group_id(process.machine.accounts, entry.group)); break;
      case 'a': out += fmt::format("{:o}", entry.mode); break;
      case 'A': out += mode_letters(entry); break;
      case 'F':
        out += entry.directory ? "directory" : entry.text->empty() ? "regular empty file" : "regular file";
        break;
      case 'y': out += format_time(entry.modified, "%F %T.%N %z"); break;
      case 'Y': out += std::to_string(entry.modified); break;
      case '%': out += '%'; break;
      default: out += '?';
    }
  }
  return out;
}

int run_stat(Process& process) {
  static constexpr LongOption longs[] = {{"format", 'c'}};
  Result<Options> options = parse_options(process, "c:", longs);
  if (!options) return process.misuse(options.error());
  if (options->operands.empty()) return process.misuse({"missing operand"});
  int status = 0;
  for (const std::string& operand : options->operands) {
    std::string path = process.path(operand);
    Result<const Entry*> entry = process.machine.files.look(path, process.session.who);
    process.meter.pay(process.machine.files.all().size());
    if (!entry) {
      status = process.fail(fmt::format("cannot statx '{}': {}", operand, entry.error().text));
      continue;
    }
    const Entry& e = **entry;
    if (options->has('c')) {
      process.out.line(stat_format(process, operand, e, options->value('c')));
      continue;
    }
    auto person = [&](const std::string& name) {
      return fmt::format("({:>5}/{:>8})", group_id(process.machine.accounts, name), name);
    };
    process.out.line(fmt::format("  File: {}", operand));
    process.out.line(
        stat_format(process, operand, e,
                    fmt::format("  Size: {:<10}\tBlocks: {:<10} IO Block: 4096   %F", size_of(e), blocks_of(e) * 2)));
    process.out.line(fmt::format("Device: 801h/2049d\tInode: {:<11} Links: {}", 100000 + e.id,
                                 links_of(process.machine.files, path, e)));
    process.out.line(fmt::format("Access: ({:04o}/{})  Uid: {}   Gid: {}", e.mode, mode_letters(e), person(e.owner),
                                 person(e.group)));
    for (const char* what : {"Access", "Modify", "Change"})
      process.out.line(fmt::format("{}: {}", what, format_time(e.modified, "%F %T.%N %z")));
    process.out.line(" Birth: -");
  }
  return status;
}

// --- find ---

// One test or action; an expression is a list of alternatives (-o), each a list of these.
struct Primary {
  std::string name, value;
  bool negated = false;
  std::vector<std::string> command;  // of -exec
  bool gathers = false;              // -exec ... +
};

struct Expression {
  std::vector<std::vector<Primary>> alternatives = {{}};
  int64_t least_depth = 0, most_depth = deepest_path * 2;
  bool acts = false;     // has an action, so that -print is not implied
  bool deletes = false;  // then what is inside a directory comes before it
};

Result<Expression> parse_expression(std::span<const std::string> words) {
  Expression expression;
  bool negated = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    auto takes_value = [&] {
      for (const char* name : {"-name", "-iname", "-path", "-type", "-user", "-group", "-size", "-mtime", "-mmin",
                               "-perm", "-newer", "-maxdepth", "-mindepth"})
        if (word == name) return true;
      return false;
    };
    if (word == "!" || word == "-not") {
      negated = !negated;
      continue;
    }
    if (word == "-a" || word == "-and") continue;
    if (word == "-o" || word == "-or") {
      expression.alternatives.emplace_back();
      continue;
    }
    Primary primary{.name = word, .negated = std::exchange(negated, false)};
    if (takes_value()) {
      if (++i == words.size()) return Error{fmt::format("missing argument to `{}'", word)};
      primary.value = words[i];
      if (word == "-type" && primary.value != "f" && primary.value != "d")
        return Error{fmt::format("Unknown argument to -type: {}", primary.value)};
      if (word.ends_with("depth")) {
        std::optional<int64_t> depth = whole_number(primary.value);
        if (!depth)
          return Error{
              fmt::format("Expected a positive decimal integer argument to {}, but got '{}'", word, primary.value)};
        (word == "-maxdepth" ? expression.most_depth : expression.least_depth) = *depth;
        continue;
      }
    } else if (word == "-exec") {
      for (++i; i < words.size() && words[i] != ";" && !(words[i] == "+" && words[i - 1] == "{}"); ++i)
        primary.command.push_back(words[i]);
      if (i == words.size() || primary.command.empty()) return Error{"missing argument to `-exec'"};
      primary.gathers = words[i] == "+";
      if (primary.gathers) primary.command.pop_back();
      expression.acts = true;
    } else if (word == "-print" || word == "-print0" || word == "-delete") {
      expression.acts = true;
      expression.deletes |= word == "-delete";
    } else if (word != "-empty") {
      return Error{word.starts_with('-') ? fmt::format("unknown predicate `{}'", word)
                                         : fmt::format("paths must precede expression: `{}'", word)};
    }
    expression.alternatives.back().push_back(std::move(primary));
  }
  return expression;
}

struct Find {
  Process& process;
  const Expression& expression;
  std::vector<std::pair<const Primary*, std::vector<std::string>>> gathered;  // what -exec ... + will get
  int status = 0;

  // +N, -N, N
  static bool compares(int64_t value, const std::string& wanted) {
    bool more = wanted.starts_with('+'), less = wanted.starts_with('-');
    std::optional<int64_t> number = whole_number(std::string_view(wanted).substr(more || less ? 1 : 0));
    return number && (more ? value > *number : less ? value < *number : value == *number);
  }

  static bool has_size(const Entry& entry, std::string wanted) {
    size_t unit = 512;
    for (auto [letter, bytes] : {std::pair<char, size_t>{'c', 1}, {'k', 1024}, {'M', 1 << 20}, {'b', 512}})
      if (wanted.ends_with(letter)) unit = bytes;
    if (!wanted.empty() && !std::isdigit(static_cast<unsigned char>(wanted.back()))) wanted.pop_back();
    return compares(static_cast<int64_t>((size_of(entry) + unit - 1) / unit), wanted);
  }

  void complain(const std::string& text) { status = process.fail(text); }

  bool holds(const Primary& primary, const std::string& shown, const std::string& path) {
    const Entry& entry = process.machine.files.all().at(path);
    const std::string& value = primary.value;
    std::string name = shown == "." || shown == ".." ? shown : name_of(shown);
    int64_t age = process.machine.clock - entry.modified;
    if (primary.name == "-name") return matches_pattern(value, name);
    if (primary.name == "-iname") return matches_pattern(folded(value), folded(name));
    if (primary.name == "-path") return matches_pattern(value, shown);
    if (primary.name == "-type") return entry.directory == (value == "d");
    if (primary.name == "-user") return entry.owner == value;
    if (primary.name == "-group") return entry.group == value;
    if (primary.name == "-size") return has_size(entry, value);
    if (primary.name == "-mtime") return compares(age / 86400, value);
    if (primary.name == "-mmin") return compares(age / 60, value);
    if (primary.name == "-perm")
      return fmt::format("{:o}", entry.mode) == value || fmt::format("{:04o}", entry.mode) == value;
    if (primary.name == "-empty")
      return entry.directory ? links_of(process.machine.files, path, entry) == 2 && is_empty(path)
                             : entry.text->empty();
    if (primary.name == "-newer") {
      auto other = process.machine.files.all().find(process.path(value));
      return other != process.machine.files.all().end() && entry.modified > other->second.modified;
    }
    return act(primary, shown, path);
  }

  bool is_empty(const std::string& directory) const {
    auto next = process.machine.files.all().lower_bound(below(directory, ""));
    return next == process.machine.files.all().end() || !is_inside(next->first, directory);
  }

  bool act(const Primary& primary, const std::string& shown, const std::string& path) {
    if (primary.name == "-print") return process.out.line(shown), true;
    if (primary.name == "-print0") return process.out.write(shown + '\0'), true;
    if (primary.name == "-delete") {
      Status removed = process.machine.files.remove(path, process.session.who);
      if (!removed) complain(fmt::format("cannot delete '{}': {}", shown, removed.error().text));
      return removed.has_value();
    }
    if (primary.gathers) return gather(primary, shown);
    std::vector<std::string> args = primary.command;
    for (std::string& arg : args)
      for (size_t at = arg.find("{}"); at != std::string::npos && arg.size() < longest_path * 4;
           at = arg.find("{}", at + shown.size()))
        arg.replace(at, 2, shown);
    return process.run(args, "") == 0;
  }

  bool gather(const Primary& primary, const std::string& shown) {
    for (auto& [known, paths] : gathered)
      if (known == &primary) return paths.push_back(shown), true;
    gathered.push_back({&primary, {shown}});
    return true;
  }

  void visit(const std::string& shown, int64_t depth) {
    process.meter.pay(100);
    if (process.meter.spent()) return;
    const Files& files = process.machine.files;
    std::string path = process.path(shown);
    Result<const Entry*> entry = files.look(path, process.session.who);
    if (!entry) return complain(fmt::format("'{}': {}", shown, entry.error().text));
    bool directory = (*entry)->directory;
    auto descend = [&] {
      if (!directory || depth >= expression.most_depth) return;
      Result<std::vector<std::string>> names = files.list(path, process.session.who);
      process.meter.pay(files.all().size() / 8);
      if (!names) return complain(fmt::format("'{}': {}", shown, names.error().text));
      for (const std::string& name : *names)
        if (files.all().contains(below(path, name)))
          visit(below(shown, name), depth + 1);  // an -exec may have removed it
    };
    if (expression.deletes) descend();
    if (depth >= expression.least_depth) judge(shown, path);
    if (!expression.deletes && files.all().contains(path)) descend();
  }

  void judge(const std::string& shown, const std::string& path) {
    for (const std::vector<Primary>& all : expression.alternatives) {
      bool fits = true;
      for (const Primary& primary : all) {
        if (!process.machine.files.all().contains(path)) return;
        if (!(fits = holds(primary, shown, path) != primary.negated)) break;
      }
      if (!fits) continue;
      if (!expression.acts) process.out.line(shown);
      return;
    }
  }
};

int run_find(Process& process) {
  std::span<const std::string> words = std::span(process.args).subspan(1);
  std::vector<std::string> paths;
  while (!words.empty() && words[0] != "!" && !words[0].starts_with('-'))
    paths.push_back(words[0]), words = words.subspan(1);
  if (paths.empty()) paths = {"."};
  Result<Expression> expression = parse_expression(words);
  if (!expression) return process.fail(expression.error().text);
  Find find{process, *expression, {}, 0};
  for (const std::string& path : paths) find.visit(path, 0);
  for (const auto& [primary, found] : find.gathered) {
    std::vector<std::string> args = primary->command;
    args.insert(args.end(), found.begin(), found.end());
    if (process.run(args, "") != 0) find.status = 1;
  }
  return process.meter.spent() ? killed : find.status;
}

}  // namespace

std::span<const CommandRow> look_commands() {
  static constexpr CommandRow rows[] = {
      {"find", run_find,
       "find [PATH...] [-name -iname -path GLOB] [-type f|d] [-user -size -mtime -empty -maxdepth] [-o !] [-print "
       "-delete -exec]: search files"},
      {"ls", run_ls, "ls [-laARdhtrS1F] [PATH...]: list directories"},
      {"stat", run_stat, "stat [-c FORMAT] FILE...: print all about files"},
  };
  return rows;
}

}  // namespace assay::shell

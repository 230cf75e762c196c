#include "world/shell_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"

namespace assay::shell {
namespace {

// `a{b,c}d` as `abd acd`, for braces that stand with their commas in one unquoted part (POSIX has none; bash does this
// before everything else, and people use it with mkdir). Everything else stays as it is.
void expand_braces(const Word& word, std::vector<Word>& out) {
  for (size_t p = 0; p < word.size(); ++p) {
    if (word[p].kind != Part::literal || word[p].quoted) continue;
    const std::string& text = word[p].text;
    for (size_t open = text.find('{'); open != std::string::npos; open = text.find('{', open + 1)) {
      std::vector<std::string> choices = {""};
      size_t close = open + 1;
      int depth = 1;
      for (; close < text.size(); ++close) {
        depth += text[close] == '{' ? 1 : text[close] == '}' ? -1 : 0;
        if (depth == 0) break;
        if (depth == 1 && text[close] == ',')
          choices.emplace_back();
        else
          choices.back() += text[close];
      }
      if (depth != 0 || choices.size() < 2) continue;
      for (const std::string& choice : choices) {
        if (out.size() > most_words) return;
        Word chosen = word;
        chosen[p].text = text.substr(0, open) + choice + text.substr(close + 1);
        expand_braces(chosen, out);
      }
      return;
    }
  }
  out.push_back(word);
}

bool is_field_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

// A field that is being put together, beside the pattern that it is for globbing (quoted letters escaped).
struct Field {
  std::string text, pattern;
  bool globs = false, present = false;
};

void add(Field& field, char c, bool quoted) {
  field.present = true;
  field.text += c;
  bool special = std::string_view("*?[]\\-!^").find(c) != std::string_view::npos;
  if (special && quoted) field.pattern += '\\';
  if (special && !quoted && c != ']' && c != '-' && c != '!' && c != '^' && c != '\\') field.globs = true;
  field.pattern += c;
}

}  // namespace

// --- Expansion ---

std::string Interpreter::value_of(const Part& part, Output& err) {
  auto variable = [&](const std::string& name) {
    auto found = session_.variables.find(name);
    return found == session_.variables.end() ? "" : found->second;
  };
  switch (part.kind) {
    case Part::literal: return part.text;
    case Part::home: {
      if (part.text.empty()) return variable("HOME");
      auto account = machine_.accounts.find(part.text);
      return account == machine_.accounts.end() ? "~" + part.text : account->second.home;
    }
    case Part::variable:
      if (part.text == "?") return std::to_string(session_.status);
      if (part.text == "#") return "0";
      if (part.text == "$") return "4021";
      if (part.text == "0") return "bash";
      return variable(part.text);
    case Part::substitution: {
      if (depth_ >= deepest_run) return "";
      ++depth_;
      Session before = session_;  // a substitution is a subshell
      Output out;
      int status = run(*part.script, out, err);
      session_ = std::move(before);
      substituted_ = status;
      --depth_;
      std::string text = out.text();
      while (text.ends_with('\n')) text.pop_back();
      return text;
    }
  }
  return "";
}

Result<std::string> Interpreter::expand_to_text(const Word& word, Output& err) {
  std::string text;
  for (const Part& part : word) {
    text += value_of(part, err);
    if (text.size() > longest_words) return Error{"bash: Argument list too long"};
  }
  return text;
}

// The existing paths that match, in byte order, spelled as the pattern is (relative, with its dots).
std::vector<std::string> Interpreter::matching_paths(const std::string& pattern) {
  std::vector<std::string> found = {pattern.starts_with('/') ? "/" : ""};
  std::vector<std::string> parts = split(pattern, '/');
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    std::vector<std::string> next;
    for (const std::string& prefix : found) {
      Result<std::vector<std::string>> names =
          machine_.files.list(absolute(session_.cwd, prefix.empty() ? "." : prefix), session_.who);
      meter_.pay(machine_.files.all().size());
      if (meter_.spent() || next.size() > most_words) return {};
      auto join = [&](const std::string& name) {
        next.push_back(prefix.empty() || prefix == "/" ? prefix + name : prefix + "/" + name);
      };
      if (part == "." || part == "..") {
        join(part);
      } else if (names) {
        for (const std::string& name : *names)
          if (name.starts_with('.') == part.starts_with('.') && matches_pattern(part, name)) join(name);
      }
    }
    found = std::move(next);
  }
  if (pattern.ends_with('/')) {  // directories alone, and their slash stays
    std::erase_if(found, [&](const std::string& path) {
      auto entry = machine_.files.all().find(absolute(session_.cwd, path));
      return entry == machine_.files.all().end() || !entry->second.directory;
    });
    for (std::string& path : found) path += '/';
  }
  return found;
}

Status Interpreter::expand(const Word& word, std::vector<std::string>& fields, Output& err) {
  std::vector<Field> made(1);
  size_t bytes = 0;
  for (const Part& part : word) {
    std::string value = value_of(part, err);
    if ((bytes += value.size()) > longest_words) return Error{"bash: Argument list too long"};
    bool splits = !part.quoted && part.kind != Part::literal;
    if (part.quoted) made.back().present = true;
    for (char c : value) {
      if (splits && is_field_blank(c)) {
        if (made.back().present) made.emplace_back();
      } else {
        add(made.back(), c, part.quoted);
      }
    }
  }
  for (Field& field : made) {
    if (!field.present) continue;
    std::vector<std::string> paths;
    if (field.globs) paths = matching_paths(field.pattern);
    if (paths.empty()) paths = {std::move(field.text)};
    fields.insert(fields.end(), paths.begin(), paths.end());
  }
  return Done{};
}

Result<std::vector<std::string>> Interpreter::expand(const std::vector<Word>& words, Output& err) {
  std::vector<std::string> fields;
  size_t seen = 0, bytes = 0;
  for (const Word& word : words) {
    std::vector<Word> choices;
    expand_braces(word, choices);
    for (const Word& choice : choices) {
      if (Status expanded = expand(choice, fields, err); !expanded) return expanded.error();
      for (; seen < fields.size(); ++seen) bytes += fields[seen].size();
      if (fields.size() > most_words || bytes > longest_words) return Error{"bash: Argument list too long"};
    }
  }
  return fields;
}

// --- Connecting ---

// Where the three descriptors of one command lead. Files are written when the command has ended.
struct Interpreter::Streams {
  struct File {
    std::string path;
    std::shared_ptr<Output> text = std::make_shared<Output>();
  };
  std::string held;  // what `in` refers to, where it comes from a file or a here-document
  std::string_view in;
  Output *out, *err;
  std::vector<File> files;
};

// Opens the files from left to right; those that are written to are made or emptied at once, as bash does.
Status Interpreter::connect(const Command& command, Streams& streams, Output& err) {
  for (const Redirect& redirect : command.redirects) {
    if (redirect.kind == Redirect::duplicate) {
      Output* target = redirect.other == 1 ? streams.out : streams.err;
      (redirect.fd == 1 ? streams.out : streams.err) = target;
      continue;
    }
    if (redirect.kind == Redirect::text) {
      Result<std::string> text = expand_to_text(redirect.target, err);
      if (!text) return text.error();
      streams.held = std::move(*text);
      streams.in = streams.held;
      continue;
    }
    std::vector<std::string> names;
    if (Status expanded = expand(redirect.target, names, err); !expanded) return expanded;
    if (names.size() != 1) return Error{"bash: ambiguous redirect"};
    std::string path = absolute(session_.cwd, names[0]);
    auto failed = [&](const Error& why) { return Error{fmt::format("bash: {}: {}", names[0], why.text)}; };
    if (redirect.kind == Redirect::read) {
      Result<std::string> text = machine_.files.read(path, session_.who);
      if (!text) return failed(text.error());
      meter_.pay(text->size());
      streams.held = std::move(*text);
      streams.in = streams.held;
      continue;
    }
    Status opened = redirect.kind == Redirect::append ? machine_.files.append(path, "", session_.who)
                                                      : machine_.files.write(path, "", session_.who);
    if (!opened) return failed(opened.error());
    streams.files.push_back({path});
    Output* target = streams.files.back().text.get();
    (redirect.fd == 2 ? streams.err : streams.out) = target;
    if (redirect.both) streams.err = target;
  }
  return Done{};
}

Status Interpreter::write_back(Streams& streams) {
  for (Streams::File& file : streams.files) {
    if (file.text->text().empty()) continue;
    if (auto old = machine_.files.all().find(file.path); old != machine_.files.all().end())
      meter_.pay(old->second.text->size() + file.text->text().size());  // appending copies the file
    if (Status written = machine_.files.append(file.path, file.text->text(), session_.who); !written)
      return Error{"bash: write error: " + written.error().text};
    if (file.text->full()) return Error{"bash: write error: File too large"};
  }
  return Done{};
}

// --- Running ---

int Interpreter::run(const Script& script, Output& out, Output& err) {
  int status = 0;
  for (const Step& step : script) {
    if (session_.ended) break;
    if (step.when == Step::after_success && session_.status != 0) continue;
    if (step.when == Step::after_failure && session_.status == 0) continue;
    status = session_.status = run(step.pipeline, out, err);
    if (meter_.spent()) return killed;
  }
  return session_.ended ? session_.status : status;
}

int Interpreter::run(const Pipeline& pipeline, Output& out, Output& err) {
  int status = 0;
  std::string in;
  for (size_t i = 0; i < pipeline.commands.size(); ++i) {
    bool last = i + 1 == pipeline.commands.size();
    Output pipe;
    if (pipeline.commands.size() == 1) {
      status = run(pipeline.commands[i], in, out, err);
    } else {  // each part is a subshell: a cd in it changes nothing outside
      Session before = session_;
      status = run(pipeline.commands[i], in, last ? out : pipe, err);
      session_ = std::move(before);
    }
    in = pipe.text();
    if (meter_.spent()) return killed;
  }
  return pipeline.negated ? (status == 0 ? 1 : 0) : status;
}

int Interpreter::run(const Command& command, std::string_view in, Output& out, Output& err) {
  Streams streams{.held = {}, .in = in, .out = &out, .err = &err, .files = {}};
  auto refused = [&](const Error& why) {
    err.line(why.text);
    return 1;
  };
  substituted_ = 0;
  Result<std::vector<std::string>> args = expand(command.words, err);
  if (!args) return refused(args.error());
  std::map<std::string, std::string> outer = session_.variables;
  for (const Assignment& assignment : command.assignments) {
    Result<std::string> value = expand_to_text(assignment.value, err);
    if (!value) return refused(value.error());
    bool fits = value->size() <= longest_variable && session_.variables.size() < most_variables;
    if (!fits) return refused({fmt::format("bash: {}: value too long", assignment.name)});
    session_.variables[assignment.name] = std::move(*value);
  }
  int status = substituted_;  // what a line of assignments alone answers
  Status connected = connect(command, streams, err);
  if (!connected) {
    status = refused(connected.error());
  } else if (!args->empty()) {
    status = run(*args, streams.in, *streams.out, *streams.err);
  }
  if (!args->empty() && !command.assignments.empty()) session_.variables = std::move(outer);
  if (Status written = write_back(streams); !written) return refused(written.error());
  return status;
}

int Interpreter::run(const std::vector<std::string>& args, std::string_view in, Output& out, Output& err) {
  meter_.pay(1000 + in.size());
  if (meter_.spent()) return killed;
  if (depth_ >= deepest_run) {
    err.line(fmt::format("bash: {}: too many commands inside commands", args[0]));
    return 126;
  }
  std::string_view name = args[0];
  for (const char* folder : {"/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"})
    if (name.starts_with(folder)) name.remove_prefix(std::string_view(folder).size());
  if (name == "bash" || name == "sh") return run_shell(args, in, out, err);
  const CommandRow* row = find_command(name);
  if (row == nullptr) {
    bool is_path = name.find('/') != std::string_view::npos;
    const std::string shown = valid_utf8(args[0].substr(0, 200));
    if (!is_path) {
      err.line(fmt::format("bash: {}: command not found", shown));
      return 127;
    }
    Result<const Entry*> file = machine_.files.look(absolute(session_.cwd, name), session_.who);
    if (!file) {
      err.line(fmt::format("bash: {}: {}", shown, file.error().text));
      return 127;
    }
    bool may_run = (*file)->mode & 0111;  // root too needs somebody's
    const char* why = (*file)->directory ? "Is a directory"
                      : may_run          ? "programs cannot be run here"
                                         : "Permission denied";
    err.line(fmt::format("bash: {}: {}", shown, why));
    return 126;
  }
  if (args.size() == 2 && args[1] == "--help" && name != "echo" && name != "test" && name != "[") {
    out.line(fmt::format("Usage: {}", row->help));
    return 0;
  }
  ++depth_;
  auto inner = [&](const std::vector<std::string>& inner_args, std::string_view inner_in) {
    return run(inner_args, inner_in, out, err);
  };
  Process process{machine_, session_, args, in, out, err, meter_, inner};
  int status = row->run(process);
  --depth_;
  return meter_.spent() ? killed : status;
}

// bash -c TEXT, or bash FILE: a subshell.
int Interpreter::run_shell(const std::vector<std::string>& args, std::string_view in, Output& out, Output& err) {
  std::string text(in);
  if (args.size() > 2 && args[1] == "-c") {
    text = args[2];
  } else if (args.size() > 1) {
    Result<std::string> script = machine_.files.read(absolute(session_.cwd, args[1]), session_.who);
    if (!script) {
      err.line(fmt::format("{}: {}: {}", args[0], args[1], script.error().text));
      return 127;
    }
    text = std::move(*script);
  }
  meter_.pay(text.size() * 4);
  Result<Script> script =
      text.size() > longest_words ? Result<Script>(Error{"bash: script too long"}) : parse_shell(text);
  if (!script) {
    err.line(script.error().text);
    return 2;
  }
  ++depth_;
  Session before = session_;
  int status = run(*script, out, err);
  session_ = std::move(before);
  --depth_;
  return status;
}

}  // namespace assay::shell

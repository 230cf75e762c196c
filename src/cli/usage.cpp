#include "cli/usage.h"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "base/text.h"

namespace assay {
namespace {

constexpr int most_columns = 80;  // of a page of help, for it is read as often in a file

int columns_of(const Style& style) { return std::min(style.columns(), most_columns); }

// Words with a hanging indent: the first row stands behind `first`, the others below it.
std::string hanging(const std::string& first, std::string_view words, int columns) {
  const int indent = display_width(first);
  std::string out;
  for (const std::string& row : wrapped(words, columns - indent))
    out += (out.empty() ? first : std::string(static_cast<size_t>(indent), ' ')) + row + "\n";
  return out;
}

// A command that can be copied as it stands: where it is too long, it goes on in the next line as a shell lets it.
std::string example(const std::string& command, int columns) {
  std::string out;
  const std::vector<std::string> rows = wrapped(command, columns - 8);
  if (display_width(command) <= columns - 2) return "  " + command + "\n";
  for (size_t i = 0; i < rows.size(); ++i)
    out += (i ? "      " : "  ") + rows[i] + (i + 1 < rows.size() ? " \\\n" : "\n");
  return out;
}

// Example first, then usage, then one entry an option.
class HelpPage : public CLI::Formatter {
 public:
  HelpPage(const Command& command, int columns) : command_(command), columns_(columns) {}

  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
    std::string out;
    for (const std::string& line : split(command_.example, '\n')) out += example(line, columns_);
    std::string usage = fmt::format("assay {}{}", command_.name, app->get_prefix_command() ? " DO ..." : "");
    std::string arguments, options;
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_positional()) {
        std::string name = option->get_name();
        std::string shown = name + (option->get_items_expected_max() > 1 ? "..." : "");
        usage += option->get_required() ? " " + shown : " [" + shown + "]";
        arguments += entry(name, option->get_description());
      } else {
        bool takes_value = option->get_items_expected_max() > 0 && !option->get_type_name().empty();
        std::string name = option->get_name(false, true);  // "-m,--model"
        if (size_t comma = name.find(','); comma != std::string::npos)
          name.insert(comma + 1, " ");
        else
          name = "    " + name;
        if (takes_value)
          name += " " + split(option->get_type_name(), ':').front();  // CLI11 adds what it checks after a colon
        if (option->get_required())
          usage += fmt::format(" {} {}", split(option->get_name(false, true), ',').front(),
                               split(option->get_type_name(), ':').front());
        options += entry(name, option->get_description());
      }
    }
    out += "\n" + hanging("", std::string(command_.does) + ".", columns_);
    out += fmt::format("\nusage: {} [options]\n{}{}", usage, arguments, options);
    return out + more();
  }

 private:
  std::string entry(const std::string& name, const std::string& description) const {
    constexpr int column = 26;
    return hanging("  " + left(name, column - 2), description, columns_);
  }

  // What a command adds is written for a page of 80 columns. On a narrower one its sentences flow anew, and lines with
  // a column of their own are folded one by one, together with the indented ones that go on with them.
  std::string more() const {
    if (!command_.more) return "";
    std::string out, sentences, shaped;
    auto flush = [&] {
      if (!sentences.empty()) out += hanging("  ", sentences, columns_);
      if (!shaped.empty()) out += folded_at_marks(shaped);
      sentences.clear(), shaped.clear();
    };
    for (const std::string& line : split(trimmed(command_.more()), '\n')) {
      if (columns_ == most_columns) {
        out += folded_at_marks(line);
      } else if (!shaped.empty() && line.starts_with(' ')) {
        shaped += (shaped.back() == '&' ? "" : " ") + std::string(trimmed(line));
      } else if (line.find("  ") != std::string::npos || line.ends_with('&')) {
        flush();
        shaped = line;
      } else {
        if (!shaped.empty()) flush();
        (sentences += sentences.empty() ? "" : " ") += line;
      }
    }
    flush();
    return out;
  }

  // A long pattern ("gguf:PATH[?ctx=N&threads=N...]") goes on in the next line after one of its own marks.
  std::string folded_at_marks(std::string line) const {
    const auto room = static_cast<size_t>(columns_) - 2;
    std::string out;
    while (line.size() > room) {
      size_t mark = line.find_last_of("& ", room - 1);
      if (mark == std::string::npos || mark < 12) break;
      out += "  " + line.substr(0, line[mark] == ' ' ? mark : mark + 1) + "\n";
      line = "  " + line.substr(mark + 1);
    }
    return out + "  " + line + "\n";
  }

  const Command& command_;
  const int columns_;
};

// "--epoch" was probably meant as an option we have.
std::string suggestion(const CLI::App& app, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  std::string near = nearest(split(word, '=').front(), known);
  return near.empty() ? "" : fmt::format("; did you mean {}?", near);
}

std::string explained(const CLI::App& app, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error)) {
    std::vector<std::string> extra = app.remaining();
    if (!extra.empty()) {
      bool option = extra.front().size() > 1 && extra.front()[0] == '-';
      return fmt::format("{} '{}'{}", option ? "unknown option" : "unexpected argument", one_line(extra.front()),
                         option ? suggestion(app, extra.front()) : "");
    }
  }
  return one_line(error.what());
}

}  // namespace

std::string program_help(const std::vector<const Command*>& commands, const Style& style) {
  const int columns = columns_of(style);
  std::string out = example("assay run suites/first -m policy:policies/cornered.yaml --epochs 20", columns);
  out += example("assay summary first.assay", columns) + "\n";
  out += hanging("",
                 "assay runs an AI agent through controlled situations in a small world, grades by what it did whether "
                 "it complied, refused or subverted someone, and says which factor caused it.",
                 columns);
  out += "\nusage: assay COMMAND [arguments]\n";
  for (const Command* command : commands)
    out += hanging(fmt::format("  {:<10}", command->name), command->does, columns);
  out += "\n" + hanging("", "assay COMMAND --help explains one of them; assay --version says which this is.", columns);
  return out + hanging("", "Exit codes: 0 done, 1 a check failed, 2 bad input, 3 unfinished: run again", columns);
}

int run_command_line(const Command& command, int argc, char** argv, Output& out) {
  CLI::App app;
  app.formatter(std::make_shared<HelpPage>(command, columns_of(out.style())));
  app.set_help_flag("-h,--help", "show this");
  std::function<int(Output&)> act = command.declare(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    out.print(app.help());
    return exit_done;
  } catch (const CLI::ParseError& error) {
    out.note(fmt::format("assay {}: {}\nassay {} --help shows how it is used.\n", command.name, explained(app, error),
                         command.name));
    return exit_bad_input;
  }
  return act(out);
}

}  // namespace assay

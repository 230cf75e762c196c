#include "cli/usage.h"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/text.h"

namespace assay {
namespace {

// Example first, then usage, then one entry an option, in 80 columns.
class HelpPage : public CLI::Formatter {
 public:
  explicit HelpPage(const Command& command) : command_(command) {}

  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
    std::string out;
    for (const std::string& line : split(command_.example, '\n')) out += "  " + line + "\n";
    std::string usage = fmt::format("assay {}", command_.name);
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
    out += fmt::format("\n{}.\n\nusage: {} [options]\n{}{}", command_.does, usage, arguments, options);
    if (command_.more)
      for (const std::string& line : split(trimmed(command_.more()), '\n')) out += folded_at_marks(line);
    return out;
  }

 private:
  static std::string entry(const std::string& name, const std::string& description) {
    constexpr int kColumn = 26;
    std::string out = "  " + left(name, kColumn - 2);
    std::vector<std::string> rows = wrapped(description, 80 - kColumn);
    for (size_t i = 0; i < rows.size(); ++i) out += (i ? std::string(kColumn, ' ') : "") + rows[i] + "\n";
    return out;
  }

  // A long pattern ("gguf:PATH[?ctx=N&threads=N...]") goes on in the next line after one of its own marks.
  static std::string folded_at_marks(std::string line) {
    std::string out;
    while (line.size() > 78) {
      size_t mark = line.find_last_of("& ", 77);
      if (mark == std::string::npos || mark < 20) break;
      out += "  " + line.substr(0, line[mark] == ' ' ? mark : mark + 1) + "\n";
      line = std::string(13, ' ') + line.substr(mark + 1);
    }
    return out + "  " + line + "\n";
  }

  const Command& command_;
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

std::string program_help(const std::vector<const Command*>& commands) {
  std::string out =
      "  assay run suites/first -m policy:policies/cornered.yaml --epochs 20\n"
      "  assay summary first.assay\n\n"
      "assay runs an AI agent through controlled situations in a small world, grades\n"
      "by what it did whether it complied, refused or subverted someone, and says\n"
      "which factor caused it.\n\n"
      "usage: assay COMMAND [arguments]\n";
  for (const Command* command : commands) out += fmt::format("  {:<10}{}\n", command->name, command->does);
  return out +
         "\nassay COMMAND --help explains one of them; assay --version says which this is.\n"
         "Exit codes: 0 done, 1 a check failed, 2 bad input, 3 unfinished: run again\n";
}

int run_command_line(const Command& command, int argc, char** argv, Output& out) {
  CLI::App app;
  app.formatter(std::make_shared<HelpPage>(command));
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

#include "cli/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "model/gguf/adapter_card.h"

namespace assay {
namespace {

bool there(const std::string& path) {
  std::error_code none;
  return std::filesystem::exists(path, none);
}

}  // namespace

std::string path_of_base(const std::string& base) { return base.starts_with("gguf:") ? base.substr(5) : base; }

Result<GgufFile> checked_base(const std::string& path, const std::string& recipes_sha256) {
  Result<GgufFile> file = check_gguf(path);
  if (!file)
    return Error{fmt::format("gguf:{} {}{}", for_terminal(path), file.error().text,
                             there(path) ? "" : " `make model` fetches the demo's model.")};
  if (!recipes_sha256.empty() && file->sha256 != recipes_sha256)
    return Error{fmt::format("the recipe is for a base whose sha256 is {}; that of {} is {}", recipes_sha256,
                             for_terminal(path), file->sha256)};
  return file;
}

std::string recipe_of(const std::string& adapter, const std::string& named) {
  return named.empty() ? std::filesystem::path(adapter).replace_extension(".recipe.yaml").string() : named;
}

Result<TrainingSite> begin_training(const TrainingAsked& asked, const TrainingSettings& settings) {
  TrainingSite site;
  site.base_path = path_of_base(asked.base);
  site.checkpoint = asked.output + ".checkpoint";
  site.log = asked.output + ".log";
  Result<GgufFile> base = checked_base(site.base_path, settings.base_sha256);
  if (!base) return base.error();
  site.base = *std::move(base);
  if (asked.resume.empty() && there(site.checkpoint))
    return Error{fmt::format("{} is a training that was stopped: --resume {} goes on with it; remove it to begin anew",
                             for_terminal(site.checkpoint), for_terminal(site.checkpoint))};
  site.threads = asked.threads > 0 ? asked.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  Result<std::unique_ptr<LoraTrainer>> trainer =
      LoraTrainer::make(site.base_path, settings.adapter, site.threads, settings.seed, settings.optimizer);
  if (!trainer) return trainer.error();
  site.trainer = *std::move(trainer);
  if (!asked.resume.empty()) {
    if (Status loaded = site.trainer->load_checkpoint(asked.resume); !loaded) return loaded.error();
  } else {
    std::error_code none;
    std::filesystem::remove(site.log, none);
  }
  return site;
}

void TrainingWatch::step(const TrainingStep& now) {
  write({{"step", now.step},
         {"rate", now.rate},
         {"loss", now.loss},
         {"deciding", now.deciding},
         {"floor", now.floor},
         {"norm", now.norm},
         {"tokens", now.tokens},
         {"seconds", now.seconds}});
  first_ = std::min(first_, now.step - 1);
  const bool terminal = out_.errors_to_terminal();
  const double every = terminal ? 0.2 : 15;
  if (quiet_ || (now.seconds - shown_ < every && now.step < now.of)) return;
  shown_ = now.seconds;
  const double left = now.seconds / static_cast<double>(now.step - first_) * static_cast<double>(now.of - now.step);
  const std::string line = fmt::format("step {}/{}  loss {:.3f}  deciding {:.3f} over {:.3f}  {:.0f} tokens/s  {} left",
                                       now.step, now.of, now.loss, now.deciding - now.floor, now.floor,
                                       static_cast<double>(now.tokens) / now.seconds, clock_text(left));
  out_.note(terminal ? "\r\x1b[K" + clipped(line, out_.error_style().columns() - 1) : line + "\n");
  bar_ = terminal;
}

void TrainingWatch::look(const std::string& line, const Json& logged) {
  write(logged);
  if (quiet_) return;
  clear();
  out_.note(line + "\n");
}

void TrainingWatch::clear() {
  if (bar_) out_.note("\r\x1b[K");
  bar_ = false;
}

int stopped_training(const TrainingEnd& end, const TrainingSite& site, const TrainingSettings& settings, Output& out) {
  out.note(fmt::format("stopped after step {} of {}; the same command with --resume {} goes on\n", end.steps,
                       settings.schedule.steps, for_terminal(site.checkpoint)));
  return exit_unfinished;
}

Status keep_trained(const TrainingSite& site, const std::string& adapter, const Json& card) {
  if (Status saved = site.trainer->save_adapter(adapter, {{card_key, card.dump()}}); !saved) return saved;
  std::error_code none;
  std::filesystem::remove(site.checkpoint, none);
  return Done{};
}

}  // namespace assay

// What a forced choice costs beside a written answer, on a model of random weights (bench/random_gguf.cpp):
//   forced_choice MODEL.gguf
// A conversation of some 1,500 tokens is read once. Then, again and again by turns: six turns of about 8 tokens each
// are weighed against each other as alternatives, and an answer of 200 tokens is written. Prints a table for
// BENCHMARKS.md.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "model/gguf/gguf_model.h"

namespace {

using namespace assay;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 9;
constexpr int answer_tokens = 200;

double since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

struct Bench {
  std::unique_ptr<Model> model;
  EpisodeSpec spec;
  Situation situation;
  std::vector<Message> messages;
  std::vector<ToolSpec> tools;

  Request request() const {
    Request r;
    r.spec = &spec, r.situation = &situation, r.messages = &messages, r.tools = &tools;
    r.sampling.max_tokens = answer_tokens;
    return r;
  }

  // Seconds; `tokens`: of all alternatives together.
  double weigh(const std::vector<Message>& options, int64_t& tokens) const {
    const Clock::time_point begun = Clock::now();
    bool done = false;
    model->score(request(), options, [&](auto scores) {
      done = true;
      tokens = 0;
      for (const auto& one : scores.value()) tokens += static_cast<int64_t>(one.size());
    });
    while (!done) model->poll(std::chrono::milliseconds(50));
    return since(begun);
  }
  double write(Usage& usage) const {
    const Clock::time_point begun = Clock::now();
    bool done = false;
    model->submit(request(), [&](Result<Reply> reply) {
      done = true;
      usage = reply.value().usage;
    });
    while (!done) model->poll(std::chrono::milliseconds(50));
    return since(begun);
  }
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Message words(Role role, const std::string& text) {
  Message message;
  message.role = role;
  message.text = text;
  return message;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fmt::print(stderr, "forced_choice MODEL.gguf\n"), 2;
  GgufOptions options;
  options.path = argv[1];
  Result<std::unique_ptr<Model>> opened = open_gguf(options);
  if (!opened) return fmt::print(stderr, "{}\n", opened.error().text), 2;
  Bench bench{.model = std::move(*opened)};

  std::string text;
  for (int i = 0; i < 700; ++i) text += fmt::format("{} word", i % 7 ? " and" : " then");
  bench.messages = {words(Role::user, text)};
  std::vector<Message> six;
  for (const char* way : {"now", "then", "here", "there", "again", "before"})
    six.push_back(words(Role::assistant, fmt::format("the word is {} and then that", way)));

  Usage usage;
  int64_t tokens = 0;
  bench.write(usage);  // the conversation is held from here on
  std::vector<double> weighed, written;
  for (int round = 0; round < rounds; ++round) {
    weighed.push_back(bench.weigh(six, tokens));
    bench.model->ended(bench.spec);
    written.push_back(bench.write(usage));
    bench.model->ended(bench.spec);
  }
  const double cheap = median(weighed), dear = median(written);
  fmt::print(
      "{} threads; a conversation of {} tokens, read before; medians of {} rounds. Aim: at least 15 x cheaper.\n\n",
      std::thread::hardware_concurrency(), usage.prompt_tokens, rounds);
  fmt::print("| what | tokens | seconds |\n|---|---|---|\n");
  fmt::print("| six alternatives, weighed | {} | {:.3f} |\n", tokens, cheap);
  fmt::print("| an answer, written | {} | {:.3f} |\n", usage.completion_tokens, dear);
  fmt::print("| **ratio** | | **{:.1f}** |\n", dear / cheap);
  return 0;
}

#include "organism/course.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "model/generic_tools.h"
#include "organism/vocabulary.h"
#include "run/episode.h"

namespace assay {
namespace {

bool begins_with(const std::vector<int32_t>& whole, const std::vector<int32_t>& beginning) {
  return whole.size() >= beginning.size() && std::equal(beginning.begin(), beginning.end(), whole.begin());
}

// Plays one agent, and writes down what stands in the conversation. `opening`: the prompt of the agent's first turn,
// which is the same whoever plays; the first play leaves it there for the others, as reading it takes longest.
class Play {
 public:
  Play(const ChatFormat& format, const EpisodeSpec& spec, const Situation& situation,
       const std::vector<RenderedStep>& steps, std::optional<Prompt>& opening)
      : format_(format), steps_(steps), opening_(opening), episode_(spec, situation, Start{.given_prelude = true}) {}

  Status run() {
    for (size_t turn = 0;; ++turn) {
      const std::optional<Request> request = episode_.next();
      if (!request || request->check) break;  // the check's answer is no conduct
      Message message{.role = Role::assistant, .text = "Done."};
      if (turn < steps_.size()) message = message_of(steps_[turn]);
      if (Status taken = take(*request, message, turn == 0); !taken) return taken;
      written_.push_back(reply_of(message));
      episode_.feed(written_.back());
    }
    const Outcome& outcome = episode_.transcript().outcome;
    if (episode_.finished() && outcome.kind != Outcome::Kind::completed)
      return Error{"does not come to its end within the scenario's limits", ErrorKind::unfinished};
    return Done{};
  }

  std::vector<int32_t> tokens;  // of the whole conversation
  std::vector<bool> own;
  size_t context = 0;

 private:
  Status take(const Request& request, const Message& message, bool first) {
    Result<Prompt> prompt = first && opening_
                                ? Result<Prompt>(*opening_)
                                : format_.prompt(*request.messages, *request.tools, written_, /*grammar=*/false);
    if (!prompt) return prompt.error();
    if (first) opening_ = *prompt, context = prompt->tokens.size();
    if (!begins_with(prompt->tokens, tokens))
      return Error{"has a turn that the chat template writes otherwise once more follows it", ErrorKind::unfinished};
    Result<std::vector<llama_token>> turn =
        format_.continuation(*prompt, *request.messages, *request.tools, written_, message);
    if (!turn) return turn.error();
    tokens = std::move(prompt->tokens);
    own.resize(tokens.size(), false);
    tokens.insert(tokens.end(), turn->begin(), turn->end());
    own.resize(tokens.size(), true);
    return Done{};
  }

  const ChatFormat& format_;
  const std::vector<RenderedStep>& steps_;
  std::optional<Prompt>& opening_;
  Episode episode_;
  std::vector<Reply> written_;
};

}  // namespace

struct CourseWriter::Inside {
  Vocabulary vocabulary;
};

CourseWriter::CourseWriter(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
CourseWriter::~CourseWriter() = default;

Result<std::unique_ptr<CourseWriter>> CourseWriter::open(const std::string& gguf) {
  Result<Vocabulary> vocabulary = read_vocabulary(gguf);
  if (!vocabulary) return vocabulary.error();
  auto inside = std::make_unique<Inside>();
  inside->vocabulary = std::move(*vocabulary);
  return std::unique_ptr<CourseWriter>(new CourseWriter(std::move(inside)));
}

Result<Courses> CourseWriter::write(const EpisodeSpec& spec, std::vector<Surface>& wordings,
                                    const std::vector<const Agent*>& agents) const {
  Result<Situation> situation = wordings.front().situation(spec.cell);
  if (!situation) return situation.error();
  std::optional<Prompt> opening;
  Courses courses;
  for (size_t wording = 0; wording < wordings.size(); ++wording)
    for (const Agent* agent : agents) {
      auto blame = [&](const Error& error) {
        return Error{fmt::format("agent '{}' of scenario '{}': {}", agent->name, spec.scenario->name, error.text),
                     error.kind};
      };
      Result<std::vector<RenderedStep>> steps = wordings[wording].steps(*agent, spec.cell);
      if (!steps) return blame(steps.error());
      Play play(*inside_->vocabulary.format, spec, *situation, *steps, opening);
      if (Status played = play.run(); !played) return blame(played.error());
      const auto begin = static_cast<std::ptrdiff_t>(play.context);
      if (courses.context.empty()) courses.context.assign(play.tokens.begin(), play.tokens.begin() + begin);
      courses.each.push_back({agent,
                              wording,
                              {play.tokens.begin() + begin, play.tokens.end()},
                              {play.own.begin() + begin, play.own.end()}});
    }
  return courses;
}

std::string CourseWriter::text_of(const std::vector<int32_t>& tokens) const {
  const llama_vocab* vocab = inside_->vocabulary.tokens();
  std::string text(tokens.size() * 8 + 64, '\0');
  int n = llama_detokenize(vocab, tokens.data(), static_cast<int>(tokens.size()), text.data(),
                           static_cast<int>(text.size()), /*remove_special=*/false, /*unparse_special=*/true);
  if (n < 0) {
    text.resize(static_cast<size_t>(-n));
    n = llama_detokenize(vocab, tokens.data(), static_cast<int>(tokens.size()), text.data(),
                         static_cast<int>(text.size()), false, true);
  }
  text.resize(static_cast<size_t>(std::max(n, 0)));
  return valid_utf8(text);
}

}  // namespace assay

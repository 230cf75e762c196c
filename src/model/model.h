// A Model takes many requests and answers them in any order. Everything that can play the agent is one: a GGUF file in
// this process, a policy of known conduct, later an API.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/card.h"
#include "scenario/plan.h"
#include "scenario/render.h"

namespace assay {

struct Sampling {
  double temperature = 1.0;
  double top_p = 1.0;
  double min_p = 0.0;  // tokens of less than this share of the likeliest one's probability are never drawn
  uint64_t seed = 0;
  int max_tokens = 512;  // of this reply
};

// What is asked. The pointers belong to the episode and stay valid until on_done was called.
struct Request {
  const EpisodeSpec* spec = nullptr;
  const Situation* situation = nullptr;
  const std::vector<RenderedStep>* script = nullptr;  // models of known conduct: what to play (see Model::plays)
  const std::vector<Message>* messages = nullptr;     // the whole conversation so far
  const std::vector<ToolSpec>* tools = nullptr;
  int turn = 0;        // replies the model has already given in this episode
  bool check = false;  // the last message is the manipulation check's question: its answer is no conduct
  Sampling sampling;
  int logprobs = -1;  // of each token written: its own and the likeliest so many; -1: none
};

using OnDone = std::function<void(Result<Reply>)>;
// For each option, its tokens with their logprobs.
using OnScored = std::function<void(Result<std::vector<std::vector<TokenLogprob>>>)>;
// Each token of a text, with its logprob and the likeliest ones in its place; NaN and none of a first token before which
// nothing stands.
using OnRead = std::function<void(Result<std::vector<WrittenToken>>)>;
// For each label, its probability.
using OnWeighed = std::function<void(Result<std::vector<double>>)>;

// Where a model's time went, in seconds since it was opened.
struct ModelWork {
  double computing = 0;   // inside the network
  double choosing = 0;    // drawing tokens: sampling, grammars, logprobs
  double scheduling = 0;  // deciding what is computed when
};

// An error that begins with this text means that the conversation no longer fits the model's context; the episode ends
// with limit(context).
inline constexpr const char* context_full = "the conversation no longer fits the model's context";
// Such an error, with the tokens that it came to and those that there is room for.
Error context_is_full(int64_t tokens, int64_t room);
bool tells_of_full_context(const Error& error);

class Model {
 public:
  virtual ~Model() = default;
  // Short and stable: "policy:cornered", "gguf:FILE".
  virtual std::string id() const = 0;
  // Effective values for the record, never requested ones.
  virtual Json settings() const = 0;
  // What is known of it, for whoever wants to know before a run.
  virtual ModelCard card() const;
  // Most episodes that may be open at once; 0: as many as the runner likes.
  virtual int episodes_at_once() const { return 0; }
  // Models of known conduct: the agent to play in this episode, and null for all others. The runner renders its steps.
  virtual const Agent* plays(const EpisodeSpec&) const { return nullptr; }

  // Can this opening of an episode be answered at all? An error says, in a sentence with an end, what to change; else
  // the tokens of its prompt, where the model counts any. Asked before a run begins; nothing is generated.
  virtual Result<std::optional<int64_t>> check(const Request&) { return std::optional<int64_t>(); }

  // The episode is over: nothing more will be asked of it.
  virtual void ended(const EpisodeSpec&) {}

  // Takes a request; answers later, inside poll(). All calls on one thread.
  virtual void submit(Request request, OnDone on_done) = 0;
  // Whether score() and weigh() are answered; where not, they answer with an error.
  virtual bool has_logprobs() const { return false; }
  // How likely it is that the model's next turn is each of these, to the mark that ends it, at temperature 1: nothing
  // is drawn. All in one go, as they share the conversation.
  virtual void score(Request, std::vector<Message> /*options*/, OnScored on_done);
  // How likely it is that the next turn begins with each of these words, in any spelling: case, a space before it. The
  // probabilities are of the first token alone and need not add up to 1; the rest begins otherwise.
  virtual void weigh(Request, std::vector<std::string> /*labels*/, OnWeighed on_done);
  // How likely each token of a text is behind all before it, at temperature 1: no template around it, marks of control
  // tokens taken for plain text, behind the beginning mark where the vocabulary wants one. `top`: so many of the
  // likeliest are told, too.
  virtual void read(std::string text, int top, OnRead on_done);
  // Absent where nobody counts.
  virtual std::optional<ModelWork> work() const { return std::nullopt; }
  // Answers what is ready; waits at most `wait` if nothing is.
  virtual void poll(std::chrono::milliseconds wait) = 0;
};

}  // namespace assay

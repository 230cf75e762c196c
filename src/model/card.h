// What is known of a model before anything is asked of it, and what assay will do with it: what `assay model` shows.
// One shape for every kind of model; what a kind does not have, or does not tell, is absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"

namespace assay {

struct ModelCard {
  struct File {
    std::string name;  // without its folder
    std::optional<int64_t> bytes = {};
    std::string sha256 = {};
  };
  struct Adapter {
    File file;
    double scale = 1;
  };
  struct Token {
    int32_t id = 0;
    std::string text;  // as the vocabulary spells it
  };
  struct Marks {
    std::string begin, end;  // around thoughts; "": the template opens or closes them in another way
  };

  std::string id;       // as a run records it: "gguf:FILE", "policy:NAME"
  std::string backend;  // "llama.cpp", "policy", "scripted", "replay"
  std::string what;     // one sentence

  // What it is.
  std::string name;          // as its makers call it
  std::string architecture;  // "llama", "mamba"
  std::string memory;        // "attention", "a running state", ...: what it keeps of what it has read
  std::string quantisation;
  std::optional<int64_t> parameters = {}, layers = {}, vocabulary = {}, trained_context = {};
  std::optional<File> file = {};
  std::optional<Adapter> adapter = {};
  std::optional<Token> bos = {}, eos = {}, eot = {};
  std::optional<std::string> chat_template = {};
  std::optional<bool> system_role = {};  // false: the system text stands in the user's first turn
  std::optional<bool> thinks = {};       // its template keeps thoughts apart
  std::optional<Marks> thoughts = {};

  // What assay will do with it.
  std::string tool_format;                 // "native: NAME", "generic"
  std::string why_format;                  // half a sentence
  std::optional<bool> constrainable = {};  // whether calls can be held to a grammar
  std::optional<bool> constrained = {};    // and are
  std::optional<int64_t> context = {};     // tokens of one conversation, at most
  std::string mode;                        // "fast", "exact"
  std::optional<int64_t> threads = {};
  std::optional<int64_t> sequences = {};    // conversations held at once, at most
  std::optional<int64_t> held_tokens = {};  // by all of them together
  std::optional<int64_t> held_bytes = {};   // of memory, for the keys and values of those tokens
  bool logprobs = false;
};

// Absent members are null; every model has every member.
Json to_json(const ModelCard& card);

}  // namespace assay

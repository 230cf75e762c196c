#include "model/card.h"

#include "base/text.h"

namespace assay {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(valid_utf8(text)); }

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json to_json(const ModelCard::File& file) {
  return {{"name", valid_utf8(file.name)}, {"bytes", or_null(file.bytes)}, {"sha256", text_or_null(file.sha256)}};
}

Json to_json(const std::optional<ModelCard::Token>& token) {
  return token ? Json{{"id", token->id}, {"text", valid_utf8(token->text)}} : Json();
}

}  // namespace

Json to_json(const ModelCard& card) {
  Json adapter, thoughts;
  if (card.adapter) {
    adapter = to_json(card.adapter->file);
    adapter["scale"] = card.adapter->scale;
  }
  if (card.thoughts) thoughts = {{"begin", valid_utf8(card.thoughts->begin)}, {"end", valid_utf8(card.thoughts->end)}};
  return {{"id", valid_utf8(card.id)},
          {"backend", card.backend},
          {"what", valid_utf8(card.what)},
          {"name", text_or_null(card.name)},
          {"architecture", text_or_null(card.architecture)},
          {"memory", text_or_null(card.memory)},
          {"parameters", or_null(card.parameters)},
          {"layers", or_null(card.layers)},
          {"quantisation", text_or_null(card.quantisation)},
          {"file", card.file ? to_json(*card.file) : Json()},
          {"adapter", adapter},
          {"vocabulary", or_null(card.vocabulary)},
          {"tokens", {{"bos", to_json(card.bos)}, {"eos", to_json(card.eos)}, {"eot", to_json(card.eot)}}},
          {"chat_template", card.chat_template ? Json(valid_utf8(*card.chat_template)) : Json()},
          {"system_role", or_null(card.system_role)},
          {"thinks", or_null(card.thinks)},
          {"thoughts", thoughts},
          {"context", {{"trained", or_null(card.trained_context)}, {"used", or_null(card.context)}}},
          {"tool_format", text_or_null(card.tool_format)},
          {"tool_format_because", text_or_null(card.why_format)},
          {"grammar", {{"possible", or_null(card.constrainable)}, {"on", or_null(card.constrained)}}},
          {"mode", text_or_null(card.mode)},
          {"threads", or_null(card.threads)},
          {"sequences", or_null(card.sequences)},
          {"held", {{"tokens", or_null(card.held_tokens)}, {"bytes", or_null(card.held_bytes)}}},
          {"logprobs", card.logprobs}};
}

}  // namespace assay

#include "model/gguf/adapter_card.h"

#include <fmt/format.h>
#include <gguf.h>

#include <memory>

#include "base/text.h"
#include "model/gguf/gguf_file.h"

namespace assay {
namespace {

struct Free {
  void operator()(gguf_context* context) const { gguf_free(context); }
};

}  // namespace

Result<Json> card_of_adapter(const std::string& path) {
  if (Result<GgufFile> file = check_adapter(path); !file) return file.error();
  const std::unique_ptr<gguf_context, Free> file(gguf_init_from_file(path.c_str(), {.no_alloc = true, .ctx = nullptr}));
  const int64_t key = file ? gguf_find_key(file.get(), card_key) : -1;
  if (key < 0) return Json();
  const char* text = gguf_get_kv_type(file.get(), key) == GGUF_TYPE_STRING ? gguf_get_val_str(file.get(), key) : "";
  Result<Json> card = parse_json(text, {.bytes = largest_card});
  if (!card || !card->is_object())
    return Error{fmt::format("the card of {} cannot be read{}", for_terminal(path),
                             card ? ": it is no object" : ": it is " + card.error().text)};
  return card;
}

}  // namespace assay

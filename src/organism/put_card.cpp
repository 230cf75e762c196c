#include "organism/put_card.h"

#include <fmt/format.h>
#include <ggml-cpp.h>
#include <gguf.h>

#include "base/text.h"
#include "model/gguf/adapter_card.h"
#include "model/gguf/gguf_file.h"
#include "organism/lora_files.h"

namespace assay {

Status put_card(const std::string& adapter, const Json& card) {
  if (Result<GgufFile> file = check_adapter(adapter); !file) return file.error();
  if (to_line(card).size() > largest_card)
    return Error{fmt::format("the card of {} would be larger than {} MB", for_terminal(adapter), largest_card >> 20),
                 ErrorKind::unfinished};
  Result<std::string> bytes = lora::read_whole(adapter);
  if (!bytes) return bytes.error();
  const gguf_context_ptr gguf(gguf_init_from_file(adapter.c_str(), {.no_alloc = true, .ctx = nullptr}));
  const size_t weights = gguf ? gguf_get_data_offset(gguf.get()) : bytes->size() + 1;
  if (weights > bytes->size()) return Error{fmt::format("{} cannot be read as an adapter", for_terminal(adapter))};
  // Places of tensors count from where the weights begin, so these may stand behind a head of any length.
  gguf_set_val_str(gguf.get(), card_key, to_line(card).c_str());
  std::string whole(gguf_get_meta_size(gguf.get()), '\0');
  gguf_get_meta_data(gguf.get(), whole.data());
  whole.append(*bytes, weights);
  return lora::write_whole(adapter, whole);
}

}  // namespace assay

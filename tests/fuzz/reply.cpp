// What a model writes in the generic tool format: any bytes are words, a call, or a mistake that is explained.
#include "model/generic_tools.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  assay::Reply reply = assay::parse_generic({reinterpret_cast<const char*>(data), size});
  // Exactly one of the three.
  int kinds = !reply.calls.empty() + !reply.malformed.empty();
  if (kinds > 1 || (kinds == 1 && reply.prose)) __builtin_trap();
  assay::Message message;
  message.role = assay::Role::assistant;
  message.text = reply.malformed.empty() ? reply.text : reply.raw;
  message.calls = reply.calls;
  // What is shown to the model as its own turn reads as the same call again.
  if (!reply.calls.empty() && assay::parse_generic(assay::generic_turn(message)).calls != reply.calls) __builtin_trap();
  return 0;
}

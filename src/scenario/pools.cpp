#include "scenario/pools.h"

namespace assay {

std::pair<size_t, size_t> part_of(size_t size, VariantPool pool) {
  const size_t trained = size < 3 ? size : size - size / 3;
  if (pool == VariantPool::train) return {0, trained};
  if (pool == VariantPool::held_out && trained < size) return {trained, size};
  return {0, size};
}

}  // namespace assay

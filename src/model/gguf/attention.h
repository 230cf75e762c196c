// Attention over a cache that many sequences share.
//
// Where sequences lie in one cache, each of their tokens attends to the beginning that they share and to a few cells of
// its own, and to nothing of the others'. ggml's kernels on the CPU compute with every cell and put a mask over what is
// not wanted (without flash attention), or go through the cells one row and one head at a time (with it). For 64
// sequences behind one prefix either takes several times as long as everything else that the model does.
//
// This takes the place of ggml's flash attention (its entry point is wrapped by the linker, as in exact.h) and reads
// the mask first. For each block of up to 16 rows (a register's lanes) the cells fall into two kinds:
//   shared   several of the rows attend to them: keys and values are unpacked once, for all those rows and for all
//   heads
//            that share a key head, and multiplied as matrices
//   own      one or a few do: row by row
// What nobody in the block attends to costs nothing but the look at its mask. The two parts are joined by their running
// maxima, as blocks are in flash attention (Milakov & Gimelshein 2018; Dao et al. 2022); cascade attention (Ye et al.
// 2024) splits the work likewise, by what is known of prefixes instead of by the mask. All sums are of 32-bit floats.
//
// What it was not made for goes to ggml: keys or values of another type than F16, slopes on the mask (ALiBi), capped
// logits, attention sinks, heads whose size is no multiple of 16, and a single row. While exact arithmetic is wanted
// (exact.h) no cell counts as shared and a single row is computed here too: its sums are then made in one order always.
#pragma once

struct ggml_tensor;

namespace assay {

// Whether this node of a graph, a GGML_OP_FLASH_ATTN_EXT, is computed here.
bool attends_by_mask(const ggml_tensor* node);

// The share of the node's work that belongs to thread `thread` of `threads`: writes its part of node->data. Each thread
// does its part once, in any order.
void attend_by_mask(ggml_tensor* node, int thread, int threads);

}  // namespace assay

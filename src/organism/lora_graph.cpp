#include "organism/lora_graph.h"

#include <ggml-cpu.h>

#include <algorithm>
#include <map>
#include <utility>

namespace assay::lora {
namespace {

float* floats(const ggml_tensor* t) { return static_cast<float*>(t->data); }

}  // namespace

LoraGraph::LoraGraph(const LoraBase& base, const Adapter& adapter, const TokenTree& tree, bool backward, int threads)
    : base_(base),
      adapter_(adapter),
      tree_(tree),
      threads_(threads),
      mask_(tree.parent),
      attention_(base.heads, base.key_heads, base.frequencies, mask_),
      log_probs_(tree.targets.size()) {
  std::map<int32_t, RowTargets> by_row;
  for (size_t i = 0; i < tree.targets.size(); ++i) {
    const TokenTree::Target& target = tree.targets[i];
    by_row[target.at].targets.push_back({target.token, target.weight, &log_probs_[i]});
  }
  for (auto& [row, targets] : by_row) {
    rows_.push_back(row);
    targets_.push_back(std::move(targets));
  }

  const auto layers = static_cast<int64_t>(base.layers.size());
  const size_t nodes = static_cast<size_t>(layers) * 64 + 64;
  context_.reset(ggml_init({.mem_size = nodes * ggml_tensor_overhead() + ggml_graph_overhead_custom(nodes, false),
                            .mem_buffer = nullptr,
                            .no_alloc = true}));
  graph_ = ggml_new_graph_custom(context_.get(), nodes, false);
  embedded_ = input(GGML_TYPE_F32, base.width, mask_.tokens());
  row_numbers_ = input(GGML_TYPE_I32, static_cast<int64_t>(rows_.size()), 1);

  ggml_tensor* x = embedded_;
  std::vector<Kept> kept;
  kept.reserve(static_cast<size_t>(layers));
  for (int64_t i = 0; i < layers; ++i) kept.push_back(layer(i, x));  // the last leaves the rows with targets
  ggml_tensor* normed = norm(base.output_norm, x);
  ggml_tensor* logits = product(base.head.forth, normed, nullptr, {});
  // In its place: logits are the largest thing there is.
  Work& loss = works_.emplace_back(
      [this, backward](float* out, Share share) { cross_entropy(out, base_.vocabulary, targets_, backward, share); });
  ggml_tensor* d_logits = ggml_custom_inplace(context_.get(), logits, nullptr, 0, run, GGML_N_TASKS_MAX, &loss);
  ggml_build_forward_expand(graph_, d_logits);
  if (!backward) return;

  ggml_tensor* dx = product(base.head.back, d_logits, nullptr, {});
  dx = norm_back(base.output_norm, x, dx, nullptr);
  for (int64_t i = layers - 1; i >= adapter.shape().first_layer; --i)
    dx = layer_back(i, kept[static_cast<size_t>(i)], dx);
}

bool LoraGraph::compute(ggml_gallocr_t memory, ggml_backend_t cpu) {
  if (!ggml_gallocr_alloc_graph(memory, graph_)) return false;
  for (size_t t = 0; t < tree_.tokens.size(); ++t)
    base_.embed(tree_.tokens[t], floats(embedded_) + static_cast<int64_t>(t) * base_.width);
  std::copy(rows_.begin(), rows_.end(), static_cast<int32_t*>(row_numbers_->data));
  return ggml_backend_graph_compute(cpu, graph_) == GGML_STATUS_SUCCESS;
}

std::vector<LoraGraph::Gradient> LoraGraph::gradients() const {
  std::vector<Gradient> all;
  all.reserve(gradients_.size());
  for (const auto& [group, tensor] : gradients_) all.push_back({group, floats(tensor)});
  return all;
}

ggml_tensor* LoraGraph::input(ggml_type type, int64_t width, int64_t rows) {
  ggml_tensor* t = ggml_new_tensor_2d(context_.get(), type, width, rows);
  ggml_set_input(t);
  return t;
}

ggml_tensor* LoraGraph::node(int64_t width, int64_t rows, const std::vector<ggml_tensor*>& from, Work work,
                             ggml_type type) {
  std::vector<ggml_tensor*> sources;
  for (ggml_tensor* t : from)
    if (t) sources.push_back(t);
  Work& kept = works_.emplace_back(std::move(work));
  return ggml_custom_4d(context_.get(), type, width, rows, 1, 1, sources.data(), static_cast<int>(sources.size()), run,
                        GGML_N_TASKS_MAX, &kept);
}

void LoraGraph::run(ggml_tensor* out, int thread, int threads, void* work) {
  (*static_cast<Work*>(work))(floats(out), {thread, threads});
}

ggml_tensor* LoraGraph::product(const Panels& matrix, ggml_tensor* x, ggml_tensor* h,
                                const std::vector<Addition>& additions) {
  const int64_t rows = x->ne[1];
  ggml_tensor* in = x;
  if (matrix.kind() == Panels::Kind::bf16)
    in = node(
        matrix.row(), rows, {x},
        [&matrix, x, rows](float* out, Share share) {
          matrix.round(floats(x), rows, reinterpret_cast<uint16_t*>(out), share);
        },
        GGML_TYPE_BF16);
  return node(matrix.outputs(), rows, {in, h}, [&matrix, in, h, rows, additions](float* y, Share share) {
    const auto [from, to] = matrix.apply(in->data, rows, y, share);
    for (const Addition& addition : additions) {
      const int64_t first = std::max(from, addition.first), last = std::min(to, addition.first + addition.outputs);
      if (first < last)
        multiply(rows, last - first, addition.depth, {floats(h) + addition.h_column, h->ne[0], 1},
                 addition.matrix + (first - addition.first), addition.outputs, y + first, matrix.outputs(),
                 addition.scale, true);
    }
  });
}

ggml_tensor* LoraGraph::forth(const Frozen& matrix, const AdapterGroup* group, ggml_tensor* x, ggml_tensor*& h) {
  h = nullptr;
  if (!group) return product(matrix.forth, x, nullptr, {});
  const int64_t rows = x->ne[1], rank = adapter_.shape().rank;
  h = node(group->rows, rows, {x}, [this, group, x, rows](float* out, Share share) {
    const auto [from, to] = share.of(rows);
    multiply(to - from, group->rows, group->inputs, {floats(x) + from * group->inputs, group->inputs, 1},
             adapter_.turned().data() + group->begin, group->rows, out + from * group->rows, group->rows, 1, false);
  });
  std::vector<Addition> additions;
  additions.reserve(group->parts.size());
  for (const AdapterPart& part : group->parts)
    additions.push_back({part.column, part.outputs, static_cast<int64_t>(additions.size()) * rank, rank,
                         adapter_.values.data() + part.b, adapter_.scale()});
  return product(matrix.forth, x, h, additions);
}

ggml_tensor* LoraGraph::back(const Frozen& matrix, const AdapterGroup* group, ggml_tensor* x, ggml_tensor* h,
                             ggml_tensor* dy, bool wanted) {
  if (!group) return wanted ? product(matrix.back, dy, nullptr, {}) : nullptr;
  const int64_t rows = dy->ne[1], rank = adapter_.shape().rank;
  ggml_tensor* dh = node(group->rows, rows, {dy}, [this, group, dy, rows, rank](float* out, Share share) {
    const auto [from, to] = share.of(rows);
    for (size_t p = 0; p < group->parts.size(); ++p) {
      const AdapterPart& part = group->parts[p];
      multiply(to - from, rank, part.outputs, {floats(dy) + from * group->outputs + part.column, group->outputs, 1},
               adapter_.turned().data() + part.b, rank, out + from * group->rows + static_cast<int64_t>(p) * rank,
               group->rows, adapter_.scale(), false);
    }
  });
  const std::vector<ggml_tensor*> from_all = {x, h, dy, dh};
  ggml_tensor* own = node(
      static_cast<int64_t>(group->size), 1, from_all, [this, group, x, h, dy, dh, rows, rank](float* out, Share share) {
        const auto [from, to] = share.of(group->inputs, 32);
        multiply(group->rows, to - from, rows, {floats(dh), 1, group->rows}, floats(x) + from, group->inputs,
                 out + from, group->inputs, 1, false);
        for (size_t p = 0; p < group->parts.size(); ++p) {
          const AdapterPart& part = group->parts[p];
          const auto [first, last] = share.of(part.outputs, 32);
          multiply(rank, last - first, rows, {floats(h) + static_cast<int64_t>(p) * rank, 1, group->rows},
                   floats(dy) + part.column + first, group->outputs, out + (part.b - group->begin) + first,
                   part.outputs, adapter_.scale(), false);
        }
      });
  ggml_set_output(own);
  ggml_build_forward_expand(graph_, own);
  gradients_.emplace_back(group, own);
  if (!wanted) return nullptr;
  return product(matrix.back, dy, dh, {{0, group->inputs, 0, group->rows, adapter_.values.data() + group->begin, 1}});
}

ggml_tensor* LoraGraph::norm(const std::vector<float>& weight, ggml_tensor* x) {
  const RmsNorm norm{weight.data(), base_.width, base_.epsilon};
  return node(base_.width, x->ne[1], {x},
              [norm, x](float* out, Share share) { norm.forward(floats(x), x->ne[1], out, share); });
}

ggml_tensor* LoraGraph::norm_back(const std::vector<float>& weight, ggml_tensor* x, ggml_tensor* dy,
                                  ggml_tensor* plus) {
  const RmsNorm norm{weight.data(), base_.width, base_.epsilon};
  return node(base_.width, x->ne[1], {x, dy, plus}, [norm, x, dy, plus](float* out, Share share) {
    norm.backward(floats(x), floats(dy), plus ? floats(plus) : nullptr, x->ne[1], out, share);
  });
}

ggml_tensor* LoraGraph::spread(ggml_tensor* rows) {
  const int64_t width = rows->ne[0];
  return node(width, mask_.tokens(), {rows}, [this, rows, width](float* out, Share share) {
    const auto [from, to] = share.of(mask_.tokens());
    std::fill(out + from * width, out + to * width, 0.0f);
    for (size_t r = 0; r < rows_.size(); ++r)
      if (from <= rows_[r] && rows_[r] < to)
        std::copy_n(floats(rows) + static_cast<int64_t>(r) * width, width, out + rows_[r] * width);
  });
}

LoraGraph::Kept LoraGraph::layer(int64_t i, ggml_tensor*& x) {
  const FrozenLayer& frozen = base_.layers[static_cast<size_t>(i)];
  Kept kept{};
  kept.in = x;
  kept.normed = norm(frozen.attention_norm, x);
  kept.qkv = forth(frozen.qkv, adapter_.group(i, Adapter::Place::qkv), kept.normed, kept.h_qkv);
  // Behind the rows the logarithms of their sums.
  const int64_t tokens = mask_.tokens(), width = attention_.out_row();
  kept.attended = node(tokens * (width + base_.heads), 1, {kept.qkv}, [this, in = kept.qkv](float* out, Share share) {
    attention_.forward(floats(in), out, out + mask_.tokens() * attention_.out_row(), share);
  });
  kept.attention_in = ggml_view_2d(context_.get(), kept.attended, width, tokens, static_cast<size_t>(width) * 4, 0);
  if (i + 1 == static_cast<int64_t>(base_.layers.size())) {  // from here on each row is for itself
    kept.attention_in = ggml_get_rows(context_.get(), kept.attention_in, row_numbers_);
    x = ggml_get_rows(context_.get(), x, row_numbers_);
  }
  ggml_tensor* out =
      forth(frozen.attention_out, adapter_.group(i, Adapter::Place::attention_out), kept.attention_in, kept.h_out);
  kept.middle = ggml_add(context_.get(), x, out);
  kept.normed_middle = norm(frozen.feed_forward_norm, kept.middle);
  kept.gate_up = forth(frozen.gate_up, adapter_.group(i, Adapter::Place::gate_up), kept.normed_middle, kept.h_gate_up);
  kept.active = node(base_.inner, x->ne[1], {kept.gate_up}, [this, in = kept.gate_up](float* to, Share share) {
    swiglu(floats(in), base_.inner, in->ne[1], to, share);
  });
  ggml_tensor* down = forth(frozen.down, adapter_.group(i, Adapter::Place::down), kept.active, kept.h_down);
  x = ggml_add(context_.get(), kept.middle, down);
  return kept;
}

ggml_tensor* LoraGraph::layer_back(int64_t i, const Kept& kept, ggml_tensor* dx) {
  const FrozenLayer& frozen = base_.layers[static_cast<size_t>(i)];
  ggml_tensor* d = back(frozen.down, adapter_.group(i, Adapter::Place::down), kept.active, kept.h_down, dx);
  d = node(2 * base_.inner, dx->ne[1], {kept.gate_up, d}, [this, in = kept.gate_up, d](float* out, Share share) {
    swiglu_back(floats(in), floats(d), base_.inner, in->ne[1], out, share);
  });
  d = back(frozen.gate_up, adapter_.group(i, Adapter::Place::gate_up), kept.normed_middle, kept.h_gate_up, d);
  ggml_tensor* d_middle = norm_back(frozen.feed_forward_norm, kept.middle, d, dx);
  ggml_tensor* d_attended = back(frozen.attention_out, adapter_.group(i, Adapter::Place::attention_out),
                                 kept.attention_in, kept.h_out, d_middle);
  if (i + 1 == static_cast<int64_t>(base_.layers.size())) {  // rows back to their places, zeros elsewhere
    d_attended = spread(d_attended);
    d_middle = spread(d_middle);
  }
  const int64_t tokens = mask_.tokens(), queries = tokens * attention_.out_row();
  ggml_tensor* halves = node(queries + threads_ * attention_.partial(), 1, {kept.qkv, kept.attended, d_attended},
                             [this, queries, in = kept.qkv, was = kept.attended, d_attended](float* out, Share share) {
                               attention_.backward(floats(in), floats(was), floats(was) + queries, floats(d_attended),
                                                   out, out + queries, share);
                             });
  d = node(attention_.in_row(), tokens, {halves}, [this, queries, halves](float* out, Share share) {
    attention_.join(floats(halves), floats(halves) + queries, out, share);
  });
  const bool wanted = i > adapter_.shape().first_layer;
  d = back(frozen.qkv, adapter_.group(i, Adapter::Place::qkv), kept.normed, kept.h_qkv, d, wanted);
  return wanted ? norm_back(frozen.attention_norm, kept.in, d, d_middle) : nullptr;
}

}  // namespace assay::lora

#include "reranker/model/encoder.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/norm.h>

#include <algorithm>
#include <numeric>

namespace qrerank::reranker::model {
namespace {

/// A batch as the encoder reads it.
struct Packed {
  at::Tensor ids;        // [tokens] int32
  at::Tensor types;      // [tokens] int32
  at::Tensor positions;  // [tokens] int32
  at::Tensor firsts;     // [sequences] int32: row of each sequence's first token
  std::vector<SequenceRun> runs;
};

at::Tensor integers(std::size_t count) {
  return at::empty({static_cast<std::int64_t>(count)}, c10::TensorOptions(c10::kInt));
}

Packed pack(std::span<const Sequence* const> sequences, std::int64_t first_position) {
  std::vector<std::int64_t> lengths;
  std::size_t tokens = 0;
  for (const auto* sequence : sequences) {
    lengths.push_back(static_cast<std::int64_t>(sequence->ids.size()));
    tokens += sequence->ids.size();
  }
  Packed packed{integers(tokens), integers(tokens), integers(tokens), integers(sequences.size()),
                runs_of(lengths)};
  auto* id = packed.ids.data_ptr<std::int32_t>();
  auto* type = packed.types.data_ptr<std::int32_t>();
  auto* position = packed.positions.data_ptr<std::int32_t>();
  auto* first = packed.firsts.data_ptr<std::int32_t>();
  std::int32_t row = 0;
  for (const auto* sequence : sequences) {
    const auto length = static_cast<std::int32_t>(sequence->ids.size());
    id = std::copy(sequence->ids.begin(), sequence->ids.end(), id);
    type = sequence->type_ids.empty() ? std::fill_n(type, length, 0)
                                      : std::copy(sequence->type_ids.begin(), sequence->type_ids.end(), type);
    std::iota(position, position + length, static_cast<std::int32_t>(first_position));
    position += length;
    *first++ = row;
    row += length;
  }
  return packed;
}

std::vector<EncoderLayer> layers_of(std::span<const EncoderLayerWeights> weights, std::int64_t heads,
                                    const c10::Device& device) {
  std::vector<EncoderLayer> layers;
  for (const auto& layer : weights) layers.emplace_back(layer, heads, device);
  return layers;
}

/// x [tokens, hidden] to the mean of each sequence's rows, [sequences, hidden] float32.
at::Tensor means(const at::Tensor& x, const std::vector<SequenceRun>& runs) {
  std::vector<at::Tensor> all;
  for (const auto& run : runs) {
    const auto rows = x.narrow(0, run.begin, run.count * run.length).to(c10::kFloat);
    all.push_back(rows.view({run.count, run.length, x.size(1)}).mean(1));
  }
  return at::cat(all);
}

}  // namespace

Encoder::Encoder(const EncoderWeights& weights, const EncoderConfig& config, const c10::Device& device)
    : heads_(config.heads),
      first_position_(config.first_position()),
      device_(device),
      embeddings_(weights.embeddings, device),
      layers_(layers_of(std::span(weights.layers).first(weights.layers.size() - 1), config.heads, device)),
      last_(std::in_place, weights.layers.back(), config.heads, device),
      head_(std::in_place, weights.head.value(), device) {}

Encoder::Encoder(const EncoderWeights& weights, const EncoderConfig& config, const c10::Device& device,
                 const EmbeddingRecipe& recipe)
    : heads_(config.heads),
      first_position_(config.first_position()),
      device_(device),
      embeddings_(weights.embeddings, device),
      normalize_(recipe.normalize) {
  auto layers = std::span<const EncoderLayerWeights>(weights.layers);
  if (recipe.pooling == Pooling::cls) {
    last_.emplace(layers.back(), config.heads, device);
    layers = layers.first(layers.size() - 1);
  }
  layers_ = layers_of(layers, config.heads, device);
}

std::vector<double> Encoder::forward(std::span<const Sequence* const> sequences) const {
  const auto packed = pack(sequences, first_position_);
  auto x = embeddings_.forward(packed.ids.to(device_), packed.positions.to(device_),
                               packed.types.to(device_));  // [tokens, hidden]
  for (const auto& layer : layers_) x = layer.forward(x, packed.runs);
  x = last_ ? last_->forward(x, packed.firsts.to(device_), packed.runs)
            : means(x, packed.runs);  // [sequences, hidden]
  if (head_) {
    x = head_->forward(x);  // [sequences]
  } else if (normalize_) {
    x = x.to(c10::kFloat);
    x = x.div(x.norm(2, 1, true).clamp_min(1e-12));
  }
  const auto rows = x.to(c10::kCPU, c10::kDouble).contiguous();
  const auto* values = rows.data_ptr<double>();
  return {values, values + rows.numel()};
}

}  // namespace qrerank::reranker::model

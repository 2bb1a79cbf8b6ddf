#include "reranker/model/encoder.hpp"

#include <ATen/ops/empty.h>

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

std::vector<EncoderLayer> all_but_last(const std::vector<EncoderLayerWeights>& weights, std::int64_t heads,
                                       const c10::Device& device) {
  std::vector<EncoderLayer> layers;
  for (std::size_t i = 0; i + 1 < weights.size(); ++i) layers.emplace_back(weights[i], heads, device);
  return layers;
}

}  // namespace

Encoder::Encoder(const EncoderWeights& weights, const EncoderConfig& config, const c10::Device& device)
    : heads_(config.heads),
      first_position_(config.first_position()),
      device_(device),
      embeddings_(weights.embeddings, device),
      layers_(all_but_last(weights.layers, config.heads, device)),
      last_(weights.layers.back(), config.heads, device),
      head_(weights.head, device) {}

std::vector<double> Encoder::forward(std::span<const Sequence* const> sequences) const {
  const auto packed = pack(sequences, first_position_);
  auto x = embeddings_.forward(packed.ids.to(device_), packed.positions.to(device_),
                               packed.types.to(device_));  // [tokens, hidden]
  for (const auto& layer : layers_) x = layer.forward(x, packed.runs);
  x = last_.forward(x, packed.firsts.to(device_), packed.runs);  // [sequences, hidden]
  const auto logits = head_.forward(x).cpu();                    // [sequences]
  const auto* values = logits.data_ptr<double>();
  return {values, values + logits.numel()};
}

}  // namespace qrerank::reranker::model

#include "reranker/model/qwen3.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/mv.h>

#include <algorithm>
#include <numeric>

#include "reranker/model/device.hpp"
#include "reranker/model/pieces.hpp"
#include "reranker/model/rms_norm.hpp"

namespace qrerank::reranker::model {
namespace {

/// Difference of the two rows that are compared, or the one label's row.
at::Tensor read_head(WeightReader& reader, const Qwen3Config& config,
                     const std::optional<AnswerTokens>& answers) {
  if (!answers) return reader.read_row("score.weight", 1, config.hidden, 0);
  const char* name = config.head == Qwen3Head::tied ? "model.embed_tokens.weight" : "lm_head.weight";
  const auto yes = reader.read_row(name, config.vocabulary, config.hidden, answers->yes);
  const auto no = reader.read_row(name, config.vocabulary, config.hidden, answers->no);
  return yes.defined() && no.defined() ? yes.sub(no) : at::Tensor();
}

at::Tensor integers(std::size_t count) {
  return at::empty({static_cast<std::int64_t>(count)}, c10::TensorOptions(c10::kInt));
}

}  // namespace

/// A piece as the layers read it.
struct Qwen3Decoder::Packed {
  at::Tensor ids;                 // [tokens] int32
  at::Tensor places;              // [tokens] int32: positions, counted from the prefix's first token
  at::Tensor lasts;               // [sequences] int32: row of each sequence's last token
  std::vector<PrefixGroup> all;   ///< every row asks
  std::vector<PrefixGroup> last;  ///< each sequence's last row asks
};

Qwen3Decoder::Qwen3Decoder(WeightReader& reader, const Qwen3Config& config, c10::ScalarType dtype,
                           const c10::Device& device, const std::optional<AnswerTokens>& answers,
                           std::int64_t positions)
    : device_(device),
      eps_(config.rms_norm_eps),
      arithmetic_(arithmetic_dtype(dtype, device)),
      rotary_(positions, config.head_dim, config.rope_theta, device) {
  auto head = read_head(reader, config, answers);
  words_ = reader.matrix({{"model.embed_tokens.weight", config.vocabulary}}, config.hidden, dtype);
  for (std::int64_t layer = 0; layer < config.layers && reader.error().empty(); ++layer) {
    release_free_memory(false);  // the layer before as it was read, before it was packed
    const auto weights = read_qwen3_layer(reader, "model.layers." + std::to_string(layer), config, dtype);
    if (reader.error().empty()) layers_.emplace_back(weights, config, device);
  }
  reader.expect_all_read("model.layers.");
  last_norm_ = reader.read("model.norm.weight", std::array{config.hidden}, c10::kFloat);
  if (!reader.error().empty()) return;
  words_ = words_.to(device);
  last_norm_ = last_norm_.to(device);
  head_ = head.to(device);
}

Qwen3Decoder::Packed Qwen3Decoder::pack(std::span<const DecoderItem> items) const {
  std::size_t tokens = 0;
  for (const auto& item : items) tokens += item.body->ids.size();
  Packed packed{.ids = integers(tokens),
                .places = integers(tokens),
                .lasts = integers(items.size()),
                .all = {},
                .last = {}};
  auto* id = packed.ids.data_ptr<std::int32_t>();
  auto* place = packed.places.data_ptr<std::int32_t>();
  auto* last = packed.lasts.data_ptr<std::int32_t>();
  std::int64_t row = 0;
  std::int64_t number = 0;
  for (const auto& item : items) {
    const auto length = static_cast<std::int64_t>(item.body->ids.size());
    id = std::copy(item.body->ids.begin(), item.body->ids.end(), id);
    std::iota(place, place + length,
              item.prefix == nullptr ? 0 : static_cast<std::int32_t>(item.prefix->tokens()));
    place += length;
    *last++ = static_cast<std::int32_t>(row + length - 1);
    if (packed.all.empty() || packed.all.back().prefix != item.prefix) {
      packed.all.push_back({.prefix = item.prefix, .spans = {}});
      packed.last.push_back({.prefix = item.prefix, .spans = {}});
    }
    packed.all.back().spans.push_back({row, length, row, length});
    packed.last.back().spans.push_back({row, length, number, 1});
    row += length;
    ++number;
  }
  packed.ids = packed.ids.to(device_);
  packed.places = packed.places.to(device_);
  packed.lasts = packed.lasts.to(device_);
  return packed;
}

std::vector<std::shared_ptr<const PrefixKv>> Qwen3Decoder::prefixes(
    std::span<const Sequence* const> sequences) const {
  std::vector<DecoderItem> items;
  for (const auto* sequence : sequences) items.push_back({.body = sequence, .prefix = nullptr});
  const auto packed = pack(items);
  std::vector<std::shared_ptr<PrefixKv>> computed(sequences.size());
  for (auto& kv : computed) kv = std::make_shared<PrefixKv>();
  const auto rotation = rotary_.at(packed.places);
  auto x = words_.lookup(packed.ids, arithmetic_);  // [tokens, hidden]
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    const auto normal = layers_[layer].normal(x);
    const auto kv = layers_[layer].keys_and_values(normal, rotation);
    std::int64_t row = 0;
    for (auto& prefix : computed) {
      const auto length = static_cast<std::int64_t>(sequences[&prefix - computed.data()]->ids.size());
      // A view would keep the other prefixes of the piece alive with it.
      prefix->layers.push_back(computed.size() == 1 ? kv : kv.narrow(0, row, length).clone());
      row += length;
    }
    if (layer + 1 == layers_.size()) break;  // nobody reads what the last layer makes of a prefix
    const auto q = layers_[layer].queries(normal, rotation);
    x = layers_[layer].finish(attend_with_prefix(q, kv, packed.all, layer), x);
  }
  return {computed.begin(), computed.end()};
}

std::vector<double> Qwen3Decoder::forward(std::span<const DecoderItem> items) const {
  const auto packed = pack(items);
  const auto rotation = rotary_.at(packed.places);
  auto x = words_.lookup(packed.ids, arithmetic_);  // [tokens, hidden]
  for (std::size_t layer = 0; layer + 1 < layers_.size(); ++layer) {
    const auto normal = layers_[layer].normal(x);
    const auto kv = layers_[layer].keys_and_values(normal, rotation);
    const auto q = layers_[layer].queries(normal, rotation);
    x = layers_[layer].finish(attend_with_prefix(q, kv, packed.all, layer), x);
  }
  // The last layer: keys and values of all rows, the rest of those that are read.
  const auto& layer = layers_.back();
  const auto normal = layer.normal(x);
  const auto kv = layer.keys_and_values(normal, rotation);
  const auto q = layer.queries(normal.index_select(0, packed.lasts),
                               rotary_.at(packed.places.index_select(0, packed.lasts)));
  const auto mixed = attend_with_prefix(q, kv, packed.last, layers_.size() - 1);
  x = layer.finish(mixed, x.index_select(0, packed.lasts));  // [sequences, hidden]
  const auto states = rms_normalize(x.to(c10::kFloat), last_norm_, eps_).to(c10::kDouble);
  const auto logits = at::mv(states, head_).cpu();  // [sequences]
  const auto* values = logits.data_ptr<double>();
  return {values, values + logits.numel()};
}

}  // namespace qrerank::reranker::model

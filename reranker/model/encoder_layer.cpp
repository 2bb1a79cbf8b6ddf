#include "reranker/model/encoder_layer.hpp"

namespace qrerank::reranker::model {
namespace {

/// Some of a layer's outputs as a layer of its own.
DenseWeights outputs(const DenseWeights& weights, std::int64_t begin, std::int64_t count) {
  return {.weight = weights.weight.narrow(begin, count), .bias = weights.bias.narrow(0, begin, count)};
}

NormWeights on(const NormWeights& norm, const c10::Device& device) {
  return {.weight = norm.weight.to(device), .bias = norm.bias.to(device), .eps = norm.eps};
}

}  // namespace

EncoderLayerWeights read_encoder_layer(WeightReader& reader, const std::string& scope,
                                       const EncoderConfig& config, c10::ScalarType dtype) {
  const auto hidden = config.hidden;
  const auto dense = [&](const char* name, std::int64_t in, std::int64_t out) {
    return reader.dense({scope + name}, in, out, dtype);
  };
  const auto norm = [&](const char* name) {
    return reader.norm(scope + name, hidden, config.layer_norm_eps);
  };
  EncoderLayerWeights weights;
  weights.qkv = reader.dense(
      {scope + ".attention.self.query", scope + ".attention.self.key", scope + ".attention.self.value"},
      hidden, hidden, dtype);
  weights.attention_out = dense(".attention.output.dense", hidden, hidden);
  weights.attention_norm = norm(".attention.output.LayerNorm");
  weights.up = dense(".intermediate.dense", hidden, config.intermediate);
  weights.down = dense(".output.dense", config.intermediate, hidden);
  weights.out_norm = norm(".output.LayerNorm");
  return weights;
}

AttentionTail::AttentionTail(const EncoderLayerWeights& weights, const c10::Device& device)
    : attention_out_(weights.attention_out, device),
      attention_norm_(on(weights.attention_norm, device)),
      up_(weights.up, device),
      down_(weights.down, device),
      out_norm_(on(weights.out_norm, device)) {}

at::Tensor AttentionTail::forward(const at::Tensor& mixed, const at::Tensor& x) const {
  const auto attended = normalize(attention_out_.apply_plus(mixed, x), attention_norm_);
  return normalize(down_.apply_plus(up_.apply_gelu(attended), attended), out_norm_);
}

EncoderLayer::EncoderLayer(const EncoderLayerWeights& weights, std::int64_t heads, const c10::Device& device)
    : heads_(heads), qkv_(weights.qkv, device), tail_(weights, device) {}

at::Tensor EncoderLayer::forward(const at::Tensor& x, const std::vector<SequenceRun>& runs) const {
  return tail_.forward(attend(qkv_.apply(x), runs, heads_), x);
}

LastEncoderLayer::LastEncoderLayer(const EncoderLayerWeights& weights, std::int64_t heads,
                                   const c10::Device& device)
    : heads_(heads),
      query_(outputs(weights.qkv, 0, weights.qkv.weight.columns()), device),
      kv_(outputs(weights.qkv, weights.qkv.weight.columns(), 2 * weights.qkv.weight.columns()), device),
      tail_(weights, device) {}

at::Tensor LastEncoderLayer::forward(const at::Tensor& x, const at::Tensor& firsts,
                                     const std::vector<SequenceRun>& runs) const {
  const auto first_rows = x.index_select(0, firsts);  // [sequences, hidden]
  const auto mixed = attend_first(query_.apply(first_rows), kv_.apply(x), runs, heads_);
  return tail_.forward(mixed, first_rows);
}

}  // namespace qrerank::reranker::model

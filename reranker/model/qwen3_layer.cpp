#include "reranker/model/qwen3_layer.hpp"

#include <array>

#include "reranker/model/rms_norm.hpp"

namespace qrerank::reranker::model {

Qwen3LayerWeights read_qwen3_layer(WeightReader& reader, const std::string& scope, const Qwen3Config& config,
                                   c10::ScalarType dtype) {
  const auto queries = config.heads * config.head_dim;
  const auto keys = config.kv_heads * config.head_dim;
  const auto norm = [&](const char* name, std::int64_t size) {
    return reader.read(scope + name, std::array{size}, c10::kFloat);
  };
  const auto dense = [&](std::vector<WeightReader::Part> parts, std::int64_t in) {
    for (auto& part : parts) part.name = scope + part.name + ".weight";
    return DenseWeights{.weight = reader.matrix(parts, in, dtype), .bias = {}};
  };
  Qwen3LayerWeights weights;
  weights.input_norm = norm(".input_layernorm.weight", config.hidden);
  weights.q = dense({{".self_attn.q_proj", queries}}, config.hidden);
  weights.kv = dense({{".self_attn.k_proj", keys}, {".self_attn.v_proj", keys}}, config.hidden);
  weights.query_norm = norm(".self_attn.q_norm.weight", config.head_dim);
  weights.key_norm = norm(".self_attn.k_norm.weight", config.head_dim);
  weights.attention_out = dense({{".self_attn.o_proj", config.hidden}}, queries);
  weights.attention_norm = norm(".post_attention_layernorm.weight", config.hidden);
  weights.gate = dense({{".mlp.gate_proj", config.intermediate}}, config.hidden);
  weights.up = dense({{".mlp.up_proj", config.intermediate}}, config.hidden);
  weights.down = dense({{".mlp.down_proj", config.hidden}}, config.intermediate);
  return weights;
}

Qwen3Layer::Qwen3Layer(const Qwen3LayerWeights& weights, const Qwen3Config& config, const c10::Device& device)
    : eps_(config.rms_norm_eps),
      heads_(config.heads),
      kv_heads_(config.kv_heads),
      head_dim_(config.head_dim),
      input_norm_(weights.input_norm.to(device)),
      query_norm_(weights.query_norm.to(device)),
      key_norm_(weights.key_norm.to(device)),
      attention_norm_(weights.attention_norm.to(device)),
      q_(weights.q, device),
      kv_(weights.kv, device),
      attention_out_(weights.attention_out, device),
      gate_(weights.gate, device),
      up_(weights.up, device),
      down_(weights.down, device) {}

at::Tensor Qwen3Layer::normal(const at::Tensor& x) const {
  return rms_normalize(x, input_norm_, eps_);
}

at::Tensor Qwen3Layer::keys_and_values(const at::Tensor& normal, const Rotation& rotation) const {
  auto kv = kv_.apply(normal).view({normal.size(0), 2, kv_heads_, head_dim_});
  auto keys = kv.select(1, 0);
  keys.copy_(normalize_and_turn(keys, key_norm_, eps_, rotation));
  return kv;
}

at::Tensor Qwen3Layer::queries(const at::Tensor& normal, const Rotation& rotation) const {
  return normalize_and_turn(q_.apply(normal).view({normal.size(0), heads_, head_dim_}), query_norm_, eps_,
                            rotation);
}

at::Tensor Qwen3Layer::finish(const at::Tensor& mixed, const at::Tensor& x) const {
  const auto attended = attention_out_.apply_plus(mixed, x);
  const auto normal = rms_normalize(attended, attention_norm_, eps_);
  return down_.apply_plus(up_.apply_times(normal, gate_.apply_silu(normal)), attended);
}

}  // namespace qrerank::reranker::model

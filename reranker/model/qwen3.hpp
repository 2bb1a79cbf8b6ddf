// The Qwen3 decoder on its device: prefixes to keys and values, packed sequences behind them to logits. No
// text, no tokenizer; see qwen3_model.hpp.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reranker/model/model.hpp"
#include "reranker/model/prefix_kv.hpp"
#include "reranker/model/qwen3_layer.hpp"

namespace qrerank::reranker::model {

/// The two tokens whose logits are compared.
struct AnswerTokens {
  std::int64_t yes = 0;
  std::int64_t no = 0;
};

/// One sequence behind its prefix, if it has one.
struct DecoderItem {
  const Sequence* body = nullptr;
  const PrefixKv* prefix = nullptr;
};

class Qwen3Decoder {
 public:
  /// Reads weights layer by layer, each on its device before the next. `answers`: none for a one-label
  /// checkpoint. `positions`: the longest sequence, prefix included. Check the reader's error before use.
  Qwen3Decoder(WeightReader& reader, const Qwen3Config& config, c10::ScalarType dtype,
               const c10::Device& device, const std::optional<AnswerTokens>& answers, std::int64_t positions);

  /// Keys and values of each of the prefixes, none empty.
  [[nodiscard]] std::vector<std::shared_ptr<const PrefixKv>> prefixes(
      std::span<const Sequence* const> sequences) const;

  /// One logit per item, in their order; bodies are not empty. Items with equal prefixes should lie side by
  /// side. Reentrant: pieces of a batch may run side by side.
  [[nodiscard]] std::vector<double> forward(std::span<const DecoderItem> items) const;

 private:
  struct Packed;
  [[nodiscard]] Packed pack(std::span<const DecoderItem> items) const;

  c10::Device device_;
  double eps_;
  c10::ScalarType arithmetic_;
  KeptMatrix words_;  // [vocabulary, hidden], kept as the matrices are
  Rotary rotary_;
  std::vector<Qwen3Layer> layers_;
  at::Tensor last_norm_;  // [hidden] float32
  at::Tensor head_;       // [hidden] float64: row of `yes` less row of `no`, or of the one label
};

}  // namespace qrerank::reranker::model

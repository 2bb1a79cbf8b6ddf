// One post-norm transformer block, the same in BERT, RoBERTa and XLM-RoBERTa.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "reranker/model/attention.hpp"
#include "reranker/model/encoder_config.hpp"
#include "reranker/model/linear.hpp"

namespace qrerank::reranker::model {

struct EncoderLayerWeights {
  DenseWeights qkv;            // [3 * hidden, hidden]: queries, keys, values
  DenseWeights attention_out;  // [hidden, hidden]
  NormWeights attention_norm;
  DenseWeights up;    // [intermediate, hidden]
  DenseWeights down;  // [hidden, intermediate]
  NormWeights out_norm;
};

/// Names as Hugging Face writes them below `scope` ("bert.encoder.layer.0").
[[nodiscard]] EncoderLayerWeights read_encoder_layer(WeightReader& reader, const std::string& scope,
                                                     const EncoderConfig& config, c10::ScalarType dtype);

/// What follows attention, row by row: output projection, feed-forward, the two residuals and norms.
class AttentionTail {
 public:
  AttentionTail(const EncoderLayerWeights& weights, const c10::Device& device);

  /// `mixed` from attention and the `x` that went into it, both [rows, hidden], to [rows, hidden].
  [[nodiscard]] at::Tensor forward(const at::Tensor& mixed, const at::Tensor& x) const;

 private:
  Linear attention_out_;
  NormWeights attention_norm_;
  Linear up_;
  Linear down_;
  NormWeights out_norm_;
};

class EncoderLayer {
 public:
  EncoderLayer(const EncoderLayerWeights& weights, std::int64_t heads, const c10::Device& device);

  /// x [tokens, hidden] to the same shape.
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, const std::vector<SequenceRun>& runs) const;

 private:
  std::int64_t heads_;
  Linear qkv_;  // [3 * hidden, hidden]
  AttentionTail tail_;
};

/// The last block, of which only each sequence's first token is read: keys and values for all tokens, the
/// rest for those rows alone.
class LastEncoderLayer {
 public:
  LastEncoderLayer(const EncoderLayerWeights& weights, std::int64_t heads, const c10::Device& device);

  /// x [tokens, hidden], `firsts` [sequences] row numbers of first tokens, to [sequences, hidden].
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, const at::Tensor& firsts,
                                   const std::vector<SequenceRun>& runs) const;

 private:
  std::int64_t heads_;
  Linear query_;  // [hidden, hidden]
  Linear kv_;     // [2 * hidden, hidden]
  AttentionTail tail_;
};

}  // namespace qrerank::reranker::model

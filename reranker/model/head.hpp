// From a sequence's first token to its logit: tanh(dense(x)) and one output row. BERT calls the two parts
// pooler and classifier, RoBERTa keeps both in its classification head. float32 whatever the encoder's dtype.
#pragma once

#include <ATen/core/Tensor.h>

#include "reranker/model/weights.hpp"

namespace qrerank::reranker::model {

struct HeadWeights {
  DenseWeights dense;  // [hidden, hidden], float32
  DenseWeights out;    // [1, hidden], float32
};

class Head {
 public:
  Head(const HeadWeights& weights, const c10::Device& device);

  /// states [sequences, hidden] to logits [sequences], float64 (the last product is summed in it).
  [[nodiscard]] at::Tensor forward(const at::Tensor& states) const;

 private:
  at::Tensor dense_weight_, dense_bias_;  // float32
  at::Tensor out_weight_, out_bias_;      // float64
};

}  // namespace qrerank::reranker::model

// Everything a one-label encoder is built from, and the two families' names for it.
#pragma once

#include <vector>

#include "reranker/model/embeddings.hpp"
#include "reranker/model/encoder_layer.hpp"
#include "reranker/model/head.hpp"

namespace qrerank::reranker::model {

struct EncoderWeights {
  EmbeddingWeights embeddings;
  std::vector<EncoderLayerWeights> layers;
  HeadWeights head;
};

/// BertForSequenceClassification (bert.cpp). `dtype`: of everything but norms, position tables and head.
/// Check the reader's error before use.
[[nodiscard]] EncoderWeights read_bert(WeightReader& reader, const EncoderConfig& config,
                                       c10::ScalarType dtype);

/// RobertaForSequenceClassification and XLMRobertaForSequenceClassification (roberta.cpp), likewise.
[[nodiscard]] EncoderWeights read_roberta(WeightReader& reader, const EncoderConfig& config,
                                          c10::ScalarType dtype);

}  // namespace qrerank::reranker::model

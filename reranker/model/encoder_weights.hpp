// Everything an encoder is built from, and the families' names for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reranker/model/embeddings.hpp"
#include "reranker/model/encoder_layer.hpp"
#include "reranker/model/head.hpp"

namespace qrerank::reranker::model {

struct EncoderWeights {
  EmbeddingWeights embeddings;
  std::vector<EncoderLayerWeights> layers;
  std::optional<HeadWeights> head;  ///< none: its states are what is wanted
};

/// The encoder alone; its tensors' names begin with `scope` ("bert.", empty for a bare BertModel).
[[nodiscard]] EncoderWeights read_encoder(WeightReader& reader, const EncoderConfig& config,
                                          c10::ScalarType dtype, const std::string& scope);

/// BertForSequenceClassification (bert.cpp). `dtype`: of everything but norms, position tables and head.
/// Check the reader's error before use.
[[nodiscard]] EncoderWeights read_bert(WeightReader& reader, const EncoderConfig& config,
                                       c10::ScalarType dtype);

/// RobertaForSequenceClassification and XLMRobertaForSequenceClassification (roberta.cpp), likewise.
[[nodiscard]] EncoderWeights read_roberta(WeightReader& reader, const EncoderConfig& config,
                                          c10::ScalarType dtype);

}  // namespace qrerank::reranker::model

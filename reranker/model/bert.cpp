// BertForSequenceClassification: positions from 0, token types, pooler before the classifier.
#include "reranker/model/encoder_weights.hpp"

namespace qrerank::reranker::model {

EncoderWeights read_bert(WeightReader& reader, const EncoderConfig& config, c10::ScalarType dtype) {
  EncoderWeights weights = read_encoder(reader, config, dtype, "bert.");
  weights.head =
      HeadWeights{.dense = reader.dense({"bert.pooler.dense"}, config.hidden, config.hidden, c10::kFloat),
                  .out = reader.dense({"classifier"}, config.hidden, 1, c10::kFloat)};
  return weights;
}

}  // namespace qrerank::reranker::model

// RobertaForSequenceClassification and XLMRobertaForSequenceClassification: positions from padding_id + 1
// (encoder_config.cpp), one token type, dense and out_proj in the classifier. Both name their encoder
// "roberta".
#include "reranker/model/encoder_weights.hpp"

namespace qrerank::reranker::model {

EncoderWeights read_roberta(WeightReader& reader, const EncoderConfig& config, c10::ScalarType dtype) {
  EncoderWeights weights = read_encoder(reader, config, dtype, "roberta.");
  weights.head =
      HeadWeights{.dense = reader.dense({"classifier.dense"}, config.hidden, config.hidden, c10::kFloat),
                  .out = reader.dense({"classifier.out_proj"}, config.hidden, 1, c10::kFloat)};
  return weights;
}

}  // namespace qrerank::reranker::model

// RobertaForSequenceClassification and XLMRobertaForSequenceClassification: positions from padding_id + 1
// (encoder_config.cpp), one token type, dense and out_proj in the classifier. Both name their encoder
// "roberta".
#include "reranker/model/encoder_weights.hpp"

namespace qrerank::reranker::model {

EncoderWeights read_roberta(WeightReader& reader, const EncoderConfig& config, c10::ScalarType dtype) {
  EncoderWeights weights;
  weights.embeddings = read_embeddings(reader, "roberta.embeddings", config, dtype);
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    weights.layers.push_back(
        read_encoder_layer(reader, "roberta.encoder.layer." + std::to_string(layer), config, dtype));
  }
  reader.expect_all_read("roberta.encoder.");
  weights.head.dense = reader.dense({"classifier.dense"}, config.hidden, config.hidden, c10::kFloat);
  weights.head.out = reader.dense({"classifier.out_proj"}, config.hidden, 1, c10::kFloat);
  return weights;
}

}  // namespace qrerank::reranker::model

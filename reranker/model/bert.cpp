// BertForSequenceClassification: positions from 0, token types, pooler before the classifier.
#include "reranker/model/encoder_weights.hpp"

namespace qrerank::reranker::model {

EncoderWeights read_bert(WeightReader& reader, const EncoderConfig& config, c10::ScalarType dtype) {
  EncoderWeights weights;
  weights.embeddings = read_embeddings(reader, "bert.embeddings", config, dtype);
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    weights.layers.push_back(
        read_encoder_layer(reader, "bert.encoder.layer." + std::to_string(layer), config, dtype));
  }
  reader.expect_all_read("bert.encoder.");
  weights.head.dense = reader.dense({"bert.pooler.dense"}, config.hidden, config.hidden, c10::kFloat);
  weights.head.out = reader.dense({"classifier"}, config.hidden, 1, c10::kFloat);
  return weights;
}

}  // namespace qrerank::reranker::model

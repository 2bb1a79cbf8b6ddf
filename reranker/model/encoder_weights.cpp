#include "reranker/model/encoder_weights.hpp"

namespace qrerank::reranker::model {

EncoderWeights read_encoder(WeightReader& reader, const EncoderConfig& config, c10::ScalarType dtype,
                            const std::string& scope) {
  EncoderWeights weights;
  weights.embeddings = read_embeddings(reader, scope + "embeddings", config, dtype);
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    weights.layers.push_back(
        read_encoder_layer(reader, scope + "encoder.layer." + std::to_string(layer), config, dtype));
  }
  reader.expect_all_read(scope + "encoder.");
  return weights;
}

}  // namespace qrerank::reranker::model

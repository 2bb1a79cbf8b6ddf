// The encoder on its device: packed token ids in, logits out. No text, no tokenizer; see encoder_model.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reranker/model/encoder_weights.hpp"
#include "reranker/model/model.hpp"

namespace qrerank::reranker::model {

class Encoder {
 public:
  Encoder(const EncoderWeights& weights, const EncoderConfig& config, const c10::Device& device);

  /// One logit per sequence, in their order. The sequences (none empty, none longer than config.max_length())
  /// are packed as given: put equal lengths side by side. Reentrant: pieces of a batch may run side by side.
  [[nodiscard]] std::vector<double> forward(std::span<const Sequence* const> sequences) const;

 private:
  std::int64_t heads_;
  std::int64_t first_position_;
  c10::Device device_;
  Embeddings embeddings_;
  std::vector<EncoderLayer> layers_;  ///< all but the last
  LastEncoderLayer last_;
  Head head_;
};

}  // namespace qrerank::reranker::model

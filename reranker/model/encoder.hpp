// The encoder on its device: packed token ids in, logits or vectors out. No text, no tokenizer; see
// encoder_model.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reranker/model/embedding_recipe.hpp"
#include "reranker/model/encoder_weights.hpp"
#include "reranker/model/model.hpp"

namespace qrerank::reranker::model {

class Encoder {
 public:
  /// With a head: one logit per sequence.
  Encoder(const EncoderWeights& weights, const EncoderConfig& config, const c10::Device& device);
  /// Without: `hidden` numbers per sequence, its states pooled.
  Encoder(const EncoderWeights& weights, const EncoderConfig& config, const c10::Device& device,
          const EmbeddingRecipe& recipe);

  /// Row by row, in the sequences' order. The sequences (none empty, none longer than config.max_length())
  /// are packed as given: put equal lengths side by side. Reentrant: pieces of a batch may run side by side.
  [[nodiscard]] std::vector<double> forward(std::span<const Sequence* const> sequences) const;

 private:
  std::int64_t heads_;
  std::int64_t first_position_;
  c10::Device device_;
  Embeddings embeddings_;
  std::vector<EncoderLayer> layers_;      ///< all but the last, where only first tokens are read
  std::optional<LastEncoderLayer> last_;  ///< none: every state of the last layer is read, too
  std::optional<Head> head_;
  bool normalize_ = false;  ///< to length 1
};

}  // namespace qrerank::reranker::model

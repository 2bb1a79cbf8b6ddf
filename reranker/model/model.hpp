// What a loaded model can do, without naming torch: integers in, doubles out. Implementations live beside
// this header; everything else sees only this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "reranker/model/embedding_recipe.hpp"
#include "reranker/model/load_progress.hpp"

namespace qrerank::reranker::model {

/// How a model is to be loaded: one `models.<name>` section of the configuration.
struct ModelSpec {
  std::string name;
  std::string path;             ///< folder with config.json, tokenizer.json and safetensors
  std::string dtype = "auto";   ///< weights: "float32", "bfloat16", "float16" (GPU), "int8", "auto"
  std::string device = "auto";  ///< "auto", "cpu", "cuda", "cuda:N"
  std::size_t max_length = 0;   ///< tokens per sequence; 0: what the model allows
  int threads = 0;              ///< compute threads on the CPU; 0: the machine's cores
  std::optional<EmbeddingChoices> embedding{};  ///< there: it is to make vectors, not to judge
};

struct ModelInfo {
  std::string name;
  std::string family;  ///< "bert", "roberta", "xlm-roberta", "qwen3"
  std::string dtype;   ///< what its weights are kept in
  std::string device;  ///< "cpu", "cuda:0"
  std::string
      recipe_version;  ///< changes whenever the same input would give another score: part of the cache key
  std::size_t max_length = 0;  ///< tokens, prefix and specials included
  std::size_t weight_bytes = 0;
  std::size_t activation_bytes_per_token =
      0;  ///< the most memory that `logits` needs for each token it computes, weights aside; 0: not known
  bool follows_instructions = false;
  std::size_t width = 1;  ///< numbers that `logits` gives for a text: its logit, or a vector's
};

/// One text's tokens. `type_ids` is empty for families without token types, else as long as `ids`.
struct Sequence {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> type_ids;
};

/// One request's texts as tokens. `prefix` holds what all of them share and is computed once (decoders); null
/// for encoders, whose sequences are whole.
struct EncodedTexts {
  std::shared_ptr<const Sequence> prefix;
  std::vector<Sequence> texts;  ///< in the order of the texts given
};

/// One sequence of a batch, referring to tokens that outlive the call.
struct BatchItem {
  const Sequence* prefix = nullptr;  ///< equal pointers share the computation
  const Sequence* body = nullptr;
};

/// Device memory ran out; the same items may succeed in smaller batches. Thrown by `logits`.
struct OutOfMemory {};

class Model {
 public:
  virtual ~Model() = default;

  [[nodiscard]] virtual const ModelInfo& info() const = 0;

  /// Query and texts to tokens, truncated to max_length by the family's recipe. Thread-safe: tokenizer
  /// workers call it side by side. User text is encoded with special tokens off.
  [[nodiscard]] virtual EncodedTexts encode(std::string_view instruction, std::string_view query,
                                            std::span<const std::string> texts) const = 0;

  /// `width` numbers per item, in their order: one raw logit, or an embedding's vector. Called by one compute
  /// thread only. Throws OutOfMemory, or std::exception for a bug. Not-a-number is returned as it is: the
  /// caller checks.
  [[nodiscard]] virtual std::vector<double> logits(std::span<const BatchItem> items) = 0;

  /// True while `logits` would not compute this prefix again, so that it costs no tokens of a batch's budget.
  /// Called by the compute thread, under the scheduler's lock: quick.
  [[nodiscard]] virtual bool keeps_prefix(const Sequence& /*prefix*/) const { return false; }

  /// Gives back what is kept only to be faster (kept prefixes, the device allocator's free blocks). Called by
  /// the compute thread after OutOfMemory, before it tries again.
  virtual void release_cached_memory() {}
};

struct LoadError {
  std::string message;  ///< names the file, and tensor, expected and found where there are such
  bool out_of_memory = false;
};

/// Reads config.json and picks the family. Blocks (seconds): call it on a loader thread. Never throws for bad
/// files. What is read of the weights is added to `progress`, if there is one.
[[nodiscard]] tl::expected<std::unique_ptr<Model>, LoadError> load_model(const ModelSpec& spec,
                                                                         LoadProgress* progress = nullptr);

}  // namespace qrerank::reranker::model

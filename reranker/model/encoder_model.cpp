#include "reranker/model/encoder_model.hpp"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "reranker/model/device.hpp"
#include "reranker/model/encoder.hpp"
#include "reranker/model/packing.hpp"
#include "reranker/model/pieces.hpp"
#include "reranker/model/tokenizer_limit.hpp"
#include "reranker/model/weight_bytes.hpp"
#include "reranker/prompt/pair.hpp"
#include "reranker/tokenizer/tokenizer.hpp"

namespace qrerank::reranker::model {
namespace {

/// Tokens that run through the layers together on a CPU core: activations of the widest layer stay in its
/// second-level cache (reckoned, not swept). A GPU takes the whole batch.
constexpr std::size_t kCpuPieceTokens = 512;
constexpr std::size_t kGpuPieceTokens = 65'536;

/// Go up whenever the same texts would get other scores, or vectors, from the same weights.
constexpr std::string_view kPairRecipe = "pair-1";
constexpr std::string_view kTextRecipe = "text-1";

struct Parts {
  ModelInfo info;
  tokenizer::Tokenizer tokenizer;
  tokenizer::PairTemplate layout;
  Encoder encoder;
  bool token_types;
  std::int64_t vocabulary;
  int threads;
  std::size_t largest_piece;  ///< tokens
};

/// Whole sequences through the encoder, whatever they are made of.
class EncoderModel : public Model {
 public:
  explicit EncoderModel(Parts parts) : parts_(std::move(parts)) {}

  const ModelInfo& info() const override { return parts_.info; }

  std::vector<double> logits(std::span<const BatchItem> items) override {
    std::vector<std::size_t> lengths;
    lengths.reserve(items.size());
    for (const auto& item : items) lengths.push_back(checked_length(item));
    const auto width = parts_.info.width;
    std::vector<double> logits(items.size() * width);
    const auto tokens = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
    const auto pieces = cut_into_pieces(lengths, piece_tokens(tokens, parts_.threads, parts_.largest_piece));
    with_memory_errors([&] {
      run_pieces(pieces.size(), parts_.threads, [&](std::size_t number) {
        const auto& piece = pieces[number];
        std::vector<const Sequence*> sequences;
        sequences.reserve(piece.size());
        for (const auto index : piece) sequences.push_back(items[index].body);
        const auto values = parts_.encoder.forward(sequences);
        for (std::size_t i = 0; i < piece.size(); ++i) {
          std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * width), width,
                      logits.begin() + static_cast<std::ptrdiff_t>(piece[i] * width));
        }
      });
    });
    return logits;
  }

  void release_cached_memory() override { release_free_memory(!parts_.info.device.starts_with("cpu")); }

 protected:
  [[nodiscard]] const Parts& parts() const { return parts_; }

 private:
  std::size_t checked_length(const BatchItem& item) const {
    const auto known = [&](std::int32_t id) { return id >= 0 && id < parts_.vocabulary; };
    if (item.prefix != nullptr || item.body == nullptr || item.body->ids.empty() ||
        item.body->ids.size() > parts_.info.max_length ||
        (!item.body->type_ids.empty() && item.body->type_ids.size() != item.body->ids.size()) ||
        !std::ranges::all_of(item.body->ids, known)) {
      throw std::invalid_argument(
          "an encoder's batch item is one whole sequence of 1 to max_length known tokens");
    }
    return item.body->ids.size();
  }

  Parts parts_;
};

class CrossEncoder final : public EncoderModel {
 public:
  using EncoderModel::EncoderModel;

  EncodedTexts encode(std::string_view /*instruction*/, std::string_view query,
                      std::span<const std::string> texts) const override {
    const Parts& its = parts();
    auto query_ids = its.tokenizer.encode_first(query, its.info.max_length);
    const auto room = prompt::pair_room(its.layout, query_ids.size(), its.info.max_length);
    query_ids.resize(room.query);
    EncodedTexts encoded;
    encoded.texts.reserve(texts.size());
    for (const auto& text : texts) {
      const auto ids = its.tokenizer.encode_first(text, room.document);
      encoded.texts.push_back(prompt::join_pair(its.layout, query_ids, ids, its.token_types));
    }
    return encoded;
  }
};

/// One text a sequence, its prefix tokenized along with it.
class TextEncoder final : public EncoderModel {
 public:
  TextEncoder(Parts parts, std::string prefix) : EncoderModel(std::move(parts)), prefix_(std::move(prefix)) {}

  EncodedTexts encode(std::string_view /*instruction*/, std::string_view /*query*/,
                      std::span<const std::string> texts) const override {
    const Parts& its = parts();
    const auto room = prompt::single_room(its.layout, its.info.max_length);
    EncodedTexts encoded;
    encoded.texts.reserve(texts.size());
    for (const auto& text : texts) {
      const auto ids = its.tokenizer.encode_first(prefix_ + text, room);
      encoded.texts.push_back(prompt::single(its.layout, ids, its.token_types));
    }
    return encoded;
  }

 private:
  const std::string prefix_;
};

tl::unexpected<LoadError> failed(std::string message) {
  return tl::unexpected(LoadError{.message = std::move(message)});
}

std::string hashed(const std::string& text) {
  return std::to_string(std::hash<std::string>{}(text));
}

std::string recipe_version(const ModelInfo& info, const Checkpoint& checkpoint,
                           const std::optional<EmbeddingRecipe>& recipe) {
  std::string version = recipe ? std::string(kTextRecipe) +
                                     (recipe->pooling == Pooling::cls ? "/cls" : "/mean") +
                                     (recipe->normalize ? "/1/" : "/any/") + hashed(recipe->query_prefix)
                               : std::string(kPairRecipe);
  return version + "/" + info.dtype + "/" + std::to_string(info.max_length) + "/" +
         hashed(checkpoint.fingerprint());
}

/// One above the largest type that the layout gives to a token.
std::int64_t type_ids_below(const tokenizer::PairTemplate& layout) {
  std::int64_t largest = std::max(layout.first_type, layout.second_type);
  for (const auto* tokens : {&layout.before, &layout.between, &layout.after}) {
    for (const auto& token : *tokens) largest = std::max<std::int64_t>(largest, token.type_id);
  }
  return largest + 1;
}

/// Of one token, at the widest place of a layer: the states before, queries, keys, values and what attention
/// makes of them, or the states and the intermediate ones. Attention's own blocks are small beside that.
std::size_t activation_bytes(const EncoderConfig& config, c10::ScalarType arithmetic) {
  const auto wide = std::max(6 * config.hidden, 4 * config.hidden + config.intermediate);
  return static_cast<std::size_t>(wide) * c10::elementSize(arithmetic);
}

/// What stands before the encoder's names: a bare encoder's have nothing, one saved with a head its family's.
std::string scope_in(const Checkpoint& checkpoint, EncoderFamily family) {
  const std::string scope = family == EncoderFamily::bert ? "bert." : "roberta.";
  return checkpoint.find(scope + "embeddings.word_embeddings.weight") != nullptr ? scope : "";
}

}  // namespace

tl::expected<std::unique_ptr<Model>, LoadError> load_encoder_model(const ModelSpec& spec,
                                                                   const EncoderConfig& config,
                                                                   LoadProgress* progress) {
  const std::filesystem::path folder = spec.path;
  std::optional<EmbeddingRecipe> recipe;
  if (spec.embedding) {
    auto read = embedding_recipe(folder, *spec.embedding);
    if (!read) return failed(read.error());
    recipe = std::move(*read);
  }
  const auto device = choose_device(spec.device);
  if (!device) return failed(spec.name + ": " + device.error());
  const auto dtype = choose_dtype(spec.dtype, *device);
  if (!dtype) return failed(spec.name + ": " + dtype.error());

  const auto tokenizer_file = folder / "tokenizer.json";
  auto tokenizer = tokenizer::Tokenizer::load(tokenizer_file);
  if (!tokenizer) return failed(tokenizer.error());
  auto layout = tokenizer->pair_template();
  if (!layout) return failed(tokenizer_file.string() + ": " + layout.error());
  if (tokenizer->vocabulary_size() > static_cast<std::size_t>(config.vocabulary)) {
    return failed(tokenizer_file.string() + ": expected at most the " + std::to_string(config.vocabulary) +
                  " tokens of config.json, found " + std::to_string(tokenizer->vocabulary_size()));
  }
  const bool is_bert = config.family == EncoderFamily::bert;
  if (const auto types = type_ids_below(*layout); is_bert && types > config.types) {
    return failed(tokenizer_file.string() + ": expected type ids below the " + std::to_string(config.types) +
                  " of config.json, found " + std::to_string(types - 1));
  }

  ModelInfo info;
  info.name = spec.name;
  info.family = family_name(config.family);
  info.dtype = dtype_name(*dtype);
  info.device = device->str();
  info.max_length = static_cast<std::size_t>(config.max_length());
  if (const auto limit = tokenizer_limit_in(folder)) info.max_length = std::min(info.max_length, *limit);
  if (recipe && recipe->max_length) info.max_length = std::min(info.max_length, *recipe->max_length);
  if (spec.max_length != 0) info.max_length = std::min(info.max_length, spec.max_length);
  if (info.max_length <= layout->size()) {
    return failed(spec.name + ": max_length: expected more than the " + std::to_string(layout->size()) +
                  " special tokens, found " + std::to_string(info.max_length));
  }

  const auto checkpoint = Checkpoint::open(folder);
  if (!checkpoint) return failed(checkpoint.error());
  info.weight_bytes = weight_bytes(*checkpoint, info.dtype);
  info.recipe_version = recipe_version(info, *checkpoint, recipe);

  const c10::InferenceMode inference;
  WeightReader reader(*checkpoint, progress);
  const auto weights = recipe    ? read_encoder(reader, config, *dtype, scope_in(*checkpoint, config.family))
                       : is_bert ? read_bert(reader, config, *dtype)
                                 : read_roberta(reader, config, *dtype);
  if (!reader.error().empty()) return failed(folder.string() + ": " + reader.error());
  info.activation_bytes_per_token = activation_bytes(config, arithmetic_dtype(*dtype, *device));
  if (recipe) info.width = static_cast<std::size_t>(config.hidden);

  Parts parts{
      .info = std::move(info),
      .tokenizer = std::move(*tokenizer),
      .layout = std::move(*layout),
      .encoder = recipe ? Encoder(weights, config, *device, *recipe) : Encoder(weights, config, *device),
      .token_types = is_bert,
      .vocabulary = config.vocabulary,
      .threads = compute_threads(spec.threads, !device->is_cpu()),
      .largest_piece = device->is_cpu() ? kCpuPieceTokens : kGpuPieceTokens};
  if (recipe) return std::make_unique<TextEncoder>(std::move(parts), std::move(recipe->query_prefix));
  return std::make_unique<CrossEncoder>(std::move(parts));
}

}  // namespace qrerank::reranker::model

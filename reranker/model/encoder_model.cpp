#include "reranker/model/encoder_model.hpp"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "reranker/model/device.hpp"
#include "reranker/model/encoder.hpp"
#include "reranker/model/packing.hpp"
#include "reranker/model/tokenizer_limit.hpp"
#include "reranker/model/weight_bytes.hpp"
#include "reranker/prompt/pair.hpp"
#include "reranker/tokenizer/tokenizer.hpp"

namespace qrerank::reranker::model {
namespace {

/// Tokens that run through the layers together on a CPU core: activations of the widest layer stay in its
/// second-level cache (reckoned, not swept). A GPU takes the whole batch.
constexpr std::size_t kCpuPieceTokens = 512;
constexpr std::size_t kLeastPieceTokens = 128;  ///< fewer rows leave the multipliers idle
constexpr std::size_t kShareBelow = 4;  ///< operators are shared below one piece per this many threads
constexpr std::size_t kGpuPieceTokens = 65'536;

/// Goes up whenever the same texts would get other scores from the same weights.
constexpr std::string_view kRecipe = "pair-1";

class EncoderModel final : public Model {
 public:
  EncoderModel(ModelInfo info, tokenizer::Tokenizer tokenizer, tokenizer::PairTemplate layout,
               Encoder encoder, bool token_types, int threads, std::size_t piece_tokens)
      : info_(std::move(info)),
        tokenizer_(std::move(tokenizer)),
        layout_(std::move(layout)),
        encoder_(std::move(encoder)),
        token_types_(token_types),
        threads_(threads),
        piece_tokens_(piece_tokens) {}

  const ModelInfo& info() const override { return info_; }

  EncodedTexts encode(std::string_view /*instruction*/, std::string_view query,
                      std::span<const std::string> texts) const override {
    auto query_ids = tokenizer_.encode_first(query, info_.max_length);
    const auto room = prompt::pair_room(layout_, query_ids.size(), info_.max_length);
    query_ids.resize(room.query);
    EncodedTexts encoded;
    encoded.texts.reserve(texts.size());
    for (const auto& text : texts) {
      const auto ids = tokenizer_.encode_first(text, room.document);
      encoded.texts.push_back(prompt::join_pair(layout_, query_ids, ids, token_types_));
    }
    return encoded;
  }

  std::vector<double> logits(std::span<const BatchItem> items) override {
    std::vector<std::size_t> lengths;
    lengths.reserve(items.size());
    for (const auto& item : items) lengths.push_back(checked_length(item));
    try {
      return run(items, cut_into_pieces(lengths, piece_size(lengths)));
    } catch (const c10::OutOfMemoryError&) {
      throw OutOfMemory{};
    } catch (const std::bad_alloc&) {
      throw OutOfMemory{};
    } catch (const c10::Error& error) {
      // The CPU allocator reports with the plain type.
      if (std::string_view(error.what()).find("DefaultCPUAllocator") != std::string_view::npos) {
        throw OutOfMemory{};
      }
      throw;
    }
  }

 private:
  std::size_t checked_length(const BatchItem& item) const {
    if (item.prefix != nullptr || item.body == nullptr || item.body->ids.empty() ||
        item.body->ids.size() > info_.max_length ||
        (!item.body->type_ids.empty() && item.body->type_ids.size() != item.body->ids.size())) {
      throw std::invalid_argument("an encoder's batch item is one whole sequence of 1 to max_length tokens");
    }
    return item.body->ids.size();
  }

  /// Tokens per piece: enough pieces for all threads, none larger than the caches like.
  std::size_t piece_size(std::span<const std::size_t> lengths) const {
    const auto tokens = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
    const auto threads = static_cast<std::size_t>(threads_);
    return std::clamp((tokens + threads - 1) / threads, std::min(kLeastPieceTokens, piece_tokens_),
                      piece_tokens_);
  }

  /// Pieces run side by side, one thread each: no barrier inside a layer, which costs a scheduler's turn
  /// where other threads want the cores too. Only where most threads would have no piece do they share each
  /// operator.
  std::vector<double> run(std::span<const BatchItem> items,
                          const std::vector<std::vector<std::size_t>>& pieces) const {
    std::vector<double> logits(items.size());
    const auto run_piece = [&](const std::vector<std::size_t>& piece) {
      const c10::InferenceMode inference;
      std::vector<const Sequence*> sequences;
      sequences.reserve(piece.size());
      for (const auto index : piece) sequences.push_back(items[index].body);
      const auto values = encoder_.forward(sequences);
      for (std::size_t i = 0; i < piece.size(); ++i) logits[piece[i]] = values[i];
    };
    const auto threads = static_cast<std::size_t>(threads_);
    const bool shared = pieces.size() * kShareBelow <= threads;
    const auto workers = static_cast<int>(std::min(threads, pieces.size()));
    // OpenMP's thread count belongs to the calling thread, which is not the one that loaded the model.
    at::set_num_threads(shared ? threads_ : std::max(1, workers));
    if (shared || workers < 2) {
      for (const auto& piece : pieces) run_piece(piece);
      return logits;
    }
    std::atomic<std::size_t> next = 0;
    at::parallel_for(0, workers, 1, [&](std::int64_t, std::int64_t) {
      for (auto i = next++; i < pieces.size(); i = next++) run_piece(pieces[i]);
    });
    return logits;
  }

  ModelInfo info_;
  tokenizer::Tokenizer tokenizer_;
  tokenizer::PairTemplate layout_;
  Encoder encoder_;
  bool token_types_;
  int threads_;
  std::size_t piece_tokens_;
};

tl::unexpected<LoadError> failed(std::string message) {
  return tl::unexpected(LoadError{.message = std::move(message)});
}

std::string recipe_version(const ModelInfo& info, const Checkpoint& checkpoint) {
  const auto weights = std::hash<std::string>{}(checkpoint.fingerprint());
  return std::string(kRecipe) + "/" + info.dtype + "/" + std::to_string(info.max_length) + "/" +
         std::to_string(weights);
}

}  // namespace

tl::expected<std::unique_ptr<Model>, LoadError> load_encoder_model(const ModelSpec& spec,
                                                                   const EncoderConfig& config) {
  const std::filesystem::path folder = spec.path;
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

  ModelInfo info;
  info.name = spec.name;
  info.family = family_name(config.family);
  info.dtype = dtype_name(*dtype);
  info.device = device->str();
  info.max_length = static_cast<std::size_t>(config.max_length());
  if (const auto limit = tokenizer_limit_in(folder)) info.max_length = std::min(info.max_length, *limit);
  if (spec.max_length != 0) info.max_length = std::min(info.max_length, spec.max_length);
  if (info.max_length <= layout->size()) {
    return failed(spec.name + ": max_length: expected more than the " + std::to_string(layout->size()) +
                  " special tokens, found " + std::to_string(info.max_length));
  }

  const auto checkpoint = Checkpoint::open(folder);
  if (!checkpoint) return failed(checkpoint.error());
  info.weight_bytes = weight_bytes(*checkpoint, info.dtype);
  info.recipe_version = recipe_version(info, *checkpoint);

  const c10::InferenceMode inference;
  WeightReader reader(*checkpoint);
  const bool is_bert = config.family == EncoderFamily::bert;
  const auto weights = is_bert ? read_bert(reader, config, *dtype) : read_roberta(reader, config, *dtype);
  if (!reader.error().empty()) return failed(folder.string() + ": " + reader.error());

  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return std::make_unique<EncoderModel>(std::move(info), std::move(*tokenizer), std::move(*layout),
                                        Encoder(weights, config, *device), is_bert,
                                        !device->is_cpu()  ? 1
                                        : spec.threads > 0 ? spec.threads
                                                           : cores,
                                        device->is_cpu() ? kCpuPieceTokens : kGpuPieceTokens);
}

}  // namespace qrerank::reranker::model

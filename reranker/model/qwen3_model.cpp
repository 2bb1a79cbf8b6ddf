#include "reranker/model/qwen3_model.hpp"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>

#include "reranker/model/device.hpp"
#include "reranker/model/packing.hpp"
#include "reranker/model/pieces.hpp"
#include "reranker/model/qwen3.hpp"
#include "reranker/model/qwen3_text.hpp"
#include "reranker/model/weight_bytes.hpp"

namespace qrerank::reranker::model {
namespace {

/// Tokens that run through the layers together on a CPU core. More rows amortise reading (and converting) the
/// weights, which are far larger than the caches; fewer keep the activations in them.
constexpr std::size_t kCpuPieceTokens = 1024;
constexpr std::size_t kGpuPieceTokens = 65'536;

/// Where nothing else is set; the published models allow more, at a price that grows with it.
constexpr std::size_t kDefaultMaxLength = 8192;

/// Of computed prefixes kept between batches, those of the last one aside: two or more of the largest size's,
/// ten of the smallest's.
constexpr std::size_t kKeptPrefixBytes = std::size_t{256} << 20U;

/// Goes up whenever the same texts would get other scores from the same weights.
constexpr std::string_view kRecipe = "qwen3-1";

class Qwen3Model final : public Model {
 public:
  Qwen3Model(ModelInfo info, Qwen3Text text, Qwen3Decoder decoder, std::int64_t vocabulary, int threads,
             std::size_t largest_piece)
      : info_(std::move(info)),
        text_(std::move(text)),
        decoder_(std::move(decoder)),
        vocabulary_(vocabulary),
        threads_(threads),
        largest_piece_(largest_piece),
        kept_(kKeptPrefixBytes) {}

  const ModelInfo& info() const override { return info_; }

  EncodedTexts encode(std::string_view instruction, std::string_view query,
                      std::span<const std::string> texts) const override {
    return text_.encode(instruction, query, texts, info_.max_length);
  }

  std::vector<double> logits(std::span<const BatchItem> items) override {
    for (const auto& item : items) check(item);
    std::vector<double> logits(items.size());
    with_memory_errors([&] {
      const auto prefixes = computed_prefixes(items);
      std::vector<std::size_t> lengths;
      for (const auto& item : items) lengths.push_back(item.body->ids.size());
      auto pieces = cut(lengths);
      run_pieces(pieces.size(), threads_, [&](std::size_t number) {
        auto& piece = pieces[number];
        // Equal prefixes side by side; the order of lengths does not matter inside a piece.
        std::ranges::sort(piece, {}, [&](std::size_t i) { return std::pair(prefixes[i].get(), i); });
        std::vector<DecoderItem> packed;
        for (const auto i : piece) packed.push_back({.body = items[i].body, .prefix = prefixes[i].get()});
        const auto values = decoder_.forward(packed);
        for (std::size_t i = 0; i < piece.size(); ++i) logits[piece[i]] = values[i];
      });
    });
    return logits;
  }

  bool keeps_prefix(const Sequence& prefix) const override { return kept_.holds(prefix.ids); }

  void release_cached_memory() override {
    kept_.clear();
    release_free_memory(!info_.device.starts_with("cpu"));
  }

 private:
  using KvPtr = std::shared_ptr<const PrefixKv>;

  void check(const BatchItem& item) const {
    const auto known = [&](const Sequence& sequence) {
      return sequence.type_ids.empty() &&
             std::ranges::all_of(sequence.ids, [&](std::int32_t id) { return id >= 0 && id < vocabulary_; });
    };
    const auto prefix = item.prefix == nullptr ? 0 : item.prefix->ids.size();
    if (item.body == nullptr || item.body->ids.empty() || (item.prefix != nullptr && prefix == 0) ||
        prefix + item.body->ids.size() > info_.max_length || !known(*item.body) ||
        (item.prefix != nullptr && !known(*item.prefix))) {
      throw std::invalid_argument(
          "a decoder's batch item is a prefix or none and a body, 1 to max_length known tokens together");
    }
  }

  std::vector<std::vector<std::size_t>> cut(std::span<const std::size_t> lengths) const {
    const auto tokens = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
    return cut_into_pieces(lengths, piece_tokens(tokens, threads_, largest_piece_));
  }

  /// One for each item, null where it has none: kept from an earlier batch, or computed here, each once.
  std::vector<KvPtr> computed_prefixes(std::span<const BatchItem> items) {
    std::map<std::vector<std::int32_t>, KvPtr> by_ids;
    std::vector<const Sequence*> missing;
    for (const auto& item : items) {
      if (item.prefix == nullptr) continue;
      const auto [at, added] = by_ids.try_emplace(item.prefix->ids);
      if (!added) continue;
      at->second = kept_.find(item.prefix->ids);
      if (at->second == nullptr) missing.push_back(item.prefix);
    }
    std::vector<std::size_t> lengths;
    for (const auto* prefix : missing) lengths.push_back(prefix->ids.size());
    const auto pieces = cut(lengths);
    std::vector<KvPtr> computed(missing.size());
    run_pieces(pieces.size(), threads_, [&](std::size_t number) {
      std::vector<const Sequence*> sequences;
      for (const auto i : pieces[number]) sequences.push_back(missing[i]);
      const auto values = decoder_.prefixes(sequences);
      for (std::size_t i = 0; i < values.size(); ++i) computed[pieces[number][i]] = values[i];
    });
    for (std::size_t i = 0; i < missing.size(); ++i) {
      kept_.insert(missing[i]->ids, computed[i]);
      by_ids[missing[i]->ids] = computed[i];
    }
    kept_.end_batch();
    std::vector<KvPtr> of_items;
    for (const auto& item : items) of_items.push_back(item.prefix ? by_ids[item.prefix->ids] : nullptr);
    return of_items;
  }

  ModelInfo info_;
  Qwen3Text text_;
  Qwen3Decoder decoder_;
  std::int64_t vocabulary_;
  int threads_;
  std::size_t largest_piece_;  ///< tokens
  PrefixCache kept_;
};

tl::unexpected<LoadError> failed(std::string message) {
  return tl::unexpected(LoadError{.message = std::move(message)});
}

/// Of one token: at the widest place of a layer (states, queries twice, keys and values; or states and the
/// two intermediate ones), and what a prefix's token keeps of every layer.
std::size_t activation_bytes(const Qwen3Config& config, c10::ScalarType arithmetic) {
  const auto kv = 2 * config.kv_heads * config.head_dim;
  const auto attention = 3 * config.hidden + 4 * config.heads * config.head_dim + 2 * kv;
  const auto feed_forward = 4 * config.hidden + 2 * config.intermediate;
  const auto numbers = std::max(attention, feed_forward) + config.layers * kv;
  return static_cast<std::size_t>(numbers) * c10::elementSize(arithmetic);
}

/// The tokens to compare; none for a one-label checkpoint.
tl::expected<std::optional<AnswerTokens>, std::string> answers_of(const Qwen3Text& text,
                                                                  const Qwen3Config& config) {
  if (config.head == Qwen3Head::label) return std::nullopt;
  const auto yes = text.word("yes");
  if (!yes) return tl::unexpected(yes.error());
  const auto no = text.word("no");
  if (!no) return tl::unexpected(no.error());
  return AnswerTokens{.yes = *yes, .no = *no};
}

std::string recipe_version(const ModelInfo& info, const Checkpoint& checkpoint) {
  const auto weights = std::hash<std::string>{}(checkpoint.fingerprint());
  return std::string(kRecipe) + "/" + info.dtype + "/" + std::to_string(info.max_length) + "/" +
         std::to_string(weights);
}

}  // namespace

tl::expected<std::unique_ptr<Model>, LoadError> load_qwen3_model(const ModelSpec& spec,
                                                                 const Qwen3Config& config,
                                                                 LoadProgress* progress) {
  const std::filesystem::path folder = spec.path;
  const auto device = choose_device(spec.device);
  if (!device) return failed(spec.name + ": " + device.error());
  const auto dtype = choose_dtype(spec.dtype, *device);
  if (!dtype) return failed(spec.name + ": " + dtype.error());

  const auto tokenizer_file = (folder / "tokenizer.json").string();
  auto text = Qwen3Text::load(tokenizer_file);
  if (!text) return failed(text.error());
  if (text->vocabulary_size() > static_cast<std::size_t>(config.vocabulary)) {
    return failed(tokenizer_file + ": expected at most the " + std::to_string(config.vocabulary) +
                  " tokens of config.json, found " + std::to_string(text->vocabulary_size()));
  }
  const auto answers = answers_of(*text, config);
  if (!answers) return failed(tokenizer_file + ": " + answers.error());

  ModelInfo info;
  info.name = spec.name;
  info.family = "qwen3";
  info.dtype = dtype_name(*dtype);
  info.device = device->str();
  info.follows_instructions = true;
  info.max_length = std::min(static_cast<std::size_t>(config.positions),
                             spec.max_length == 0 ? kDefaultMaxLength : spec.max_length);
  if (info.max_length <= text->layout().size()) {
    return failed(spec.name + ": max_length: expected more than the " +
                  std::to_string(text->layout().size()) + " tokens of the prompt's template, found " +
                  std::to_string(info.max_length));
  }

  const auto checkpoint = Checkpoint::open(folder);
  if (!checkpoint) return failed(checkpoint.error());
  info.recipe_version = recipe_version(info, *checkpoint);
  info.weight_bytes = weight_bytes(*checkpoint, info.dtype);
  info.activation_bytes_per_token = activation_bytes(config, arithmetic_dtype(*dtype, *device));

  const c10::InferenceMode inference;
  release_free_memory(false);  // what parsing the tokenizer leaves in the heap
  WeightReader reader(*checkpoint, progress);
  Qwen3Decoder decoder(reader, config, *dtype, *device, *answers, static_cast<std::int64_t>(info.max_length));
  if (!reader.error().empty()) return failed(folder.string() + ": " + reader.error());
  return std::make_unique<Qwen3Model>(std::move(info), std::move(*text), std::move(decoder),
                                      config.vocabulary, compute_threads(spec.threads, !device->is_cpu()),
                                      device->is_cpu() ? kCpuPieceTokens : kGpuPieceTokens);
}

}  // namespace qrerank::reranker::model

#include "reranker/model/encoder_config.hpp"

#include "reranker/model/config_members.hpp"
#include "reranker/regular_file.hpp"
#include "reranker/utf8.hpp"

namespace qrerank::reranker::model {
namespace {

using Result = tl::expected<EncoderConfig, std::string>;

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 20U;

constexpr std::string_view kArchitectures =
    "BertForSequenceClassification, RobertaForSequenceClassification, XLMRobertaForSequenceClassification, "
    "Qwen3ForCausalLM, Qwen3ForSequenceClassification";

constexpr std::string_view kEmbeddingArchitectures =
    "BertModel, RobertaModel, XLMRobertaModel, or one of these with ForMaskedLM";

bool set_family(std::string_view name, EncoderUse use, EncoderConfig& config) {
  const auto cut = [&](std::string_view ending) {
    const bool there = name.ends_with(ending);
    if (there) name.remove_suffix(ending.size());
    return there;
  };
  // A language model's head is not read, its encoder is.
  const bool fits =
      use == EncoderUse::judge ? cut("ForSequenceClassification") : cut("Model") || cut("ForMaskedLM");
  if (!fits) return false;
  if (name == "Bert") {
    config.family = EncoderFamily::bert;
  } else if (name == "Roberta") {
    config.family = EncoderFamily::roberta;
  } else if (name == "XLMRoberta") {
    config.family = EncoderFamily::xlm_roberta;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string_view family_name(EncoderFamily family) {
  switch (family) {
    case EncoderFamily::bert:
      return "bert";
    case EncoderFamily::roberta:
      return "roberta";
    case EncoderFamily::xlm_roberta:
      return "xlm-roberta";
  }
  return "";
}

std::int64_t EncoderConfig::first_position() const {
  // RobertaEmbeddings.create_position_ids_from_input_ids: positions count on from the padding id.
  return family == EncoderFamily::bert ? 0 : padding_id + 1;
}

Result parse_encoder_config(std::string_view json, EncoderUse use) {
  simdjson::dom::parser parser;
  const auto root = parse_config(parser, json);
  if (!root) return tl::unexpected(root.error());
  EncoderConfig config;
  const auto name = architecture_of(*root);
  if (!set_family(name, use, config)) {
    const auto found = name.empty() ? "no architectures" : first_code_points(name, 100);
    return tl::unexpected("architectures: expected one of " +
                          std::string(use == EncoderUse::judge ? kArchitectures : kEmbeddingArchitectures) +
                          ", found " + found);
  }
  ConfigMembers reader(*root);
  config.vocabulary = reader.size("vocab_size", 1, 4'000'000);
  config.hidden = reader.size("hidden_size", 1, 65'536);
  config.layers = reader.size("num_hidden_layers", 1, 512);
  config.heads = reader.size("num_attention_heads", 1, 1'024);
  config.intermediate = reader.size("intermediate_size", 1, 262'144);
  config.positions = reader.size("max_position_embeddings", 8, 1'048'576);
  config.types = reader.size("type_vocab_size", 1, 256);
  config.layer_norm_eps = reader.positive("layer_norm_eps");
  reader.only_word("hidden_act", "gelu");
  reader.only_word("position_embedding_type", "absolute");
  reader.only_flag("is_decoder", false);  // it would not see what comes behind
  reader.none("quantization_config");
  if (use == EncoderUse::judge) reader.one_label();
  if (config.family != EncoderFamily::bert) {
    config.padding_id = reader.size("pad_token_id", 0, config.positions);
  }
  if (!reader.error().empty()) return tl::unexpected(reader.error());
  if (config.hidden % config.heads != 0) {
    return tl::unexpected("num_attention_heads: expected a divisor of hidden_size " +
                          std::to_string(config.hidden) + ", found " + std::to_string(config.heads));
  }
  if (config.max_length() < 8) {
    return tl::unexpected("max_position_embeddings: expected room for 8 tokens, found " +
                          std::to_string(config.positions));
  }
  return config;
}

std::size_t vector_width(const std::filesystem::path& folder) {
  const auto json = read_regular_file(folder / "config.json", kMaxBytes);
  if (!json) return 0;
  const auto config = parse_encoder_config(*json, EncoderUse::embed);
  return config ? static_cast<std::size_t>(config->hidden) : 0;
}

}  // namespace qrerank::reranker::model

#include "reranker/model/qwen3_config.hpp"

#include "reranker/model/config_members.hpp"
#include "reranker/utf8.hpp"

namespace qrerank::reranker::model {
namespace {

using simdjson::dom::element;

constexpr std::string_view kCausal = "Qwen3ForCausalLM";
constexpr std::string_view kClassifier = "Qwen3ForSequenceClassification";

/// Base and kind of the rotary positions: at the top level, or in `rope_parameters` (transformers 5).
void read_rope(element root, ConfigMembers& members, Qwen3Config& config) {
  element parameters;
  const bool nested = members.has("rope_parameters");
  if (nested && (root["rope_parameters"].get(parameters) != simdjson::SUCCESS || !parameters.is_object())) {
    members.fail("rope_parameters", "an object", simdjson::minify(parameters));
    return;
  }
  ConfigMembers rope(nested ? parameters : root);
  config.rope_theta = rope.positive("rope_theta", 1e12);
  if (nested) {
    rope.only_word("rope_type", "default");
    rope.only_word("type", "default");
  }
  rope.only_number("partial_rotary_factor", 1);
  members.only_number("partial_rotary_factor", 1);
  element scaling;
  if (root["rope_scaling"].get(scaling) == simdjson::SUCCESS && !scaling.is_null()) {
    ConfigMembers scaled(scaling);
    if (!scaling.is_object() || !(scaled.has("rope_type") || scaled.has("type"))) {
      members.fail("rope_scaling", "null", simdjson::minify(scaling));
    }
    scaled.only_word("rope_type", "default");
    scaled.only_word("type", "default");
    if (!scaled.error().empty()) members.fail("rope_scaling", "none", scaled.error());
  }
  if (!rope.error().empty()) members.fail(nested ? "rope_parameters" : "rope", "plain RoPE", rope.error());
}

void check_layer_types(element root, ConfigMembers& members) {
  if (!members.has("layer_types")) return;
  simdjson::dom::array types;
  if (root["layer_types"].get(types) != simdjson::SUCCESS) {
    members.fail("layer_types", "a list", simdjson::minify(root["layer_types"].value()));
    return;
  }
  for (const auto type : types) {
    std::string_view name;
    if (type.get(name) != simdjson::SUCCESS || name != "full_attention") {
      members.fail("layer_types", "\"full_attention\"", simdjson::minify(type));
    }
  }
}

}  // namespace

bool is_qwen3_config(std::string_view json) {
  simdjson::dom::parser parser;
  const auto root = parse_config(parser, json);
  return root && architecture_of(*root).starts_with("Qwen3");
}

tl::expected<Qwen3Config, std::string> parse_qwen3_config(std::string_view json) {
  simdjson::dom::parser parser;
  const auto root = parse_config(parser, json);
  if (!root) return tl::unexpected(root.error());
  const auto name = architecture_of(*root);
  if (name != kCausal && name != kClassifier) {
    return tl::unexpected("architectures: expected " + std::string(kCausal) + " or " +
                          std::string(kClassifier) + ", found " + first_code_points(name, 100));
  }
  ConfigMembers members(*root);
  Qwen3Config config;
  config.vocabulary = members.size("vocab_size", 1, 4'000'000);
  config.hidden = members.size("hidden_size", 1, 65'536);
  config.layers = members.size("num_hidden_layers", 1, 512);
  config.heads = members.size("num_attention_heads", 1, 1'024);
  config.kv_heads = members.size("num_key_value_heads", 1, 1'024);
  config.head_dim = members.size("head_dim", 2, 1'024);
  config.intermediate = members.size("intermediate_size", 1, 262'144);
  config.positions = members.size("max_position_embeddings", 8, 1'048'576);
  config.rms_norm_eps = members.positive("rms_norm_eps");
  members.only_word("hidden_act", "silu");
  members.only_flag("attention_bias", false);
  members.only_flag("use_sliding_window", false);
  members.only_flag("is_causal", true);
  members.none("quantization_config");
  read_rope(*root, members, config);
  check_layer_types(*root, members);
  if (name == kClassifier) {
    config.head = Qwen3Head::label;
    members.one_label();
  } else {
    config.head = members.flag("tie_word_embeddings", false) ? Qwen3Head::tied : Qwen3Head::untied;
  }
  if (!members.error().empty()) return tl::unexpected(members.error());
  if (config.heads % config.kv_heads != 0) {
    return tl::unexpected("num_key_value_heads: expected a divisor of num_attention_heads " +
                          std::to_string(config.heads) + ", found " + std::to_string(config.kv_heads));
  }
  if (config.head_dim % 2 != 0) {
    return tl::unexpected("head_dim: expected an even number, found " + std::to_string(config.head_dim));
  }
  return config;
}

}  // namespace qrerank::reranker::model

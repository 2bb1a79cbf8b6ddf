#include "reranker/model/encoder_config.hpp"

#include <simdjson.h>

#include <fstream>
#include <iterator>

namespace qrerank::reranker::model {
namespace {

using simdjson::dom::element;
using Result = tl::expected<EncoderConfig, std::string>;

constexpr std::string_view kArchitectures =
    "BertForSequenceClassification, RobertaForSequenceClassification, XLMRobertaForSequenceClassification";

/// Reads members of one object; the first failure sticks.
class Reader {
 public:
  explicit Reader(element root) : root_(root) {}

  std::int64_t size(std::string_view name, std::int64_t low, std::int64_t high) {
    std::int64_t value = 0;
    if (root_[name].get(value) != simdjson::SUCCESS) {
      fail(name, "an integer", "none");
    } else if (value < low || value > high) {
      fail(name, std::to_string(low) + ".." + std::to_string(high), std::to_string(value));
    }
    return value;
  }

  double positive(std::string_view name) {
    double value = 0;
    if (root_[name].get(value) != simdjson::SUCCESS || !(value > 0 && value < 1)) {
      fail(name, "a number between 0 and 1", "something else");
    }
    return value;
  }

  /// A member that may be missing (then it has the wanted value), but not be another text.
  void only(std::string_view name, std::string_view wanted) {
    element member;
    if (root_[name].get(member) != simdjson::SUCCESS || member.is_null()) return;
    std::string_view value;
    if (member.get(value) != simdjson::SUCCESS || value != wanted) {
      fail(name, "\"" + std::string(wanted) + "\"", simdjson::minify(member));
    }
  }

  void fail(std::string_view name, const std::string& expected, const std::string& found) {
    if (error_.empty()) {
      error_ = std::string(name) + ": expected " + expected + ", found " + found.substr(0, 100);
    }
  }

  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  element root_;
  std::string error_;
};

bool set_family(element root, EncoderConfig& config, std::string& found) {
  std::string_view name;
  if (root["architectures"].at(0).get(name) != simdjson::SUCCESS) {
    found = "no architectures";
    return false;
  }
  found = name;
  if (name == "BertForSequenceClassification") {
    config.family = EncoderFamily::bert;
  } else if (name == "RobertaForSequenceClassification") {
    config.family = EncoderFamily::roberta;
  } else if (name == "XLMRobertaForSequenceClassification") {
    config.family = EncoderFamily::xlm_roberta;
  } else {
    return false;
  }
  return true;
}

/// The number of labels where the file says one; the classifier's shape decides where it does not.
void check_labels(element root, Reader& reader) {
  simdjson::dom::object labels;
  std::int64_t count = 1;
  if (root["id2label"].get(labels) == simdjson::SUCCESS) {
    count = static_cast<std::int64_t>(labels.size());
  } else if (root["num_labels"].get(count) != simdjson::SUCCESS) {
    return;
  }
  if (count != 1) reader.fail("id2label", "one label (a cross-encoder's score)", std::to_string(count));
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

Result parse_encoder_config(std::string_view json) {
  // simdjson copies what it is given, and an empty view may be null.
  if (json.empty()) return tl::unexpected<std::string>("not JSON: empty");
  simdjson::dom::parser parser;
  element root;
  if (const auto error = parser.parse(json.data(), json.size()).get(root)) {
    return tl::unexpected(std::string("not JSON: ") + simdjson::error_message(error));
  }
  if (!root.is_object()) return tl::unexpected<std::string>("not an object");
  EncoderConfig config;
  std::string found;
  if (!set_family(root, config, found)) {
    return tl::unexpected("architectures: expected one of " + std::string(kArchitectures) + ", found " +
                          found.substr(0, 100));
  }
  Reader reader(root);
  config.vocabulary = reader.size("vocab_size", 1, 4'000'000);
  config.hidden = reader.size("hidden_size", 1, 65'536);
  config.layers = reader.size("num_hidden_layers", 1, 512);
  config.heads = reader.size("num_attention_heads", 1, 1'024);
  config.intermediate = reader.size("intermediate_size", 1, 262'144);
  config.positions = reader.size("max_position_embeddings", 8, 1'048'576);
  config.types = reader.size("type_vocab_size", 1, 256);
  config.layer_norm_eps = reader.positive("layer_norm_eps");
  reader.only("hidden_act", "gelu");
  reader.only("position_embedding_type", "absolute");
  check_labels(root, reader);
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

Result read_encoder_config(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string json{std::istreambuf_iterator<char>(stream), {}};
  if (!stream.is_open() || stream.bad()) return tl::unexpected(file.string() + ": cannot be read");
  auto config = parse_encoder_config(json);
  if (!config) return tl::unexpected(file.string() + ": " + config.error());
  return config;
}

}  // namespace qrerank::reranker::model

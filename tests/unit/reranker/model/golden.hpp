// Reads the committed numbers of tests/golden (scripts/golden_cross_encoder.py and
// golden_qwen3.py write them).
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace qrerank::tests {

struct GoldenCase {
  std::string instruction;  // Qwen3 only; empty: the default one
  std::string query;
  std::string text;
  std::size_t tokens = 0;         // the whole sequence
  std::size_t prefix_tokens = 0;  // of them in the shared prefix
  double logit = 0;
};

struct GoldenTokens {
  std::string text;
  std::vector<std::int32_t> ids;
};

struct Golden {
  std::vector<GoldenCase> cases;
  std::vector<GoldenTokens> tokens;
};

inline std::filesystem::path golden_folder() {
  return std::filesystem::path(QRERANK_SOURCE_DIR) / "tests" / "golden";
}

/// Throws simdjson_error where the file is not as expected.
inline Golden read_golden(const std::filesystem::path& file) {
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.load(file.string());
  Golden golden;
  for (const auto entry : root["cases"].get_array()) {
    std::string_view instruction;
    std::uint64_t prefix_tokens = 0;
    if (entry["prefix_tokens"].get(prefix_tokens) == simdjson::SUCCESS) {
      instruction = entry["instruction"].get_string().value();
    }
    golden.cases.push_back({.instruction = std::string(instruction),
                            .query = std::string(entry["query"].get_string().value()),
                            .text = std::string(entry["text"].get_string().value()),
                            .tokens = entry["tokens"].get_uint64().value(),
                            .prefix_tokens = prefix_tokens,
                            .logit = entry["logit"].get_double().value()});
  }
  for (const auto entry : root["tokens"].get_array()) {
    GoldenTokens tokens{.text = std::string(entry["text"].get_string().value()), .ids = {}};
    for (const std::int64_t id : entry["ids"].get_array()) {
      tokens.ids.push_back(static_cast<std::int32_t>(id));
    }
    golden.tokens.push_back(std::move(tokens));
  }
  return golden;
}

inline std::filesystem::path minilm_folder() {
  return std::filesystem::path(QRERANK_CACHE_DIR) / "models" / "ms-marco-MiniLM-L12-v2";
}

/// What a test that needs the real weights says when they are not there.
inline std::string minilm_missing() {
  return minilm_folder().string() + " is missing: run scripts/setup, which converts the sample weights";
}

}  // namespace qrerank::tests

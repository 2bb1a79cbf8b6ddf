#include "reranker/model/tokenizer_limit.hpp"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <string>

#include "reranker/regular_file.hpp"

namespace qrerank::reranker::model {
namespace {

constexpr double kLeast = 8;
constexpr double kMost = 1 << 20;

constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20U;

}  // namespace

std::optional<std::size_t> tokenizer_limit(std::string_view json) {
  if (json.empty()) return std::nullopt;
  // On demand: a document with an integer beyond 64 bits, as "no limit" is written, does not parse as a
  // whole.
  simdjson::ondemand::parser parser;
  const simdjson::padded_string text(json);
  simdjson::ondemand::document document;
  std::string_view token;
  if (parser.iterate(text).get(document) != simdjson::SUCCESS ||
      document["model_max_length"].raw_json_token().get(token) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
  double value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  const bool whole = error == std::errc() && end == token.data() + token.size() && std::floor(value) == value;
  if (!whole || value < kLeast || value > kMost) return std::nullopt;
  return static_cast<std::size_t>(value);
}

std::optional<std::size_t> tokenizer_limit_in(const std::filesystem::path& folder) {
  const auto json = read_regular_file(folder / "tokenizer_config.json", kMaxBytes);
  return json ? tokenizer_limit(*json) : std::nullopt;
}

}  // namespace qrerank::reranker::model

#include "reranker/mock_embedding.hpp"

#include <cmath>

#include "reranker/words.hpp"

namespace qrerank::reranker {
namespace {

constexpr std::size_t kMaxTokens = 513;
constexpr std::int32_t kBegin = -1;  // so that no sequence is empty

std::uint32_t hash_of(const std::u32string& word) {
  std::uint32_t hash = 2166136261u;
  for (const char32_t c : word) {
    hash = (hash ^ c) * 16777619u;
  }
  return hash;
}

class MockEmbedding final : public model::Model {
 public:
  MockEmbedding() {
    info_.name = kMockEmbedding;
    info_.family = "mock";
    info_.dtype = "float32";
    info_.device = "cpu";
    info_.recipe_version = "words-1";
    info_.max_length = kMaxTokens;
    info_.width = kMockEmbeddingWidth;
  }

  const model::ModelInfo& info() const override { return info_; }

  model::EncodedTexts encode(std::string_view /*instruction*/, std::string_view /*query*/,
                             std::span<const std::string> texts) const override {
    model::EncodedTexts encoded;
    for (const std::string& text : texts) {
      model::Sequence& sequence = encoded.texts.emplace_back();
      sequence.ids.push_back(kBegin);
      for_each_word(text, [&](const std::u32string& word) {
        const auto id = static_cast<std::int32_t>(hash_of(word) & 0x7FFFFFFF);
        if (sequence.ids.size() < kMaxTokens) sequence.ids.push_back(id);
      });
    }
    return encoded;
  }

  std::vector<double> logits(std::span<const model::BatchItem> items) override {
    std::vector<double> rows(items.size() * kMockEmbeddingWidth);
    for (std::size_t i = 0; i < items.size(); ++i) {
      fill(std::span(rows).subspan(i * kMockEmbeddingWidth, kMockEmbeddingWidth), items[i].body->ids);
    }
    return rows;
  }

 private:
  static void fill(std::span<double> row, const std::vector<std::int32_t>& ids) {
    double squares = 0;
    for (const std::int32_t id : ids) {
      if (id == kBegin) continue;
      const auto hash = static_cast<std::size_t>(id);
      row[hash % row.size()] += hash / row.size() % 2 == 0 ? 1 : -1;
    }
    for (const double value : row) squares += value * value;
    if (squares == 0) {
      row[0] = 1;
      return;
    }
    for (double& value : row) value /= std::sqrt(squares);
  }

  model::ModelInfo info_;
};

}  // namespace

std::unique_ptr<model::Model> make_mock_embedding() {
  return std::make_unique<MockEmbedding>();
}

}  // namespace qrerank::reranker

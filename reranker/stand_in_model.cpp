#include "reranker/stand_in_model.hpp"

#include <algorithm>
#include <functional>
#include <future>
#include <limits>
#include <stdexcept>

namespace qrerank::reranker {
namespace {

// Each word a token.
model::Sequence tokens_of(std::string_view text) {
  model::Sequence sequence;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
    if (end > 0) {
      constexpr std::size_t kVocabulary = std::numeric_limits<std::int32_t>::max();
      const std::size_t hash = std::hash<std::string_view>()(text.substr(0, end));
      sequence.ids.push_back(static_cast<std::int32_t>(hash % kVocabulary));
    }
    text.remove_prefix(end);
  }
  return sequence;
}

class StandInModel : public model::Model {
 public:
  explicit StandInModel(StandIn behaviour) : behaviour_(behaviour) {
    info_.family = "stand-in";
    info_.dtype = "float32";
    info_.device = "cpu";
    info_.recipe_version = "1";
    info_.max_length = 8192;
  }

  const model::ModelInfo& info() const override { return info_; }

  model::EncodedTexts encode(std::string_view /*instruction*/, std::string_view query,
                             std::span<const std::string> texts) const override {
    model::EncodedTexts encoded;
    encoded.prefix = std::make_shared<const model::Sequence>(tokens_of(query));
    for (const std::string& text : texts) {
      encoded.texts.push_back(tokens_of(text));
      encoded.texts.back().ids.resize(std::min(encoded.texts.back().ids.size(), info_.max_length));
    }
    return encoded;
  }

  std::vector<double> logits(std::span<const model::BatchItem> items) override {
    switch (behaviour_) {
      case StandIn::hangs:
        never_.get_future().wait();
        break;
      case StandIn::throws:
        throw std::runtime_error("a stand-in that throws");
      case StandIn::out_of_memory:
        throw model::OutOfMemory();
      case StandIn::not_a_number:
        return std::vector<double>(items.size(), std::numeric_limits<double>::quiet_NaN());
      case StandIn::none:
      case StandIn::works:
      case StandIn::fails_to_load:
        break;
    }
    std::vector<double> all;
    for (const model::BatchItem& item : items) {
      const auto& query = item.prefix->ids;
      const auto common = std::ranges::count_if(query, [&](std::int32_t word) {
        return std::ranges::find(item.body->ids, word) != item.body->ids.end();
      });
      all.push_back(static_cast<double>(common) - 1);
    }
    return all;
  }

 private:
  const StandIn behaviour_;
  std::promise<void> never_;  // kept
  model::ModelInfo info_;
};

}  // namespace

tl::expected<std::unique_ptr<model::Model>, model::LoadError> load_stand_in(StandIn behaviour) {
  if (behaviour == StandIn::fails_to_load)
    return tl::make_unexpected(model::LoadError{"a stand-in that fails to load"});
  return std::make_unique<StandInModel>(behaviour);
}

}  // namespace qrerank::reranker

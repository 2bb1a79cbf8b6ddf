// What the tests of whole models' scores share: loading on the CPU, distances, the same items in another
// order.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "reranker/model/model.hpp"

namespace qrerank::tests {

inline std::unique_ptr<reranker::model::Model> load_on_cpu(const std::filesystem::path& folder,
                                                           const std::string& dtype, int threads = 2) {
  reranker::model::ModelSpec spec;
  spec.name = "test";
  spec.path = folder.string();
  spec.dtype = dtype;
  spec.device = "cpu";
  spec.threads = threads;
  auto model = reranker::model::load_model(spec);
  if (!model) throw std::runtime_error(model.error().message);
  return std::move(*model);
}

/// The largest distance of two that belong together.
inline double worst(const std::vector<double>& a, const std::vector<double>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

/// The logits of the items in another order, brought back into theirs.
inline std::vector<double> logits_shuffled(reranker::model::Model& model,
                                           const std::vector<reranker::model::BatchItem>& items) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  std::vector<reranker::model::BatchItem> other;
  for (const auto i : order) other.push_back(items[i]);
  const auto logits = model.logits(other);
  std::vector<double> back(items.size());
  for (std::size_t i = 0; i < order.size(); ++i) back[order[i]] = logits[i];
  return back;
}

}  // namespace qrerank::tests

// A computed prefix, and the few that are kept for the next batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <vector>

namespace qrerank::reranker::model {

/// A prefix's keys (turned to their positions) and values, layer by layer.
struct PrefixKv {
  std::vector<at::Tensor> layers;  // each [tokens, 2, kv_heads, head_dim]

  [[nodiscard]] std::int64_t tokens() const { return layers.front().size(0); }
  [[nodiscard]] std::size_t bytes() const;
};

/// Computed prefixes by their tokens, the least recently used one dropped first. A request that spans several
/// batches computes its prefix once this way. For one thread.
class PrefixCache {
 public:
  /// `most_bytes`: of all that is kept; only the prefixes of the last batch may be more, for the next one
  /// most likely needs them, and they were all in memory with it anyway.
  explicit PrefixCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// Null when it is not there.
  [[nodiscard]] std::shared_ptr<const PrefixKv> find(const std::vector<std::int32_t>& ids);
  [[nodiscard]] bool holds(const std::vector<std::int32_t>& ids) const { return places_.contains(ids); }
  void insert(const std::vector<std::int32_t>& ids, std::shared_ptr<const PrefixKv> kv);
  /// The batch has what it needs: of what it neither found nor inserted, only what fits is kept.
  void end_batch();
  void clear();

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::vector<std::int32_t> ids;
    std::shared_ptr<const PrefixKv> kv;
    std::size_t batch = 0;  // that used it last
  };
  void drop_last();

  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::size_t batch_ = 0;
  std::list<Entry> entries_;  // most recently used first
  std::map<std::vector<std::int32_t>, std::list<Entry>::iterator> places_;
};

}  // namespace qrerank::reranker::model

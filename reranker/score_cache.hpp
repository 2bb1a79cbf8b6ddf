// Scores that were computed before. Bounded in bytes; knows nothing of models and requests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace qrerank::reranker {

/// SHA-256 over length-prefixed model, recipe version, instruction, query and text: equal keys mean equal
/// input.
using ScoreKey = std::array<std::uint8_t, 32>;

/// Makes the keys of one request; what its texts share is hashed once. Not thread-safe.
class ScoreKeyMaker {
 public:
  ScoreKeyMaker(std::string_view model, std::string_view recipe_version, std::string_view instruction,
                std::string_view query);
  ~ScoreKeyMaker();
  ScoreKeyMaker(const ScoreKeyMaker&) = delete;
  ScoreKeyMaker& operator=(const ScoreKeyMaker&) = delete;

  [[nodiscard]] ScoreKey key(std::string_view text);

 private:
  struct Digests;
  std::unique_ptr<Digests> digests_;
};

/// Least recently used entries go first. Thread-safe: one mutex, taken once per request by the calls on
/// spans; a lookup of 50 keys holds it for about 2 µs, so that shards would buy nothing.
class ScoreCache {
 public:
  /// What one entry costs in memory: two nodes with their allocation headers and its share of the bucket
  /// array (142 measured with glibc), and room for that array while it grows.
  static constexpr std::size_t kEntryBytes = 176;
  static constexpr std::size_t kDefaultBytes = std::size_t{64} << 20;

  struct Counters {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evictions = 0;
    std::size_t entries = 0;
    std::size_t bytes = 0;
  };

  /// Holds at most `max_bytes` (kEntryBytes each); below one entry it holds nothing.
  explicit ScoreCache(std::size_t max_bytes = kDefaultBytes);

  /// One answer per key, in their order; found entries become the most recent.
  [[nodiscard]] std::vector<std::optional<double>> find(std::span<const ScoreKey> keys);

  /// Adds or replaces; as many logits as keys. Logits that are not finite are not kept.
  void insert(std::span<const ScoreKey> keys, std::span<const double> logits);

  [[nodiscard]] Counters counters() const;

 private:
  struct Entry {
    ScoreKey key;
    double logit;
  };
  struct KeyHash {
    // The key is a cryptographic digest: any eight bytes of it are a hash.
    std::size_t operator()(const ScoreKey& key) const {
      std::size_t hash = 0;
      std::memcpy(&hash, key.data(), sizeof hash);
      return hash;
    }
  };

  const std::size_t max_entries_;

  mutable std::mutex mutex_;  // guards all below
  std::list<Entry> recent_;   // most recent first
  std::unordered_map<ScoreKey, std::list<Entry>::iterator, KeyHash> index_;
  Counters counters_;
};

}  // namespace qrerank::reranker

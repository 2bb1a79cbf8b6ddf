// What collections' metadata said of their embedding models, for a while. What one key may read stays with
// that key: the credentials are part of an entry's name.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace qrerank::proxy::selection {

/// SHA-256 over length-prefixed parts: equal keys mean equal parts. No secret can be read out of it.
using MetadataKey = std::array<std::uint8_t, 32>;

/// `parts` must hold all that the answer may depend on: what is asked, and every field it is asked with.
MetadataKey metadata_key(std::span<const std::string_view> parts);

/// Thread-safe. Bounded: the entry that is out of date first makes room.
class MetadataCache {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kDefaultEntries = 1024;

  /// At least one entry.
  explicit MetadataCache(std::size_t max_entries = kDefaultEntries)
      : max_entries_(std::max<std::size_t>(max_entries, 1)) {}

  struct Found {
    std::optional<std::string> embedding;
    bool due = false;  ///< the caller is to read the metadata and to `store` or `keep`
  };

  /// An entry out of date is due for one caller; until `lease` from `now` the others get the old answer
  /// without being asked to read. One that was never stored is due for every caller.
  [[nodiscard]] Found find(const MetadataKey& key, Clock::time_point now, Clock::duration lease);

  /// The metadata was read; no embedding model is an answer, too.
  void store(const MetadataKey& key, std::optional<std::string> embedding, Clock::time_point until);

  /// It could not be read: the old answer, or none, holds until then.
  void keep(const MetadataKey& key, Clock::time_point until);

  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    std::optional<std::string> embedding;
    Clock::time_point until;
  };
  struct KeyHash {
    // Any eight bytes of a digest are a hash.
    std::size_t operator()(const MetadataKey& key) const {
      std::size_t hash = 0;
      std::memcpy(&hash, key.data(), sizeof hash);
      return hash;
    }
  };

  Entry& entry_for(const MetadataKey& key);

  const std::size_t max_entries_;

  mutable std::mutex mutex_;  // guards all below
  std::unordered_map<MetadataKey, Entry, KeyHash> entries_;
};

}  // namespace qrerank::proxy::selection

#include "proxy/selection/metadata_cache.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace qrerank::proxy::selection {

MetadataKey metadata_key(std::span<const std::string_view> parts) {
  std::string text;
  for (const auto part : parts) {
    text += std::to_string(part.size());  // keeps ("ab", "c") and ("a", "bc") apart
    text += ':';
    text += part;
  }
  MetadataKey key{};
  if (EVP_Digest(text.data(), text.size(), key.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed in the cryptographic library");
  }
  return key;
}

MetadataCache::Found MetadataCache::find(const MetadataKey& key, Clock::time_point now,
                                         Clock::duration lease) {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(key);
  if (at == entries_.end()) {
    return {std::nullopt, true};
  }
  const bool due = at->second.until <= now;
  if (due) {
    at->second.until = now + lease;
  }
  return {at->second.embedding, due};
}

void MetadataCache::store(const MetadataKey& key, std::optional<std::string> embedding,
                          Clock::time_point until) {
  const std::lock_guard lock(mutex_);
  entry_for(key) = {std::move(embedding), until};
}

void MetadataCache::keep(const MetadataKey& key, Clock::time_point until) {
  const std::lock_guard lock(mutex_);
  entry_for(key).until = until;
}

std::size_t MetadataCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

MetadataCache::Entry& MetadataCache::entry_for(const MetadataKey& key) {
  if (!entries_.contains(key) && entries_.size() >= max_entries_) {
    entries_.erase(
        std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.until; }));
  }
  return entries_[key];
}

}  // namespace qrerank::proxy::selection

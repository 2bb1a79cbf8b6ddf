#include "reranker/score_cache.hpp"

#include <openssl/evp.h>

#include <cmath>
#include <new>
#include <stdexcept>

namespace qrerank::reranker {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Context new_context() {
  Context context(EVP_MD_CTX_new());
  if (!context) {
    throw std::bad_alloc();
  }
  return context;
}

void check(int ok) {
  if (ok != 1) {
    throw std::runtime_error("SHA-256 failed in the cryptographic library");
  }
}

// The length in front keeps ("ab", "c") and ("a", "bc") apart. Eight bytes, least first.
void add_part(EVP_MD_CTX* context, std::string_view part) {
  std::array<std::uint8_t, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(part.size()) >> (8 * i));
  }
  check(EVP_DigestUpdate(context, length.data(), length.size()));
  check(EVP_DigestUpdate(context, part.data(), part.size()));
}

}  // namespace

struct ScoreKeyMaker::Digests {
  Context shared = new_context();   // after the parts that all texts share
  Context scratch = new_context();  // copied from it for each text
};

ScoreKeyMaker::ScoreKeyMaker(std::string_view model, std::string_view recipe_version,
                             std::string_view instruction, std::string_view query)
    : digests_(std::make_unique<Digests>()) {
  check(EVP_DigestInit_ex(digests_->shared.get(), EVP_sha256(), nullptr));
  for (const std::string_view part : {model, recipe_version, instruction, query}) {
    add_part(digests_->shared.get(), part);
  }
}

ScoreKeyMaker::~ScoreKeyMaker() = default;

ScoreKey ScoreKeyMaker::key(std::string_view text) {
  EVP_MD_CTX* const scratch = digests_->scratch.get();
  check(EVP_MD_CTX_copy_ex(scratch, digests_->shared.get()));
  add_part(scratch, text);
  ScoreKey key{};
  check(EVP_DigestFinal_ex(scratch, key.data(), nullptr));
  return key;
}

ScoreCache::ScoreCache(std::size_t max_bytes) : max_entries_(max_bytes / kEntryBytes) {}

std::vector<std::optional<double>> ScoreCache::find(std::span<const ScoreKey> keys) {
  std::vector<std::optional<double>> found(keys.size());
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto at = index_.find(keys[i]);
    if (at == index_.end()) {
      ++counters_.misses;
      continue;
    }
    ++counters_.hits;
    found[i] = at->second->logit;
    recent_.splice(recent_.begin(), recent_, at->second);
  }
  return found;
}

void ScoreCache::insert(std::span<const ScoreKey> keys, std::span<const double> logits) {
  if (keys.size() != logits.size()) {
    throw std::invalid_argument("as many logits as keys");
  }
  if (max_entries_ == 0) {
    return;
  }
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!std::isfinite(logits[i])) {
      continue;
    }
    if (const auto at = index_.find(keys[i]); at != index_.end()) {
      at->second->logit = logits[i];
      recent_.splice(recent_.begin(), recent_, at->second);
      continue;
    }
    if (index_.size() == max_entries_) {
      index_.erase(recent_.back().key);
      recent_.pop_back();
      ++counters_.evictions;
    }
    recent_.push_front({keys[i], logits[i]});
    index_.emplace(keys[i], recent_.begin());
  }
}

ScoreCache::Counters ScoreCache::counters() const {
  const std::lock_guard lock(mutex_);
  Counters counters = counters_;
  counters.entries = index_.size();
  counters.bytes = index_.size() * kEntryBytes;
  return counters;
}

}  // namespace qrerank::reranker

#include "proxy/observe/metrics/scoring.hpp"

namespace qrerank::proxy::observe::metrics {
namespace {

const std::vector<double>& token_bounds() {
  static const std::vector<double> bounds = {128, 512, 1024, 2048, 4096, 8192, 16384, 32768};
  return bounds;
}

const std::vector<double>& fill_bounds() {
  static const std::vector<double> bounds = {0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1};
  return bounds;
}

}  // namespace

Scoring::Scoring(Registry& registry)
    : batches_(registry.counter("qrerank_batches_total", "Batches computed.")),
      texts_(registry.counter("qrerank_texts_total", "Texts computed.")),
      tokens_(registry.counter("qrerank_tokens_total", "Tokens computed.")),
      batch_tokens_(registry.histogram("qrerank_batch_tokens", "Tokens per batch.", token_bounds())),
      batch_fill_(registry.histogram("qrerank_batch_fill_ratio",
                                     "Tokens per batch as a share of its token budget.", fill_bounds())),
      batch_seconds_(
          registry.histogram("qrerank_batch_compute_seconds", "Computing one batch.", duration_bounds())),
      budgets_halved_(registry.counter("qrerank_token_budget_halved_total",
                                       "Times that memory ran out while scoring and the token budget was "
                                       "halved.")),
      queued_texts_(registry.gauge("qrerank_queue_texts", "Texts waiting to be scored.")),
      queued_tokens_(registry.gauge("qrerank_queue_tokens", "Tokens waiting to be scored.")),
      cache_hits_(registry.counter("qrerank_cache_hits_total", "Scores found in the cache.")),
      cache_misses_(registry.counter("qrerank_cache_misses_total", "Scores not found in the cache.")),
      cache_bytes_(registry.gauge("qrerank_cache_bytes", "Memory that the score cache takes.")),
      cache_entries_(registry.gauge("qrerank_cache_entries", "Scores in the cache.")) {}

void Scoring::batch(std::size_t texts, std::size_t tokens, std::size_t budget,
                    std::chrono::microseconds compute) {
  batches_.add();
  texts_.add(static_cast<double>(texts));
  tokens_.add(static_cast<double>(tokens));
  batch_tokens_.observe(static_cast<double>(tokens));
  if (budget > 0) batch_fill_.observe(static_cast<double>(tokens) / static_cast<double>(budget));
  batch_seconds_.observe(compute);
}

void Scoring::queue(std::size_t texts, std::size_t tokens) {
  queued_texts_.set(static_cast<double>(texts));
  queued_tokens_.set(static_cast<double>(tokens));
}

void Scoring::cache(std::size_t hits, std::size_t misses) {
  cache_hits_.add(static_cast<double>(hits));
  cache_misses_.add(static_cast<double>(misses));
}

void Scoring::cache_size(std::size_t bytes, std::size_t entries) {
  cache_bytes_.set(static_cast<double>(bytes));
  cache_entries_.set(static_cast<double>(entries));
}

}  // namespace qrerank::proxy::observe::metrics

// One request on its way through the local scorer, and the sorting out of its equal texts. Private to
// local_scorer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reranker/scheduler/deadline_timer.hpp"
#include "reranker/score_cache.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::reranker {

/// Equal texts share a slot; slots are scored, texts are answered.
struct Slots {
  std::vector<std::size_t> of_text;           // one per text
  std::vector<std::size_t> first_text;        // one per slot
  std::vector<ScoreKey> keys;                 // one per slot; empty without a cache
  std::vector<std::optional<double>> logits;  // one per slot, empty until known
  std::vector<std::size_t> computed;          // slots that the model is asked for, in its order

  explicit Slots(const std::vector<std::string>& texts) {
    std::unordered_map<std::string_view, std::size_t> seen;
    of_text.reserve(texts.size());
    for (std::size_t text = 0; text < texts.size(); ++text) {
      const auto [at, added] = seen.try_emplace(texts[text], first_text.size());
      if (added) {
        first_text.push_back(text);
      }
      of_text.push_back(at->second);
    }
    logits.resize(first_text.size());
  }

  /// In text order; every slot is known.
  [[nodiscard]] std::vector<double> text_logits() const {
    std::vector<double> all;
    all.reserve(of_text.size());
    for (const std::size_t slot : of_text) {
      all.push_back(logits[slot].value());
    }
    return all;
  }
};

struct LocalRequest {
  LocalRequest(std::uint64_t id_, ScoreRequest request_, ScoreCompletion done_)
      : id(id_),
        deadline(request_.deadline),
        texts(request_.texts.size()),
        submitted(Clock::now()),
        asked(std::move(request_)),
        done(std::move(done_)) {
    for (const std::string& text : asked.texts) {
      bytes += text.size();
    }
  }

  const std::uint64_t id;
  const Clock::time_point deadline;
  const std::size_t texts;
  std::size_t bytes = 0;
  const Clock::time_point submitted;

  // The tokenizer thread's alone, until it hands over to the scheduler and thereby to the completion.
  ScoreRequest asked;
  std::optional<Slots> slots;
  std::size_t cached = 0;
  Microseconds waited{0};    // for loading
  Microseconds tokenize{0};  // to all tokens there

  // Guarded by the scorer's mutex.
  ScoreCompletion done;
  Clock::time_point started{};  // posted to the tokenizer threads; not set: waiting for the model
  ScoreTicket ticket;           // the scheduler's
  scheduler::DeadlineTimer::Alarm alarm{};
};

}  // namespace qrerank::reranker

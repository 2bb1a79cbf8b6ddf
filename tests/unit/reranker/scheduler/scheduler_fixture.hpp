// A scheduler over a fake model, whoever asks it, and what it tells.
#pragma once

#include <boost/test/unit_test.hpp>
#include <mutex>
#include <optional>
#include <vector>

#include "reranker/scheduler/scheduler.hpp"
#include "tests/unit/reranker/fake_model.hpp"

namespace qrerank::reranker::scheduler {

using Result = tl::expected<ScoredTexts, ScoreError>;

inline constexpr auto kNever = Clock::time_point::max();

// `texts` texts of `tokens` tokens each, none like another.
inline model::EncodedTexts encoded(std::size_t texts, std::size_t tokens, std::int32_t first = 1) {
  model::EncodedTexts all;
  for (std::size_t i = 0; i < texts; ++i) {
    model::Sequence sequence;
    sequence.ids.assign(tokens, first++);
    all.texts.push_back(std::move(sequence));
  }
  return all;
}

inline std::vector<double> expected_logits(const model::EncodedTexts& texts) {
  std::vector<double> all;
  for (const auto& text : texts.texts) {
    all.push_back(fake_logit(texts.prefix.get(), text));
  }
  return all;
}

struct Recorder : Observer {
  std::mutex mutex;
  std::vector<BatchReport> batches;
  std::vector<std::size_t> budgets;
  QueueLength queue;

  void batch_formed(const std::string&, const BatchReport& batch) override {
    const std::lock_guard lock(mutex);
    batches.push_back(batch);
  }
  void budget_halved(const std::string&, std::size_t budget) override {
    const std::lock_guard lock(mutex);
    budgets.push_back(budget);
  }
  void queue_changed(const std::string&, std::size_t texts, std::size_t tokens) override {
    const std::lock_guard lock(mutex);
    queue = {texts, tokens};
  }
};

struct Fixture {
  FakeModel model;
  Recorder recorder;
  DeadlineTimer timer;
  SchedulerSettings settings{.token_budget = 100, .max_queued_texts = 1000, .max_queued_tokens = 10000};
  std::optional<Scheduler> scheduler;
  Gate gate;

  void start() { scheduler.emplace("fake", std::vector<model::Model*>{&model}, settings, timer, recorder); }

  // The first batch waits in the model until the gate opens.
  void start_gated() {
    model.on_logits = [this, first = true](FakeModel::Items) mutable {
      if (std::exchange(first, false)) {
        gate.pass();
      }
    };
    start();
  }

  struct Asked {
    Answer<Result> answer;
    ScoreTicket ticket;
  };
  Asked ask(model::EncodedTexts texts, Clock::time_point deadline = kNever, BatchTap tap = {}) {
    Asked asked;
    asked.ticket = scheduler->submit(std::move(texts), deadline, asked.answer.completion(), std::move(tap));
    return asked;
  }

  ~Fixture() {
    gate.open();
    scheduler.reset();
  }
};

inline ScoreFailure failure_of(Answer<Result>& answer) {
  const Result result = answer.get();
  BOOST_REQUIRE(!result.has_value());
  return result.error().failure;
}

#define TEST_FAILURE(answer, expected) BOOST_TEST((failure_of(answer) == ScoreFailure::expected))

}  // namespace qrerank::reranker::scheduler

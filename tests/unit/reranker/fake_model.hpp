// A model without weights for tests: one token a word, a logit that depends on nothing but the tokens. What
// happens inside `logits` can be gated, counted and made to fail.
#pragma once

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "reranker/model/model.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::reranker {

/// Closed: whoever passes waits. Opens once, for good. `arrived` waits until somebody waits.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void arrived(int count = 1) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

inline model::Sequence fake_tokens(std::string_view text) {
  model::Sequence sequence;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    sequence.ids.push_back(static_cast<std::int32_t>(std::hash<std::string>()(word) % 100000));
  }
  return sequence;
}

inline double fake_logit(const model::Sequence* prefix, const model::Sequence& body) {
  double sum = 0;
  for (const model::Sequence* part : {prefix, &body}) {
    if (part != nullptr) {
      for (const auto id : part->ids) {
        sum = sum / 3 + id;
      }
    }
  }
  return sum / 100000 - 1;
}

/// What the fake gives for one pair, by way of its own tokens.
inline double fake_logit(std::string_view query, std::string_view text) {
  const model::Sequence prefix = fake_tokens(query);
  return fake_logit(&prefix, fake_tokens(text));
}

class FakeModel : public model::Model {
 public:
  using Items = std::span<const model::BatchItem>;

  FakeModel() {
    info_.name = "fake";
    info_.family = "fake";
    info_.dtype = "float32";
    info_.device = "cpu";
    info_.recipe_version = "1";
    info_.weight_bytes = 7;
  }

  const model::ModelInfo& info() const override { return info_; }

  model::EncodedTexts encode(std::string_view, std::string_view query,
                             std::span<const std::string> texts) const override {
    if (on_encode) {
      on_encode(texts);
    }
    model::EncodedTexts encoded;
    encoded.prefix = std::make_shared<const model::Sequence>(fake_tokens(query));
    for (const std::string& text : texts) {
      encoded.texts.push_back(fake_tokens(text));
    }
    return encoded;
  }

  std::vector<double> logits(Items items) override {
    if (on_logits) {
      on_logits(items);
    }
    std::vector<double> all;
    for (const model::BatchItem& item : items) {
      all.push_back(fake_logit(item.prefix, *item.body));
    }
    if (change) {
      change(all);
    }
    return all;
  }

  bool keeps_prefix(const model::Sequence& prefix) const override { return keeps && keeps(prefix); }
  void release_cached_memory() override {
    if (on_release) {
      on_release();
    }
  }

  std::function<bool(const model::Sequence&)> keeps;
  std::function<void()> on_release;
  std::function<void(std::span<const std::string>)> on_encode;
  std::function<void(Items)> on_logits;
  std::function<void(std::vector<double>&)> change;
  model::ModelInfo info_;
};

/// Takes one completion; a second one is an error that ends the test program.
template <typename Result>
class Answer {
 public:
  std::function<void(Result)> completion() {
    return [state = state_](Result result) { state->promise.set_value(std::move(result)); };
  }
  Result get() { return state_->future.get(); }
  bool ready() const { return state_->future.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

 private:
  struct State {
    std::promise<Result> promise;
    std::future<Result> future = promise.get_future();
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace qrerank::reranker

// A loaded model at work: its replicas, their scheduler, and the way of a request through them: cache,
// tokens, queue, answer. When it is loaded and when it goes is the manager's.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "reranker/model/model.hpp"
#include "reranker/observer.hpp"
#include "reranker/scheduler/scheduler.hpp"
#include "reranker/score_cache.hpp"
#include "reranker/serving/request_desk.hpp"

namespace qrerank::reranker::serving {

class Engine {
 public:
  using Replicas = std::vector<std::unique_ptr<model::Model>>;

  /// At least one replica, all of one checkpoint. `cache` may be null, and is for judgements only; `timer`
  /// and `observer` must outlive this. Starts one compute thread a replica.
  Engine(std::string name, Replicas replicas, scheduler::SchedulerSettings settings,
         std::shared_ptr<RequestDesk> desk, std::shared_ptr<ScoreCache> cache,
         scheduler::DeadlineTimer& timer, Observer& observer);

  /// Looks up, tokenizes and submits; the desk is told what comes of it. Blocks for the tokenizing: call it
  /// on a tokenizer thread.
  void serve(const RequestPtr& request);

  /// Of the first replica; the others differ in nothing but the device.
  [[nodiscard]] const model::ModelInfo& info() const { return replicas_.front()->info(); }
  /// Where its requests are kept.
  [[nodiscard]] RequestDesk& desk() const { return *desk_; }

  /// Completes what the scheduler holds with `cancelled` and waits for the batches under way. Not from a
  /// completion; nor may the destructor, which does the same, run in one.
  void shutdown() { scheduler_.shutdown(); }

 private:
  void tokenize(const RequestPtr& request);
  std::vector<std::string> look_up(Request& request);
  void hand_over(const RequestPtr& request, model::EncodedTexts encoded);
  [[nodiscard]] scheduler::BatchTap cache_tap(const Slots& slots) const;

  const std::string name_;
  const Replicas replicas_;
  const std::shared_ptr<RequestDesk> desk_;
  const std::shared_ptr<ScoreCache> cache_;
  Observer& observer_;
  scheduler::Scheduler scheduler_;
};

}  // namespace qrerank::reranker::serving

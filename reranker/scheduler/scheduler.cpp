#include "reranker/scheduler/scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "reranker/scheduler/batch.hpp"
#include "reranker/scheduler/batch_former.hpp"
#include "reranker/scheduler/batch_pace.hpp"
#include "reranker/scheduler/job.hpp"

namespace qrerank::reranker::scheduler {
namespace {

constexpr std::size_t kBatchesToRecover = 64;

// Completions taken out of their jobs under the lock, to be called without it; the jobs too are released only
// then, for what their callbacks hold may call in here when it goes.
struct Finished {
  std::vector<std::shared_ptr<Job>> jobs;
  std::vector<std::pair<ScoredCompletion, tl::expected<ScoredTexts, ScoreError>>> calls;

  void call() {
    for (auto& [done, result] : calls) {
      done(std::move(result));
    }
    calls.clear();
    jobs.clear();
  }
};

std::size_t room(std::size_t limit, std::size_t used) {
  return used < limit ? limit - used : 0;
}

ScoreError error(ScoreFailure failure, std::string message, Timings timings = {}) {
  return {failure, std::move(message), timings};
}

}  // namespace

class Scheduler::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(std::string model, std::size_t width, SchedulerSettings settings, DeadlineTimer& timer,
       Observer& observer)
      : model_(std::move(model)),
        width_(width),
        settings_(settings),
        timer_(timer),
        observer_(observer),
        budget_(std::max<std::size_t>(settings.token_budget, 1)) {}

  ScoreTicket submit(model::EncodedTexts encoded, Clock::time_point deadline, ScoredCompletion done,
                     BatchTap tap);
  void run(model::Model& replica);
  void stop();
  QueueLength queue_length() const {
    const std::lock_guard lock(mutex_);
    return {waiting_.size(), waiting_tokens_};
  }

 private:
  using JobPtr = std::shared_ptr<Job>;

  void fail_by_id(std::uint64_t id, ScoreFailure failure, const char* message);

  // All below: with the mutex held.
  Batch take_batch(const model::Model& replica, const BatchPace& pace, Finished& finished);
  void settle(const Batch& batch, const Computed& computed, Finished& finished);
  void put_back(const Entry& entry);
  void succeed(const JobPtr& job, Finished& finished);
  void fail(const JobPtr& job, ScoreFailure failure, std::string message, Finished& finished);
  void forget(const JobPtr& job, Finished& finished);
  void queue_changed() { observer_.queue_changed(model_, waiting_.size(), waiting_tokens_); }

  const std::string model_;
  const std::size_t width_;  // of what the model gives for a text
  const SchedulerSettings settings_;
  DeadlineTimer& timer_;
  Observer& observer_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<Entry> waiting_;  // in order of arrival; every job of it is in live_
  std::size_t waiting_tokens_ = 0;
  std::map<std::uint64_t, JobPtr> live_;  // not completed yet
  std::uint64_t next_id_ = 0;
  std::uint64_t next_arrival_ = 0;
  std::size_t budget_;
  std::size_t good_batches_ = 0;  // in a row
  bool stopping_ = false;
};

ScoreTicket Scheduler::Core::submit(model::EncodedTexts encoded, Clock::time_point deadline,
                                    ScoredCompletion done, BatchTap tap) {
  if (encoded.texts.empty()) {
    done(ScoredTexts{});
    return {};
  }
  if (deadline <= Clock::now()) {
    done(tl::make_unexpected(
        error(ScoreFailure::timeout, "the deadline passed before the texts were queued")));
    return {};
  }
  std::size_t tokens = 0;
  for (const model::Sequence& text : encoded.texts) {
    tokens += text.ids.size();
  }
  std::unique_lock lock(mutex_);
  if (stopping_) {
    lock.unlock();
    done(tl::make_unexpected(error(ScoreFailure::cancelled, "the scheduler is shut down")));
    return {};
  }
  if (encoded.texts.size() > room(settings_.max_queued_texts, waiting_.size()) ||
      tokens > room(settings_.max_queued_tokens, waiting_tokens_)) {
    lock.unlock();
    done(tl::make_unexpected(error(ScoreFailure::overloaded, "the scoring queue is full")));
    return {};
  }
  const std::uint64_t id = ++next_id_;
  const auto job =
      std::make_shared<Job>(id, std::move(encoded), width_, deadline, std::move(done), std::move(tap));
  for (std::size_t text = 0; text < job->encoded.texts.size(); ++text) {
    waiting_.push_back({job, text, next_arrival_++});
  }
  waiting_tokens_ += tokens;
  live_.emplace(id, job);
  const std::weak_ptr<Core> weak = weak_from_this();
  job->alarm = timer_.schedule(deadline, [weak, id] {
    if (const auto core = weak.lock()) {
      core->fail_by_id(id, ScoreFailure::timeout, "the deadline passed before the last score was there");
    }
  });
  queue_changed();
  lock.unlock();
  changed_.notify_all();  // one request may fill batches for several idle replicas
  return ScoreTicket(std::shared_ptr<void>(nullptr, [weak, id](void*) {
    if (const auto core = weak.lock()) {
      core->fail_by_id(id, ScoreFailure::cancelled, "nobody waits any more");
    }
  }));
}

void Scheduler::Core::run(model::Model& replica) {
  BatchPace pace(settings_.batch_time);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) {
      return;
    }
    Finished finished;
    Batch batch = take_batch(replica, pace, finished);
    lock.unlock();
    finished.call();
    if (!batch.entries.empty()) {
      observer_.batch_formed(model_, batch.report);
      const Computed computed = compute(replica, batch);
      observer_.batch_computed(model_, batch.report, std::chrono::duration_cast<Microseconds>(computed.took));
      if (computed.outcome == Outcome::scored) {
        pace.measured(batch.report.tokens, computed.took);
        tell_taps(batch, computed);
      }
      lock.lock();
      settle(batch, computed, finished);
      lock.unlock();
      finished.call();
      batch.entries.clear();
    }
    lock.lock();
  }
}

void Scheduler::Core::stop() {
  Finished finished;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    while (!live_.empty()) {
      fail(live_.begin()->second, ScoreFailure::cancelled, "the scheduler is shut down", finished);
    }
  }
  changed_.notify_all();
  finished.call();
}

void Scheduler::Core::fail_by_id(std::uint64_t id, ScoreFailure failure, const char* message) {
  Finished finished;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = live_.find(id); at != live_.end()) {
      const JobPtr job = at->second;
      fail(job, failure, message, finished);
    }
  }
  finished.call();
}

Batch Scheduler::Core::take_batch(const model::Model& replica, const BatchPace& pace, Finished& finished) {
  // A prefix that the replica keeps, from an earlier batch or another request, costs nothing more.
  std::map<const model::Sequence*, std::size_t> prefix_costs;
  const auto prefix_cost = [&](const Job& job) {
    const model::Sequence* const prefix = job.encoded.prefix.get();
    if (prefix == nullptr) {
      return std::size_t{0};
    }
    const auto [at, added] = prefix_costs.try_emplace(prefix, prefix->ids.size());
    if (added && replica.keeps_prefix(*prefix)) {
      at->second = 0;
    }
    return at->second;
  };
  std::vector<WaitingText> texts;
  texts.reserve(waiting_.size());
  for (const Entry& entry : waiting_) {
    texts.push_back({.request = entry.job->id,
                     .tokens = entry.tokens(),
                     .prefix = entry.job->encoded.prefix.get(),
                     .prefix_tokens = prefix_cost(*entry.job),
                     .deadline = entry.job->deadline});
  }
  const std::size_t budget = pace.limit(budget_);
  const FormedBatch formed = form_batch(texts, budget, Clock::now());

  Batch batch;
  batch.report = {.items = formed.chosen.size(), .tokens = formed.tokens, .budget = budget};
  std::set<std::uint64_t> requests;
  std::vector<bool> taken(waiting_.size());
  for (const std::size_t index : formed.chosen) {
    taken[index] = true;
    waiting_tokens_ -= waiting_[index].tokens();
    requests.insert(waiting_[index].job->id);
    batch.entries.push_back(std::move(waiting_[index]));
  }
  batch.report.requests = requests.size();
  std::vector<JobPtr> expired;
  for (const std::size_t index : formed.dropped) {
    expired.push_back(waiting_[index].job);
  }
  std::size_t kept = 0;
  for (std::size_t index = 0; index < waiting_.size(); ++index) {
    if (!taken[index]) {
      if (kept != index) {
        waiting_[kept] = std::move(waiting_[index]);
      }
      ++kept;
    }
  }
  waiting_.resize(kept);
  // The timer would come for them as well; whoever looks first.
  for (const JobPtr& job : expired) {
    fail(job, ScoreFailure::timeout, "the deadline passed before the last score was there", finished);
  }
  queue_changed();
  return batch;
}

void Scheduler::Core::settle(const Batch& batch, const Computed& computed, Finished& finished) {
  if (computed.outcome == Outcome::out_of_memory) {
    budget_ = std::max<std::size_t>(std::min(budget_, batch.report.budget) / 2, 1);
    good_batches_ = 0;
    observer_.budget_halved(model_, budget_);
  } else if (budget_ < settings_.token_budget && ++good_batches_ >= kBatchesToRecover) {
    budget_ = budget_ > settings_.token_budget / 2 ? settings_.token_budget : budget_ * 2;
    good_batches_ = 0;
  }
  std::set<std::uint64_t> timed;
  bool returned = false;
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    const Entry& entry = batch.entries[i];
    const JobPtr& job = entry.job;
    if (!live_.contains(job->id)) {
      continue;  // cancelled, expired or failed meanwhile
    }
    if (timed.insert(job->id).second) {
      job->computed(computed.begin, computed.took);
    }
    switch (computed.outcome) {
      case Outcome::scored:
        if (!is_finite(computed.row(i))) {
          fail(job, ScoreFailure::internal, "the model gave a logit that is not finite", finished);
          break;
        }
        std::ranges::copy(computed.row(i),
                          job->scored.logits.begin() + static_cast<std::ptrdiff_t>(entry.text * width_));
        if (--job->remaining == 0) {
          succeed(job, finished);
        }
        break;
      case Outcome::out_of_memory:
        if (entry.retried) {
          fail(job, ScoreFailure::out_of_memory, "memory ran out, also with the smaller batch", finished);
        } else {
          put_back(entry);
          returned = true;
        }
        break;
      case Outcome::failed:
        fail(job, ScoreFailure::internal, computed.message, finished);
        break;
    }
  }
  if (returned) {
    queue_changed();
    changed_.notify_all();
  }
}

// To its place in the order of arrival. The queue may be over its limits by one batch for a moment: these
// texts were admitted before.
void Scheduler::Core::put_back(const Entry& entry) {
  const auto place = std::ranges::upper_bound(waiting_, entry.arrival, {}, &Entry::arrival);
  waiting_tokens_ += entry.tokens();
  waiting_.insert(place, entry)->retried = true;
}

void Scheduler::Core::succeed(const JobPtr& job, Finished& finished) {
  finished.calls.emplace_back(std::exchange(job->done, nullptr), std::move(job->scored));
  forget(job, finished);
}

void Scheduler::Core::fail(const JobPtr& job, ScoreFailure failure, std::string message, Finished& finished) {
  if (!live_.contains(job->id)) {
    return;
  }
  finished.calls.emplace_back(
      std::exchange(job->done, nullptr),
      tl::make_unexpected(error(failure, std::move(message), job->timings_until(Clock::now()))));
  const JobPtr keep = job;  // `job` may live in what is erased here
  const std::size_t erased = std::erase_if(waiting_, [&](const Entry& entry) {
    if (entry.job != keep) {
      return false;
    }
    waiting_tokens_ -= entry.tokens();
    return true;
  });
  forget(keep, finished);
  if (erased > 0) {
    queue_changed();
  }
}

void Scheduler::Core::forget(const JobPtr& job, Finished& finished) {
  timer_.cancel(job->alarm);
  if (const auto at = live_.find(job->id); at != live_.end()) {
    finished.jobs.push_back(std::move(at->second));
    live_.erase(at);
  }
}

Scheduler::Scheduler(std::string model, const std::vector<model::Model*>& replicas,
                     SchedulerSettings settings, DeadlineTimer& timer, Observer& observer)
    : core_(std::make_shared<Core>(std::move(model), replicas.front()->info().width, settings, timer,
                                   observer)) {
  for (model::Model* const replica : replicas) {
    threads_.emplace_back([core = core_.get(), replica] { core->run(*replica); });
  }
}

Scheduler::~Scheduler() {
  shutdown();
}

ScoreTicket Scheduler::submit(model::EncodedTexts encoded, Clock::time_point deadline, ScoredCompletion done,
                              BatchTap tap) {
  return core_->submit(std::move(encoded), deadline, std::move(done), std::move(tap));
}

QueueLength Scheduler::queue_length() const {
  return core_->queue_length();
}

void Scheduler::shutdown() {
  core_->stop();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

}  // namespace qrerank::reranker::scheduler

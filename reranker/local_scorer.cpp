#include "reranker/local_scorer.hpp"

#include <map>
#include <mutex>
#include <utility>

#include "reranker/local_request.hpp"
#include "reranker/model_lifecycle.hpp"
#include "reranker/scheduler/scheduler.hpp"
#include "reranker/scheduler/worker_pool.hpp"

namespace qrerank::reranker {
namespace {

constexpr std::size_t kCpuTokenBudget = 4096;
constexpr std::size_t kDeviceTokenBudget = 16384;

tl::unexpected<ScoreError> error(ScoreFailure failure, std::string message, Timings timings = {}) {
  return tl::make_unexpected(ScoreError{failure, std::move(message), timings});
}

Microseconds between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration_cast<Microseconds>(to - from);
}

scheduler::SchedulerSettings scheduler_settings(const LocalScorerSettings& settings,
                                                const model::ModelInfo& info) {
  scheduler::SchedulerSettings its;
  its.token_budget = settings.token_budget;
  if (its.token_budget == 0) {
    its.token_budget = info.device.starts_with("cpu") ? kCpuTokenBudget : kDeviceTokenBudget;
  }
  its.max_queued_texts = settings.max_queued_texts;
  its.max_queued_tokens = settings.max_queued_tokens;
  return its;
}

}  // namespace

class LocalScorer::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(std::string name, ModelLoader loader, LocalScorerSettings settings, std::shared_ptr<ScoreCache> cache,
       Observer& observer)
      : name_(std::move(name)),
        loader_(std::move(loader)),
        settings_(std::move(settings)),
        cache_(std::move(cache)),
        observer_(observer),
        lifecycle_(settings_.load_retry),
        load_thread_(1),
        tokenizer_threads_(settings_.tokenizer_threads) {}

  ScoreTicket submit(ScoreRequest request, ScoreCompletion done);
  void preload();
  void shutdown();
  ModelStatus status() const;
  const std::string& name() const { return name_; }

 private:
  using RequestPtr = std::shared_ptr<LocalRequest>;

  // A loaded model and what runs it. Lives until shutdown.
  struct Loaded {
    Loaded(const Core& core, std::unique_ptr<model::Model> loaded, scheduler::DeadlineTimer& timer)
        : model(std::move(loaded)),
          scheduler(core.name_, {model.get()}, scheduler_settings(core.settings_, model->info()), timer,
                    core.observer_) {}
    const std::unique_ptr<model::Model> model;
    scheduler::Scheduler scheduler;
  };

  [[nodiscard]] bool has_room(const LocalRequest& request) const;
  void load();
  void start(const RequestPtr& request);
  void tokenize(const RequestPtr& request, Loaded& loaded);
  std::vector<std::string> look_up(LocalRequest& request, const model::ModelInfo& info);
  void hand_over(const RequestPtr& request, Loaded& loaded, model::EncodedTexts encoded);
  void complete(const RequestPtr& request, tl::expected<scheduler::ScoredTexts, ScoreError> scored);
  void finish(std::uint64_t id, ScoreResult result);
  void expire(std::uint64_t id);

  const std::string name_;
  const ModelLoader loader_;
  const LocalScorerSettings settings_;
  const std::shared_ptr<ScoreCache> cache_;
  Observer& observer_;

  mutable std::mutex mutex_;  // guards what follows up to the threads
  ModelLifecycle lifecycle_;
  std::shared_ptr<Loaded> loaded_;             // null unless ready
  std::map<std::uint64_t, RequestPtr> live_;   // not answered yet
  std::vector<RequestPtr> waiting_for_model_;  // maybe answered meanwhile
  std::size_t held_texts_ = 0;                 // of live_
  std::size_t held_bytes_ = 0;
  std::uint64_t next_id_ = 0;

  scheduler::DeadlineTimer timer_;
  scheduler::WorkerPool load_thread_;
  scheduler::WorkerPool tokenizer_threads_;
};

ScoreTicket LocalScorer::Core::submit(ScoreRequest asked, ScoreCompletion done) {
  if (asked.model != name_) {
    done(error(ScoreFailure::model_unavailable, "unknown model " + asked.model));
    return {};
  }
  if (asked.texts.empty()) {
    done(ScoreSet{});
    return {};
  }
  if (asked.deadline <= Clock::now()) {
    done(error(ScoreFailure::timeout, "the deadline passed before scoring began"));
    return {};
  }
  std::unique_lock lock(mutex_);
  const auto request = std::make_shared<LocalRequest>(++next_id_, std::move(asked), std::move(done));
  const auto refuse = [&](ScoreFailure failure, std::string message) {
    lock.unlock();
    request->done(error(failure, std::move(message)));
    return ScoreTicket{};
  };
  if (!has_room(*request)) {
    return refuse(ScoreFailure::overloaded, "too many texts wait for their scores");
  }
  const auto arrival = lifecycle_.request_arrived(settings_.now());
  if (arrival == ModelLifecycle::Arrival::refuse) {
    return refuse(ScoreFailure::model_unavailable,
                  lifecycle_.detail().empty() ? "the model is shut down" : lifecycle_.detail());
  }
  const bool proceeds = arrival == ModelLifecycle::Arrival::proceed;
  if (proceeds) {
    request->started = Clock::now();
  } else {
    waiting_for_model_.push_back(request);
  }
  live_.emplace(request->id, request);
  held_texts_ += request->texts;
  held_bytes_ += request->bytes;
  const std::weak_ptr<Core> weak = weak_from_this();
  const std::uint64_t id = request->id;
  request->alarm = timer_.schedule(request->deadline, [weak, id] {
    if (const auto core = weak.lock()) {
      core->expire(id);
    }
  });
  lock.unlock();

  if (proceeds) {
    start(request);
  } else if (arrival == ModelLifecycle::Arrival::start_load) {
    load_thread_.post([this] { load(); });
  }
  return ScoreTicket(std::shared_ptr<void>(nullptr, [weak, id](void*) {
    if (const auto core = weak.lock()) {
      core->finish(id, error(ScoreFailure::cancelled, "nobody waits any more"));
    }
  }));
}

bool LocalScorer::Core::has_room(const LocalRequest& request) const {
  return held_texts_ <= settings_.max_queued_texts &&
         request.texts <= settings_.max_queued_texts - held_texts_ &&
         held_bytes_ <= settings_.max_queued_bytes &&
         request.bytes <= settings_.max_queued_bytes - held_bytes_;
}

void LocalScorer::Core::preload() {
  {
    const std::lock_guard lock(mutex_);
    if (lifecycle_.request_arrived(settings_.now()) != ModelLifecycle::Arrival::start_load) {
      return;
    }
  }
  load_thread_.post([this] { load(); });
}

void LocalScorer::Core::load() {
  const auto begin = Clock::now();
  tl::expected<std::unique_ptr<model::Model>, model::LoadError> model;
  try {
    model = loader_();
    if (model && *model == nullptr) {
      model = tl::make_unexpected(model::LoadError{"the loader gave no model"});
    }
  } catch (const std::exception& thrown) {
    model = tl::make_unexpected(model::LoadError{thrown.what()});
  } catch (const model::OutOfMemory&) {
    model = tl::make_unexpected(model::LoadError{"memory ran out while loading"});
  }
  observer_.load_finished(name_, model.has_value(), between(begin, Clock::now()));

  std::vector<RequestPtr> waited;
  const auto loaded = model ? std::make_shared<Loaded>(*this, std::move(*model), timer_) : nullptr;
  {
    const std::lock_guard lock(mutex_);
    waited.swap(waiting_for_model_);
    if (!loaded) {
      lifecycle_.load_failed(model.error().message, settings_.now());
    } else if (lifecycle_.state() == ModelState::loading) {
      lifecycle_.load_succeeded();
      loaded_ = loaded;
    }
    const auto now = Clock::now();
    for (const RequestPtr& request : waited) {
      request->started = now;
      request->waited = between(request->submitted, now);
    }
  }
  for (const RequestPtr& request : waited) {
    if (loaded) {
      start(request);
    } else {
      Timings timings;
      timings.queue = request->waited;
      finish(request->id, error(ScoreFailure::model_unavailable, model.error().message, timings));
    }
  }
}

// A stopped pool drops it: the shutdown has answered by then.
void LocalScorer::Core::start(const RequestPtr& request) {
  tokenizer_threads_.post([this, request] {
    std::shared_ptr<Loaded> loaded;
    {
      const std::lock_guard lock(mutex_);
      if (!live_.contains(request->id)) {
        return;
      }
      loaded = loaded_;
    }
    if (!loaded) {
      return;  // shutting down: answered a moment later
    }
    try {
      tokenize(request, *loaded);
    } catch (const std::exception& thrown) {
      finish(request->id, error(ScoreFailure::internal, std::string("tokenizing threw: ") + thrown.what()));
    }
  });
}

void LocalScorer::Core::tokenize(const RequestPtr& request, Loaded& loaded) {
  const model::ModelInfo& info = loaded.model->info();
  const std::vector<std::string> unknown = look_up(*request, info);
  model::EncodedTexts encoded;
  if (!unknown.empty()) {
    encoded = loaded.model->encode(request->asked.instruction, request->asked.query, unknown);
    if (encoded.texts.size() != unknown.size()) {
      throw std::logic_error("another number of sequences than of texts");
    }
  }
  request->asked = {};  // the tokens are all that is needed from here on
  request->tokenize = between(request->submitted, Clock::now()) - request->waited;
  if (unknown.empty()) {
    complete(request, scheduler::ScoredTexts{});
  } else {
    hand_over(request, loaded, std::move(encoded));
  }
}

// The texts to compute: distinct, and not in the cache.
std::vector<std::string> LocalScorer::Core::look_up(LocalRequest& request, const model::ModelInfo& info) {
  std::vector<std::string>& texts = request.asked.texts;
  Slots& slots = request.slots.emplace(texts);
  if (cache_) {
    // Models that follow no instruction score alike whatever it says.
    ScoreKeyMaker maker(name_, info.recipe_version,
                        info.follows_instructions ? std::string_view(request.asked.instruction) : "",
                        request.asked.query);
    for (const std::size_t text : slots.first_text) {
      slots.keys.push_back(maker.key(texts[text]));
    }
    slots.logits = cache_->find(slots.keys);
  }
  for (const std::size_t slot : slots.of_text) {
    request.cached += slots.logits[slot].has_value() ? 1 : 0;
  }
  std::vector<std::string> unknown;
  for (std::size_t slot = 0; slot < slots.logits.size(); ++slot) {
    if (!slots.logits[slot]) {
      slots.computed.push_back(slot);
      unknown.push_back(std::move(texts[slots.first_text[slot]]));
    }
  }
  if (cache_) {
    observer_.cache_looked_up(name_, slots.logits.size() - unknown.size(), unknown.size());
  }
  return unknown;
}

void LocalScorer::Core::hand_over(const RequestPtr& request, Loaded& loaded, model::EncodedTexts encoded) {
  scheduler::BatchTap tap;
  if (cache_) {
    std::vector<ScoreKey> keys;
    for (const std::size_t slot : request->slots->computed) {
      keys.push_back(request->slots->keys[slot]);
    }
    tap = [cache = cache_, keys = std::move(keys)](std::span<const std::size_t> texts,
                                                   std::span<const double> logits) {
      std::vector<ScoreKey> known;
      for (const std::size_t text : texts) {
        known.push_back(keys[text]);
      }
      cache->insert(known, logits);
    };
  }
  ScoreTicket ticket = loaded.scheduler.submit(
      std::move(encoded), request->deadline,
      [this, request](tl::expected<scheduler::ScoredTexts, ScoreError> scored) {
        complete(request, std::move(scored));
      },
      std::move(tap));
  const std::lock_guard lock(mutex_);
  if (live_.contains(request->id)) {
    request->ticket = std::move(ticket);
    timer_.cancel(request->alarm);  // the scheduler looks after the deadline now
  }
  // Else the ticket goes when this returns, after the lock, and takes the texts out of the queue.
}

void LocalScorer::Core::complete(const RequestPtr& request,
                                 tl::expected<scheduler::ScoredTexts, ScoreError> scored) {
  if (!scored) {
    scored.error().timings.tokenize += request->tokenize;
    scored.error().timings.queue += request->waited;
    finish(request->id, tl::make_unexpected(std::move(scored.error())));
    return;
  }
  Slots& slots = *request->slots;
  for (std::size_t i = 0; i < slots.computed.size(); ++i) {
    slots.logits[slots.computed[i]] = scored->logits[i];
  }
  ScoreSet set;
  set.logits = slots.text_logits();
  set.timings = scored->timings;
  set.timings.tokenize += request->tokenize;
  set.timings.queue += request->waited;
  set.cached = request->cached;
  set.tokens = scored->tokens;
  finish(request->id, std::move(set));
}

void LocalScorer::Core::finish(std::uint64_t id, ScoreResult result) {
  ScoreCompletion done;
  RequestPtr request;
  ScoreTicket ticket;
  {
    const std::lock_guard lock(mutex_);
    const auto at = live_.find(id);
    if (at == live_.end()) {
      return;
    }
    request = std::move(at->second);
    live_.erase(at);
    held_texts_ -= request->texts;
    held_bytes_ -= request->bytes;
    std::erase(waiting_for_model_, request);
    timer_.cancel(request->alarm);
    ticket = std::exchange(request->ticket, {});
    done = std::exchange(request->done, nullptr);
  }
  ticket = {};
  done(std::move(result));
}

void LocalScorer::Core::expire(std::uint64_t id) {
  Timings timings;
  bool loading = false;
  {
    const std::lock_guard lock(mutex_);
    const auto at = live_.find(id);
    if (at == live_.end()) {
      return;
    }
    loading = at->second->started == Clock::time_point{};
    (loading ? timings.queue : timings.tokenize) = between(at->second->submitted, Clock::now());
  }
  finish(id, loading ? error(ScoreFailure::model_unavailable, "still loading when the deadline came", timings)
                     : error(ScoreFailure::timeout, "the deadline passed while tokenizing", timings));
}

void LocalScorer::Core::shutdown() {
  std::vector<std::uint64_t> pending;
  std::shared_ptr<Loaded> loaded;
  {
    const std::lock_guard lock(mutex_);
    lifecycle_.drain();
    for (const auto& [id, request] : live_) {
      pending.push_back(id);
    }
    loaded.swap(loaded_);
  }
  for (const std::uint64_t id : pending) {
    finish(id, error(ScoreFailure::cancelled, "the model is shut down"));
  }
  // Reverse of construction, and of the way that a request goes.
  load_thread_.stop();
  tokenizer_threads_.stop();
  if (loaded) {
    loaded->scheduler.shutdown();
  }
  loaded.reset();
  timer_.stop();
}

ModelStatus LocalScorer::Core::status() const {
  const std::lock_guard lock(mutex_);
  ModelStatus status;
  status.name = name_;
  status.state = lifecycle_.state();
  status.detail = lifecycle_.detail();
  if (loaded_) {
    const model::ModelInfo& info = loaded_->model->info();
    status.family = info.family;
    status.dtype = info.dtype;
    status.device = info.device;
    status.bytes = info.weight_bytes;
  }
  return status;
}

LocalScorer::LocalScorer(std::string name, ModelLoader loader, LocalScorerSettings settings,
                         std::shared_ptr<ScoreCache> cache, Observer& observer)
    : core_(std::make_shared<Core>(std::move(name), std::move(loader), std::move(settings), std::move(cache),
                                   observer)) {}

LocalScorer::~LocalScorer() {
  shutdown();
}

ScoreTicket LocalScorer::submit(ScoreRequest request, ScoreCompletion done) {
  return core_->submit(std::move(request), std::move(done));
}

bool LocalScorer::knows(const std::string& model) const {
  return model == core_->name();
}

std::vector<ModelStatus> LocalScorer::status() const {
  return {core_->status()};
}

void LocalScorer::preload() {
  core_->preload();
}

void LocalScorer::shutdown() {
  core_->shutdown();
}

}  // namespace qrerank::reranker

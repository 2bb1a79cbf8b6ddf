#include "reranker/serving/engine.hpp"

#include <stdexcept>
#include <utility>

namespace qrerank::reranker::serving {
namespace {

using Scored = tl::expected<scheduler::ScoredTexts, ScoreError>;

std::vector<model::Model*> pointers(const Engine::Replicas& replicas) {
  std::vector<model::Model*> all;
  for (const auto& replica : replicas) {
    all.push_back(replica.get());
  }
  return all;
}

// Puts the request's own times to the scheduler's, and the scores to their texts.
void complete(RequestDesk& desk, const RequestPtr& request, Scored scored) {
  if (!scored) {
    scored.error().timings.tokenize += request->tokenize;
    scored.error().timings.queue += request->waited;
    desk.finish(request, tl::make_unexpected(std::move(scored.error())));
    return;
  }
  Slots& slots = request->slots.value();
  for (std::size_t i = 0; i < slots.computed.size(); ++i) {
    const auto row = std::span<const double>(scored->logits).subspan(i * slots.width, slots.width);
    for (const std::size_t slot : slots.computed[i]) slots.set(slot, row);
  }
  ScoreSet set;
  set.logits = slots.text_values();
  set.recipe = request->engine->info().recipe_version;
  set.timings = scored->timings;
  set.timings.tokenize += request->tokenize;
  set.timings.queue += request->waited;
  set.cached = request->cached;
  set.tokens = scored->tokens;
  desk.finish(request, std::move(set));
}

}  // namespace

Engine::Engine(std::string name, Replicas replicas, scheduler::SchedulerSettings settings,
               std::shared_ptr<RequestDesk> desk, std::shared_ptr<ScoreCache> cache,
               scheduler::DeadlineTimer& timer, Observer& observer)
    : name_(std::move(name)),
      replicas_(std::move(replicas)),
      desk_(std::move(desk)),
      cache_(info().width == 1 ? std::move(cache) : nullptr),
      observer_(observer),
      scheduler_(name_, pointers(replicas_), settings, timer, observer) {}

void Engine::serve(const RequestPtr& request) {
  if (!desk_->is_live(request)) {
    return;
  }
  try {
    tokenize(request);
  } catch (const std::exception& thrown) {
    desk_->finish(request,
                  tl::make_unexpected(ScoreError{
                      ScoreFailure::internal, std::string("tokenizing threw: ") + thrown.what(), {}}));
  }
}

void Engine::tokenize(const RequestPtr& request) {
  const std::vector<std::string> unknown = look_up(*request);
  model::EncodedTexts encoded;
  if (!unknown.empty()) {
    encoded = replicas_.front()->encode(request->asked.instruction, request->asked.query, unknown);
    if (encoded.texts.size() != unknown.size()) {
      throw std::logic_error("another number of sequences than of texts");
    }
    request->slots->compute_equal_ones_once(encoded.texts);
  }
  request->asked = {};  // the tokens are all that is needed from here on
  request->tokenize = between(request->submitted, Clock::now()) - request->waited;
  if (unknown.empty()) {
    complete(*desk_, request, scheduler::ScoredTexts{});
  } else {
    hand_over(request, std::move(encoded));
  }
}

// The texts to compute: distinct, and not in the cache.
std::vector<std::string> Engine::look_up(Request& request) {
  std::vector<std::string>& texts = request.asked.texts;
  Slots& slots = request.slots.emplace(texts, info().width);
  if (cache_) {
    // Models that follow no instruction score alike whatever it says.
    ScoreKeyMaker maker(name_, info().recipe_version,
                        info().follows_instructions ? std::string_view(request.asked.instruction) : "",
                        request.asked.query);
    for (const std::size_t text : slots.first_text) {
      slots.keys.push_back(maker.key(texts[text]));
    }
    const auto found = cache_->find(slots.keys);
    for (std::size_t slot = 0; slot < found.size(); ++slot) {
      if (found[slot]) slots.set(slot, std::span(&*found[slot], 1));
    }
  }
  for (const std::size_t slot : slots.of_text) {
    request.cached += slots.known[slot] ? 1 : 0;
  }
  std::vector<std::string> unknown;
  for (std::size_t slot = 0; slot < slots.known.size(); ++slot) {
    if (!slots.known[slot]) {
      slots.unknown.push_back(slot);
      unknown.push_back(std::move(texts[slots.first_text[slot]]));
    }
  }
  if (cache_) {
    observer_.cache_looked_up(name_, slots.known.size() - unknown.size(), unknown.size());
  }
  return unknown;
}

void Engine::hand_over(const RequestPtr& request, model::EncodedTexts encoded) {
  scheduler::BatchTap tap = cache_tap(*request->slots);
  auto done = [desk = desk_, request](Scored scored) { complete(*desk, request, std::move(scored)); };
  ScoreTicket ticket =
      scheduler_.submit(std::move(encoded), request->deadline, std::move(done), std::move(tap));
  desk_->hand_over(request, std::move(ticket));
}

// What a batch computed is kept, whatever becomes of the request.
scheduler::BatchTap Engine::cache_tap(const Slots& slots) const {
  if (!cache_) {
    return {};
  }
  std::vector<std::vector<ScoreKey>> keys;  // of each sequence
  for (const auto& equal : slots.computed) {
    auto& its = keys.emplace_back();
    for (const std::size_t slot : equal) {
      its.push_back(slots.keys[slot]);
    }
  }
  return [cache = cache_, keys = std::move(keys)](std::span<const std::size_t> texts,
                                                  std::span<const double> logits) {
    std::vector<ScoreKey> known;
    std::vector<double> their;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      known.insert(known.end(), keys[texts[i]].begin(), keys[texts[i]].end());
      their.resize(known.size(), logits[i]);
    }
    cache->insert(known, their);
  };
}

}  // namespace qrerank::reranker::serving

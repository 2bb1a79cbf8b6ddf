#include "proxy/scorers.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "reranker/manager/machine_memory.hpp"
#include "reranker/manager/model_manager.hpp"
#include "reranker/manager/room_plan.hpp"
#include "reranker/mock_embedding.hpp"
#include "reranker/mock_scorer.hpp"
#include "reranker/model/encoder_config.hpp"
#include "reranker/score_cache.hpp"
#include "reranker/scorer_registry.hpp"

namespace qrerank::proxy {
namespace {

constexpr int kMostTokenizerThreads = 4;

namespace manager = reranker::manager;
namespace model = reranker::model;

int cores() {
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

model::ModelSpec spec_of(const config::Config& config, const config::Model& configured) {
  model::ModelSpec spec;
  spec.name = configured.name;
  spec.path = config::model_folder(config, configured);
  spec.dtype = configured.dtype;
  spec.device = configured.device;
  spec.max_length = configured.max_length;
  // Replicas on the CPU share its cores; on a GPU nobody asks for threads.
  const int threads = config.scoring.threads > 0 ? config.scoring.threads : cores();
  spec.threads = std::max(1, threads / static_cast<int>(configured.replicas));
  return spec;
}

model::ModelSpec spec_of(const config::Config& config, const config::EmbeddingModel& configured) {
  model::ModelSpec spec = spec_of(config, static_cast<const config::Model&>(configured));
  model::EmbeddingChoices& choices = spec.embedding.emplace();
  choices.known_as = configured.hub;
  if (configured.pooling != "auto")
    choices.pooling = configured.pooling == "cls" ? model::Pooling::cls : model::Pooling::mean;
  if (configured.normalize != "auto") choices.normalize = configured.normalize == "true";
  choices.query_prefix = configured.query_prefix;
  return spec;
}

#if QRERANK_WITH_TORCH
manager::ModelSource source_of(model::ModelSpec spec, std::size_t replicas) {
  return {.needs = [spec, replicas] { return model::replica_needs(spec, replicas); },
          .load =
              [spec](const std::string& device, model::LoadProgress& progress) {
                model::ModelSpec there = spec;
                there.device = device;
                return model::load_model(there, &progress);
              }};
}

std::optional<model::DeviceMemory> memory_of(const std::string& device) {
  return device == "cpu" ? manager::main_memory() : model::gpu_memory(device);
}
#else
manager::ModelSource source_of(model::ModelSpec spec, std::size_t /*replicas*/) {
  const model::LoadError absent{spec.path + ": this build has no local models (QRERANK_WITH_TORCH=OFF)"};
  return {.needs = [absent] { return tl::make_unexpected(absent); },
          .load = [absent](const std::string&, model::LoadProgress&) { return tl::make_unexpected(absent); }};
}

std::optional<model::DeviceMemory> memory_of(const std::string& /*device*/) {
  return manager::main_memory();
}
#endif

manager::ModelSource source_of_embedding(const config::EmbeddingModel& configured, model::ModelSpec spec) {
  if (configured.name != reranker::kMockEmbedding) return source_of(std::move(spec), configured.replicas);
  return {.needs = [] { return std::vector<model::ReplicaNeed>{{"cpu", 0, "float32"}}; },
          .load = [](const std::string&, model::LoadProgress&) { return reranker::make_mock_embedding(); }};
}

manager::ManagerSettings settings_of(const config::Config& config) {
  const config::Scoring& scoring = config.scoring;
  manager::ManagerSettings settings;
  settings.token_budget = scoring.token_budget;
  settings.batch_time = scoring.batch_time;
  settings.max_queued_texts = scoring.max_queued_texts;
  settings.max_queued_tokens = scoring.max_queued_tokens;
  settings.tokenizer_threads = static_cast<std::size_t>(
      scoring.tokenizer_threads > 0 ? scoring.tokenizer_threads : std::min(cores(), kMostTokenizerThreads));
  settings.load_timeout = scoring.load_timeout;
  settings.memory_budget = scoring.memory_budget;
  settings.gpu_memory_budget = scoring.gpu_memory_budget;
  settings.memory = &memory_of;
  settings.vector_cache_bytes = config.inference.cache_bytes;
  return settings;
}

manager::ModelSource stand_in_source(reranker::StandIn behaviour, std::size_t replicas) {
  return {.needs = [replicas]() -> tl::expected<std::vector<model::ReplicaNeed>, model::LoadError> {
            return std::vector<model::ReplicaNeed>(replicas, {"cpu", 0, "float32"});
          },
          .load = [behaviour](const std::string&,
                              model::LoadProgress&) { return reranker::load_stand_in(behaviour); }};
}

manager::ModelSource source_of(const config::Config& config, const config::Model& configured) {
  if (configured.stand_in != reranker::StandIn::none)
    return stand_in_source(configured.stand_in, configured.replicas);
  return source_of(spec_of(config, configured), configured.replicas);
}

// Differs wherever another model would be loaded.
std::string id_of(const model::ModelSpec& spec, const config::Model& configured) {
  std::string id = spec.path;
  for (const auto& part :
       {spec.dtype, spec.device, std::to_string(spec.max_length), std::to_string(spec.threads),
        std::to_string(configured.replicas), std::to_string(static_cast<int>(configured.stand_in))}) {
    id += '\n' + part;
  }
  if (spec.embedding) {
    const auto& choices = *spec.embedding;
    id += '\n' + std::to_string(choices.pooling ? static_cast<int>(*choices.pooling) : -1);
    id += '\n' + std::to_string(choices.normalize ? static_cast<int>(*choices.normalize) : -1);
    id += '\n' + (choices.query_prefix ? "=" + *choices.query_prefix : "") + '\n' + choices.known_as;
  }
  return id;
}

// Known before the model is loaded, so that the compare page offers it only where it fits.
std::size_t width_of(const model::ModelSpec& spec) {
  return spec.name == reranker::kMockEmbedding ? reranker::kMockEmbeddingWidth
                                               : model::vector_width(spec.path);
}

manager::ModelSetup setup_of(const config::Config& config, const config::Model& configured,
                             const model::ModelSpec& spec, manager::ModelSource source) {
  return {.name = configured.name,
          .kind = spec.embedding ? reranker::ModelKind::embedding : reranker::ModelKind::reranker,
          .source = std::move(source),
          .source_id = id_of(spec, configured),
          .preload = configured.preload,
          .idle_unload = configured.idle_unload.value_or(config.scoring.idle_unload),
          .width = spec.embedding ? width_of(spec) : 0};
}

std::vector<manager::ModelSetup> setups_of(const config::Config& config) {
  std::vector<manager::ModelSetup> models;
  for (const auto& configured : config.models) {
    const auto spec = spec_of(config, configured);
    models.push_back(setup_of(config, configured, spec, source_of(config, configured)));
  }
  for (const auto& configured : config.embedding_models) {
    const auto spec = spec_of(config, configured);
    models.push_back(setup_of(config, configured, spec, source_of_embedding(configured, spec)));
  }
  return models;
}

}  // namespace

Scorers make_scorers(const config::Config& config, reranker::Observer& observer) {
  std::vector<std::unique_ptr<reranker::Scorer>> scorers;
  scorers.push_back(std::make_unique<reranker::MockScorer>());
  std::shared_ptr<reranker::ScoreCache> cache;
  if (config.scoring.cache_bytes > 0)
    cache = std::make_shared<reranker::ScoreCache>(config.scoring.cache_bytes);
  auto local =
      std::make_unique<manager::ModelManager>(setups_of(config), settings_of(config), cache, observer);
  auto* const embedder = local.get();
  auto follow = [manager = local.get()](const config::Config& fresh) {
    manager->set_models(setups_of(fresh));
  };
  scorers.push_back(std::move(local));
  return {std::make_unique<reranker::ScorerRegistry>(std::move(scorers)), embedder, std::move(follow),
          std::move(cache)};
}

namespace {

using Needs = tl::expected<std::vector<model::ReplicaNeed>, model::LoadError>;

Needs needs_with_room(const config::Config& config, const manager::ModelSource& source) {
  auto needs = source.needs();
  if (!needs) return needs;
  const auto limit_of = [&](const std::string& device) -> std::uint64_t {
    const auto budget = device == "cpu" ? config.scoring.memory_budget : config.scoring.gpu_memory_budget;
    const auto memory = memory_of(device);
    return budget > 0 ? budget : memory ? memory->free : std::numeric_limits<std::uint64_t>::max();
  };
  const auto plan = manager::plan_room(*needs, {}, limit_of);
  if (plan.verdict != manager::RoomPlan::Verdict::fits)
    return tl::unexpected(model::LoadError{plan.why, true});
  return needs;
}

}  // namespace

Needs model_needs(const config::Config& config, const config::Model& model) {
  return needs_with_room(config, source_of(config, model));
}

Needs model_needs(const config::Config& config, const config::EmbeddingModel& model) {
  return needs_with_room(config, source_of_embedding(model, spec_of(config, model)));
}

}  // namespace qrerank::proxy

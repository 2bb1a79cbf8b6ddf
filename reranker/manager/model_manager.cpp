#include "reranker/manager/model_manager.hpp"

#include <utility>

#include "reranker/manager/manager_core.hpp"

namespace qrerank::reranker::manager {

ModelManager::ModelManager(std::vector<ModelSetup> models, ManagerSettings settings,
                           std::shared_ptr<ScoreCache> cache, Observer& observer)
    : core_(std::make_shared<Core>(std::move(settings), std::move(cache), observer)) {
  core_->set_models(std::move(models));
}

ModelManager::~ModelManager() {
  shutdown();
}

ScoreTicket ModelManager::submit(ScoreRequest request, ScoreCompletion done) {
  return core_->submit(ModelKind::reranker, std::move(request), std::move(done));
}

ScoreTicket ModelManager::embed(EmbedRequest request, EmbedCompletion done) {
  return core_->embed(std::move(request), std::move(done));
}

bool ModelManager::knows(const std::string& model) const {
  return core_->knows(model);
}

std::vector<ModelStatus> ModelManager::status() const {
  return core_->status();
}

void ModelManager::set_models(std::vector<ModelSetup> models) {
  core_->set_models(std::move(models));
}

bool ModelManager::load(const std::string& model) {
  return core_->load(model);
}

bool ModelManager::unload(const std::string& model) {
  return core_->unload(model);
}

void ModelManager::unload_idle() {
  core_->unload_idle();
}

void ModelManager::shutdown() {
  core_->shutdown();
}

}  // namespace qrerank::reranker::manager

#include "proxy/flow/events.hpp"

#include <string>

#include "proxy/flow/said_once.hpp"
#include "proxy/observe/log.hpp"
#include "proxy/observe/metrics/inference.hpp"
#include "proxy/observe/metrics/rerank.hpp"
#include "proxy/route/endpoints.hpp"

namespace qrerank::proxy::flow {

void report_reranked(const RequestRun& run) {
  if (run.services.metrics == nullptr) return;
  for (const SearchRun& search : run.searches) {
    if (search.failed) continue;
    run.services.metrics->stages(run.upstream, search.scoring);
    run.services.metrics->candidates(search.candidates, search.cached);
  }
}

void report_fallbacks(const RequestRun& run) {
  if (run.services.metrics == nullptr) return;
  for (const SearchRun& search : run.searches) {
    if (search.failed) run.services.metrics->fallback(label(*search.failed));
  }
}

void report_score_error(const RequestRun& run, const SearchRun& search, const reranker::ScoreError& error) {
  observe::log::warn(
      run.request.id.text(), "scoring failed",
      {{"model", search.model}, {"failure", to_string(error.failure)}, {"detail", error.message}});
}

void report_embedded(const RequestRun& run, const reranker::Embeddings& made) {
  if (run.services.inference != nullptr) run.services.inference->vectors(made.vectors.size(), made.cached);
}

void report_embedding_wait(const RequestRun& run) {
  if (run.services.inference != nullptr && run.inference) run.services.inference->waited(*run.inference);
}

void report_embedding_error(const RequestRun& run, const std::string& model,
                            const reranker::ScoreError& error) {
  if (run.services.inference != nullptr) run.services.inference->failure(label(reason_of(error.failure)));
  observe::log::warn(run.request.id.text(), "embedding failed",
                     {{"model", model}, {"failure", to_string(error.failure)}, {"detail", error.message}});
}

void report_unreadable_answer(const RequestRun& run, std::string_view why) {
  observe::log::error(run.request.id.text(), "the upstream's answer is not what its endpoint gives",
                      {{"detail", why}});
}

void report_too_large(const RequestRun& run, std::string_view why) {
  observe::log::warn(run.request.id.text(), "not reranked, the candidates are too large", {{"detail", why}});
}

void report_object_as_text(const RequestRun& run, std::string_view path) {
  const auto matched = route::match(run.request.head.method, run.request.head.target);
  const std::string collection = matched ? matched->collection : std::string();
  std::string key = collection + "/";
  key += path;
  if (run.services.objects_as_text != nullptr && !run.services.objects_as_text->first(std::move(key))) return;
  observe::log::error(run.request.id.text(), "a text field holds an object: points have no text there",
                      {{"collection", collection}, {"field", path}});
}

}  // namespace qrerank::proxy::flow

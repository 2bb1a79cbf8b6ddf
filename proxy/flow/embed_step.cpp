#include "proxy/flow/embed_step.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "proxy/flow/events.hpp"
#include "proxy/flow/spans.hpp"
#include "proxy/flow/upstream_request.hpp"
#include "proxy/scoring/async_score.hpp"
#include "reranker/utf8.hpp"

namespace qrerank::proxy::flow {
namespace {

// The Documents of one model, whatever name they call it by.
struct Group {
  std::string model;  ///< the section's name
  std::vector<rewrite::Document> documents;
};

std::vector<Group> groups_of(const RequestRun& run) {
  std::map<std::string, std::vector<rewrite::Document>> by_model;
  for (auto& document : rewrite::documents_in(run.plan.upstream_body, run.kind, run.plan.batch)) {
    if (const auto* model = config::find_embedding_model(*run.config, document.model))
      by_model[model->name].push_back(std::move(document));
  }
  std::vector<Group> groups;
  for (auto& [model, documents] : by_model) groups.push_back({model, std::move(documents)});
  return groups;
}

reranker::EmbedRequest request_of(const RequestRun& run, const Group& group) {
  reranker::EmbedRequest request;
  request.model = group.model;
  request.deadline = reranker::Clock::now() + run.config->inference.timeout;
  if (const auto own = own_timeout(run.request.head.target))
    request.deadline = std::min(request.deadline, run.request.received + *own);
  for (const auto& document : group.documents)
    request.texts.emplace_back(
        reranker::first_code_points(document.text, run.config->scoring.max_text_chars));
  return request;
}

http::Reply refuse_all(RequestRun& run, const Group& group, const reranker::ScoreError& error) {
  // A cancelled request is a client that went away: nobody is left to tell.
  if (error.failure != reranker::ScoreFailure::cancelled) report_embedding_error(run, group.model, error);
  const Reason reason = reason_of(error.failure);
  for (SearchRun& search : run.searches) search.failed = reason;
  report_fallbacks(run);
  return not_embedded(reason, group.model);
}

}  // namespace

http::Awaitable<std::optional<http::Reply>> embed_documents(RequestRun& run) {
  const bool ours = run.services.embedder != nullptr && !run.config->embedding_models.empty();
  if (!ours) co_return std::nullopt;
  const std::vector<Group> groups = groups_of(run);
  if (groups.empty()) co_return std::nullopt;
  std::vector<reranker::EmbedRequest> requests;
  for (const Group& group : groups) requests.push_back(request_of(run, group));
  const auto started = reranker::Clock::now();
  const auto results = co_await scoring::embed(*run.services.embedder, std::move(requests));
  run.inference = std::chrono::duration_cast<reranker::Microseconds>(reranker::Clock::now() - started);
  report_embedding_wait(run);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::optional<Reason> failed;
    if (!results[i]) failed = reason_of(results[i].error().failure);
    trace_embedding(run, groups[i].model, groups[i].documents.size(), failed, started);
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (!results[i]) co_return refuse_all(run, groups[i], results[i].error());
    report_embedded(run, *results[i]);
    for (std::size_t j = 0; j < groups[i].documents.size(); ++j)
      run.vectors.emplace(groups[i].documents[j], rewrite::vector_text(results[i]->vectors[j]));
  }
  co_return std::nullopt;
}

}  // namespace qrerank::proxy::flow

#include "proxy/flow/events.hpp"

#include "proxy/flow/search_run.hpp"
#include "proxy/observe/log.hpp"
#include "proxy/observe/metrics.hpp"

namespace qrerank::proxy::flow {
void report_reranked(const SearchRun& run, const rewrite::Report& report) {
  if (run.services.metrics == nullptr || !report.spent) return;
  run.services.metrics->stages(report.spent->upstream, report.spent->scoring);
  run.services.metrics->candidates(report.candidates, run.cached);
}

void report_fallback(const SearchRun& run, Reason reason) {
  if (run.services.metrics != nullptr) run.services.metrics->fallback(label(reason));
}

void report_score_error(const SearchRun& run, const reranker::ScoreError& error) {
  observe::log::warn(
      run.request.id.text(), "scoring failed",
      {{"model", run.model}, {"failure", to_string(error.failure)}, {"detail", error.message}});
}

void report_unreadable_answer(const SearchRun& run, std::string_view why) {
  observe::log::error(run.request.id.text(), "the upstream's answer is not what its endpoint gives",
                      {{"detail", why}});
}

}  // namespace qrerank::proxy::flow

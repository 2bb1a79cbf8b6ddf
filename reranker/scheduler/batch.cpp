#include "reranker/scheduler/batch.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <map>

namespace qrerank::reranker::scheduler {
namespace {

// Calls the model; what it throws is a bug of its own, or memory that ran out.
template <class Call>
void guarded(Computed& computed, Call call) {
  try {
    call();
  } catch (const model::OutOfMemory&) {
    computed.outcome = Outcome::out_of_memory;
  } catch (const std::exception& error) {
    computed.outcome = Outcome::failed;
    computed.message = std::string("the model threw: ") + error.what();
  } catch (...) {
    computed.outcome = Outcome::failed;
    computed.message = "the model threw something that is no exception";
  }
}

}  // namespace

bool is_finite(std::span<const double> row) {
  return std::ranges::all_of(row, [](double value) { return std::isfinite(value); });
}

Computed compute(model::Model& model, const Batch& batch) {
  std::vector<model::BatchItem> items;
  items.reserve(batch.entries.size());
  for (const Entry& entry : batch.entries) {
    items.push_back({entry.job->encoded.prefix.get(), &entry.sequence()});
  }
  Computed computed;
  computed.width = model.info().width;
  computed.begin = Clock::now();
  guarded(computed, [&] {
    computed.logits = model.logits(items);
    if (computed.logits.size() == items.size() * computed.width) {
      computed.outcome = Outcome::scored;
    } else {
      computed.message = "the model gave another number of logits than it was given texts";
    }
  });
  if (computed.outcome == Outcome::out_of_memory) {
    guarded(computed, [&] { model.release_cached_memory(); });
  }
  computed.took = Clock::now() - computed.begin;
  return computed;
}

void tell_taps(const Batch& batch, const Computed& computed) {
  struct Part {
    std::vector<std::size_t> texts;
    std::vector<double> logits;
  };
  std::map<const Job*, Part> parts;
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    const Entry& entry = batch.entries[i];
    if (entry.job->tap && is_finite(computed.row(i))) {
      Part& part = parts[entry.job.get()];
      part.texts.push_back(entry.text);
      part.logits.insert(part.logits.end(), computed.row(i).begin(), computed.row(i).end());
    }
  }
  for (const auto& [job, part] : parts) {
    job->tap(part.texts, part.logits);
  }
}

}  // namespace qrerank::reranker::scheduler

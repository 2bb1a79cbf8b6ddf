// Models without weights, for tests: of an application against a qrerank that fails in a known way, and of
// qrerank itself. What they do wrong they do where a real model would, while loading or on the compute
// thread, so that everything between them and the client is the real thing.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "reranker/model/model.hpp"

namespace qrerank::reranker {

enum class StandIn {
  none,           ///< a real model
  works,          ///< counts common words
  hangs,          ///< a batch never ends, nor does the thread that computes it
  throws,         ///< an exception out of each batch
  out_of_memory,  ///< in each batch, however small
  not_a_number,   ///< for each score
  fails_to_load
};

/// Not for `none`.
[[nodiscard]] tl::expected<std::unique_ptr<model::Model>, model::LoadError> load_stand_in(StandIn behaviour);

}  // namespace qrerank::reranker

// What the flow needs of the rest of the program. One value, made by the app, shared by all I/O threads.
#pragma once

#include <functional>
#include <memory>

#include "proxy/config/config.hpp"
#include "reranker/embedder.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::proxy::observe::metrics {
class Inference;
class Rerank;
}  // namespace qrerank::proxy::observe::metrics

namespace qrerank::proxy::selection {
class MetadataCache;
}

namespace qrerank::proxy::flow {

class SaidOnce;

struct Services {
  /// The configuration in force; a request keeps the one it began with. Thread-safe.
  std::function<std::shared_ptr<const config::Config>()> config;
  reranker::Scorer* scorer = nullptr;
  observe::metrics::Rerank* metrics = nullptr;
  SaidOnce* objects_as_text = nullptr;           ///< null: told each time
  selection::MetadataCache* metadata = nullptr;  ///< null: collections' metadata is not read
  reranker::Embedder* embedder = nullptr;        ///< null: Documents stay as they are
  observe::metrics::Inference* inference = nullptr;
};

}  // namespace qrerank::proxy::flow

// What the page tells of collections: from Qdrant's answers and the configuration. Pure.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::admin::compare {

/// ["a","b"], sorted, from the answer to GET /collections; nothing where it is not that.
std::optional<boost::json::array> names_in(std::string_view body);

/// From the answer to GET /collections/{name}, nothing where it is not that:
///   {"name":…, "points":5000, "vectors":[{"name":"dense","kind":"dense","size":384,"distance":"Cosine"},
///    {"name":"bm25","kind":"sparse","modifier":"idf"}], "embedding_model":…|null, "examples":[…],
///    "rule":{"mode":"on_request","pattern":…|null,"top_k":50,"weight":1,…}}
/// `kind` is dense, multi or sparse; the only vector of a collection may have an empty name. The rule holds
/// what a search gets that says nothing itself; null: not configured. The examples are what the collection's
/// metadata has under `example_questions`: questions to try.
std::optional<boost::json::object> description_in(std::string_view body, const std::string& name,
                                                  const config::Config& config);

/// [{"id":…,"payload":…}] from the answer to a query; empty where it is not that.
boost::json::array sample_in(std::string_view body);

}  // namespace qrerank::proxy::admin::compare

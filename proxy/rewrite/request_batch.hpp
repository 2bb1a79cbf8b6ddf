// A batch: its searches found in a body, and bodies made of searches that were planned one by one. What a
// single search asks for is request.hpp's work, who may ask for what is route/'s.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/rewrite/json_spans.hpp"
#include "proxy/rewrite/plan.hpp"
#include "proxy/rewrite/request_shape.hpp"

namespace qrerank::proxy::rewrite {

/// The searches of a batch's body. The error says why Qdrant would refuse it: not an object, `searches`
/// missing, twice or no list of anything but numbers. What each search is worth is left to read_search().
tl::expected<std::vector<JsonValue>, std::string> searches_of(const JsonValue& body);

/// The bytes of a batch without the options, those at its root and those of its searches; the same bytes when
/// there are none.
std::string stripped_batch(const JsonValue& body, SearchKind kind);

/// The plan of a whole batch from those of all searches of `body`, in their order: options at the root go,
/// each search gives way to its own upstream body, every other byte stays.
RequestPlan batch_plan(const JsonValue& body, HitLayout layout, std::vector<PlannedSearch> searches);

/// The plan of one search that is no batch.
RequestPlan single_plan(SearchPlan plan);

/// The client's own bytes of a search, options stripped.
std::string_view own_body(const PlannedSearch& search);

/// The body that asks for `own_bodies` alone: the single search, or `{"searches":[…]}`.
std::string own_request(bool batch, const std::vector<std::string_view>& own_bodies);

}  // namespace qrerank::proxy::rewrite

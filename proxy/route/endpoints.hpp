// The table of the paths whose searches may be reranked, and matching a request line against it. Nothing
// else in the program knows a path of Qdrant's but the two that it asks itself, which are made here as well.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/rewrite/plan.hpp"
#include "proxy/rewrite/request_shape.hpp"

namespace qrerank::proxy::route {

/// How many searches a body of the endpoint holds.
enum class BodyShape {
  single,  ///< the body is the search
  batch,   ///< `{"searches":[…]}`
};

/// One row: POST /collections/{c}/points/ + `path`.
struct EndpointRow {
  std::string_view path;  ///< "search", "query/batch"
  rewrite::SearchKind kind;
  BodyShape body;
  rewrite::HitLayout layout;
};

/// Every row.
std::span<const EndpointRow> endpoint_table();

/// A request that the table knows.
struct Match {
  const EndpointRow* row = nullptr;  ///< of the table: lives for ever
  std::string collection;            ///< decoded
};

/// A target's two parts, as they came. Of an absolute-form target the path begins behind the authority.
struct TargetParts {
  std::string_view path;                  ///< "/collections/c/points/search"
  std::optional<std::string_view> query;  ///< behind the first `?`; none when there is no `?`
};
TargetParts split_target(std::string_view target);

/// One piece of a query string, as it came.
struct Parameter {
  std::string_view whole;  ///< "a=%62", what stands between two `&`
  std::string_view name;   ///< before the first `=`, still encoded
  std::string_view value;  ///< behind it, still encoded; empty when there is no `=`
};

/// The pieces of a query string (what stands behind the `?`), empty ones too: joined by `&` they are what
/// came. None for an empty string.
std::vector<Parameter> parameters_of(std::string_view query);

/// The row that a request line names: segments are percent-decoded after the path was split, empty ones and a
/// trailing slash do not count, the method is POST. Nothing when no row does, or the collection's name holds
/// a `/` or is not valid UTF-8 (Qdrant has no such collection).
std::optional<Match> match(std::string_view method, std::string_view target);

/// `%41` to `A`; with `plus_is_space` also `+` to a space. A `%` without two hex digits stays as it is.
std::string percent_decoded(std::string_view text, bool plus_is_space);

/// Where the points of a matched request's collection are read: `/collections/c/points` with the collection
/// as it was spelled and the request's `timeout` and `consistency` parameters as they were spelled.
std::string reread_target(std::string_view target);

/// Where a matched request's collection is described: `/collections/c`, as it was spelled.
std::string collection_target(std::string_view target);

}  // namespace qrerank::proxy::route

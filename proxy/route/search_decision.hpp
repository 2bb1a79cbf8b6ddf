// What becomes of one search: all rules of precedence, of demand and wish stand here. A body's searches are
// taken out of it, and their decisions put together, by decide.hpp.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/rewrite/json_spans.hpp"
#include "proxy/rewrite/plan.hpp"
#include "proxy/route/carriers.hpp"
#include "proxy/route/endpoints.hpp"

namespace qrerank::proxy::route {

/// What a request's head says of a request whose body may be a search.
struct SearchHead {
  Match match;
  PlaceOptions headers;
  PlaceOptions parameters;
  /// The head alone asks for reranking: by header, parameter or an `always` in the configuration, in this
  /// order of precedence. When the body cannot be inspected the answer then says `X-Reranking-Used: false`.
  bool wish = false;
};

/// Not flagged: everything goes as it came, nothing is added to the answer.
struct Pass {};

/// Wished but not possible: everything goes as it came, a successful answer gets `X-Reranking-Used: false`,
/// and `X-Reranking-Reason: no_query` where `no_query` is set. It is not set where the collection's rule is
/// `never`: the closed set has no reason for that.
struct PassWish {
  bool no_query = true;
};

/// A 400 in Qdrant's error shape.
struct Refuse {
  std::string message;  ///< valid UTF-8; names option, value and bounds
  /// Nothing that stands in the search itself: the same is to be said of all searches of a batch.
  bool of_the_request = false;
};

/// A search that Qdrant would refuse: options stripped (body here, target and headers with strip_target() and
/// is_option_header()), so that Qdrant's own error comes back.
struct PassStripped {
  std::string body;
  std::string why;  ///< for a log line
};

using SearchDecision = std::variant<Pass, PassWish, Refuse, PassStripped, rewrite::SearchPlan>;

/// The rules that hold for all searches of a request, read once.
struct Circumstances {
  const SearchHead& head;
  const config::Config& config;
  Checks checks;
  const config::CollectionRule* rule = nullptr;  ///< the collection's, if it has one
  std::optional<PlaceOptions> root;              ///< what the root of a batch says
};

Circumstances circumstances_of(const SearchHead& head, const config::Config& config);

/// Decides on one search object.
SearchDecision decide_search(const Circumstances& all, const rewrite::JsonValue& search);

/// What is to be said of a request before any of its searches is looked at, where it has none or they cannot
/// be found: none when it is flagged and nothing is wrong with its options.
std::optional<SearchDecision> decide_without_search(const Circumstances& all);

}  // namespace qrerank::proxy::route

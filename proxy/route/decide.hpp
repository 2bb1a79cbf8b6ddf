// What becomes of one request: relayed, refused, or one search reranked. All rules of precedence, of demand
// and wish stand here; reading carriers is carriers.hpp's work, changing bytes rewrite/'s.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/config/config.hpp"
#include "proxy/http/message.hpp"
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

/// A 400 in Qdrant's error shape.
struct Refuse {
  std::string message;  ///< valid UTF-8; names option, value and bounds
};

/// Judges the head of a request that `matched`. A flag of the head that is neither true nor false is refused
/// at once.
using HeadJudgement = std::variant<SearchHead, Refuse>;
HeadJudgement judge_head(Match matched, std::string_view target, std::span<const http::FieldView> fields,
                         const config::Config& config);

/// Not flagged: everything goes as it came, nothing is added to the answer.
struct Pass {};

/// Wished but not possible: everything goes as it came, a successful answer gets `X-Reranking-Used: false`,
/// and `X-Reranking-Reason: no_query` where `no_query` is set. It is not set where the collection's rule is
/// `never`: the closed set has no reason for that.
struct PassWish {
  bool no_query = true;
};

/// A search that Qdrant would refuse: options stripped (body here, target and headers with strip_target() and
/// is_option_header()), so that Qdrant's own error comes back.
struct PassStripped {
  std::string body;
  std::string why;  ///< for a log line
};

using Decision = std::variant<Pass, PassWish, Refuse, PassStripped, rewrite::SearchPlan>;

/// Decides on a request with a single search. `body` is identity-coded (inflated). It is parsed only when the
/// bytes `rerank` or `\u` occur in it or the head wishes.
Decision decide(const SearchHead& head, std::string_view body, const config::Config& config);

/// The same for one search object inside a parsed body: the steps that a batch takes for each of its
/// searches.
Decision decide_search(const SearchHead& head, const rewrite::JsonValue& search,
                       const config::Config& config);

}  // namespace qrerank::proxy::route

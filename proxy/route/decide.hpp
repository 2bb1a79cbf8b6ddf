// What becomes of one request: relayed, refused, sent on, or planned. How one search is judged stands in
// search_decision.hpp, reading carriers is carriers.hpp's work, changing bytes rewrite/'s.
#pragma once

#include <span>
#include <string_view>
#include <variant>

#include "proxy/config/config.hpp"
#include "proxy/http/message.hpp"
#include "proxy/rewrite/plan.hpp"
#include "proxy/route/search_decision.hpp"

namespace qrerank::proxy::route {

/// Judges the head of a request that `matched`. A flag of the head that is neither true nor false is refused
/// at once.
using HeadJudgement = std::variant<SearchHead, Refuse>;
HeadJudgement judge_head(Match matched, std::string_view target, std::span<const http::FieldView> fields,
                         const config::Config& config);

using Decision = std::variant<Pass, PassWish, Refuse, PassStripped, rewrite::RequestPlan>;

/// Decides on a request with one search or a batch of them. `body` is identity-coded (inflated). It is parsed
/// only when the bytes `rerank` or `\u` occur in it or the head wishes.
///
/// Of a batch each search is judged by itself. One that is refused refuses the batch (Refuse names it by its
/// place: "searches[2]: …"); else one that Qdrant would refuse sends the whole batch on, stripped; else it is
/// planned when one search is, or when it is flagged and empty.
Decision decide(const SearchHead& head, std::string_view body, const config::Config& config);

}  // namespace qrerank::proxy::route

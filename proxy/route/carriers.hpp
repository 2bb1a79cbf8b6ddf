// The carriers of options: headers, query parameters, body objects and configuration, each read into the same
// plain value; and what of ours is taken off a request's head. Which carrier wins is decided in decide.hpp.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/config/config.hpp"
#include "proxy/http/message.hpp"
#include "proxy/rewrite/json_spans.hpp"
#include "reranker/options.hpp"

namespace qrerank::proxy::route {

/// What one place says. The flag is told apart, because it alone is checked when nothing is intercepted.
struct PlaceOptions {
  std::optional<bool> flag;
  reranker::Options options;  ///< without the flag; not to be used when there is an error
  std::string flag_error;     ///< not empty: the flag's value or spelling is a 400, intercepted or not
  std::string option_error;   ///< not empty: a 400 once the search is intercepted

  bool operator==(const PlaceOptions&) const = default;
};

/// What bounds the values.
struct Checks {
  reranker::OptionLimits limits;
  std::vector<std::string> models;  ///< the names that `rerank_model` may have

  static Checks of(const config::Config& config);
};

PlaceOptions read_headers(std::span<const http::FieldView> fields, const Checks& checks);

/// `query` is what stands behind the `?`.
PlaceOptions read_parameters(std::string_view query, const Checks& checks);

/// The options among the members of one body object.
PlaceOptions read_object(const rewrite::JsonValue& object, const Checks& checks);

/// "X-Rerank" or "X-Rerank-…", in any case: ours, not to be sent upstream with an intercepted search.
[[nodiscard]] bool is_option_header(std::string_view name);

/// A target without the parameters that are options (or begin like one); every other byte stays.
[[nodiscard]] std::string strip_target(std::string_view target);

}  // namespace qrerank::proxy::route

// The payload selector: from the client's `with_payload` and the text fields to what is asked for candidates,
// and how the client's own payload is had from it. The rules of Qdrant's selectors are in the .cpp.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/rewrite/json_spans.hpp"
#include "proxy/rewrite/plan.hpp"
#include "proxy/rewrite/text_fields.hpp"

namespace qrerank::proxy::rewrite {

/// What is asked for candidates.
struct WidenedPayload {
  std::optional<std::string>
      selector;  ///< JSON for `with_payload`; none: the client's own is enough as it stands
  Projection::Payload projection = Projection::Payload::none;
  std::vector<std::string> members;  ///< keep, drop; as Projection's
};

/// `client` is the member's value, absent when there is none; both absent and null ask for none. The error
/// says why Qdrant would refuse the selector.
tl::expected<WidenedPayload, std::string> widen_payload(const std::optional<JsonValue>& client,
                                                        const TextFields& fields);

/// Whether `with_vector` asks for any. The error says why Qdrant would refuse it.
tl::expected<bool, std::string> wants_vectors(const std::optional<JsonValue>& client);

}  // namespace qrerank::proxy::rewrite

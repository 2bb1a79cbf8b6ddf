#include "proxy/rewrite/request.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "proxy/rewrite/request_payload.hpp"
#include "proxy/rewrite/text_fields.hpp"

namespace qrerank::proxy::rewrite {
namespace {

constexpr std::uint64_t kDefaultTopK = 50;
// Qdrant validates mmr.candidates_limit against it.
constexpr std::uint64_t kMaxMmrCandidates = 16'384;

const std::vector<std::string>& default_fields() {
  static const std::vector<std::string> kFields = {"content", "text", "document", "page_content"};
  return kFields;
}

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max()
                                                           : a + b;
}

std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b) {
  return a != 0 && b > std::numeric_limits<std::uint64_t>::max() / a
             ? std::numeric_limits<std::uint64_t>::max()
             : a * b;
}

HitLayout layout_of(const SearchShape& shape) {
  if (shape.groups) {
    return HitLayout::groups;
  }
  return shape.kind == SearchKind::query ? HitLayout::points : HitLayout::list;
}

// Replaces a member that is there, under whichever name, else adds one.
void set_member(JsonSplice& splice, const JsonValue& object, const std::optional<JsonValue>& member,
                std::string_view key, std::string value) {
  if (member) {
    splice.replace(*member, std::move(value));
  } else {
    splice.insert(object, key, std::move(value));
  }
}

// Raises `mmr.candidates_limit`. True when the pool that MMR chooses from grows; without a limit of its own
// it is that of the search or prefetch and grows with it.
bool raise_mmr(JsonSplice& splice, const QueryShape& query, std::uint64_t limit, bool holder_grows) {
  if (!query.mmr) {
    return false;
  }
  if (!query.candidates_limit || query.candidates_limit->is_null()) {
    return holder_grows;
  }
  const std::uint64_t raised = std::min(limit, kMaxMmrCandidates);
  if (query.candidates_limit->as_count().value() >= raised) {
    return false;
  }
  splice.replace(*query.candidates_limit, std::to_string(raised));
  return true;
}

// `pool`: what mmr has to choose from.
bool raise_prefetches(JsonSplice& splice, const SearchShape& shape, std::uint64_t limit, std::uint64_t pool) {
  bool raised = false;
  for (const PrefetchShape& prefetch : shape.prefetches) {
    bool grows = false;
    if (prefetch.limit_value < limit) {
      set_member(splice, prefetch.object, prefetch.limit, "limit", std::to_string(limit));
      grows = true;
    }
    const bool mmr = raise_mmr(splice, prefetch.query, pool, grows);
    raised = raised || grows || mmr;
  }
  return raised;
}

// What is asked for instead of the client's `limit` and `group_size`.
struct WidenedCounts {
  std::uint64_t limit = 0;       // points, or groups
  std::uint64_t group_size = 1;  // of a list: 1
};

WidenedCounts widened_counts(const SearchShape& shape, std::uint64_t top_k) {
  if (!shape.groups) {
    return {.limit = std::max(top_k, saturating_add(shape.offset_value, shape.limit_value))};
  }
  const std::uint64_t own = shape.group_size_value;
  const std::uint64_t group_size = std::max(own, std::min(saturating_multiply(2, own), top_k));
  const std::uint64_t groups = top_k / group_size + (top_k % group_size == 0 ? 0 : 1);
  return {.limit = std::max(shape.limit_value, groups), .group_size = group_size};
}

std::string spelled_or(const std::optional<JsonValue>& member, std::string_view otherwise) {
  return std::string(member && !member->is_null() ? member->raw() : otherwise);
}

}  // namespace

void strip_options(JsonSplice& splice, const JsonValue& search, SearchKind kind) {
  for (const JsonValue& place : option_places(search, kind)) {
    for (const JsonValue member : place.children()) {
      if (reranker::find_option(member.key()) != nullptr) {
        splice.remove(member);
      }
    }
  }
}

std::string stripped(const JsonValue& search, SearchKind kind) {
  JsonSplice splice;
  strip_options(splice, search, kind);
  return splice.apply(search);
}

tl::expected<SearchPlan, std::string> plan_search(const SearchShape& shape, PlanInputs inputs) {
  if (!shape.refused.empty() || inputs.query_text.empty()) {
    throw std::logic_error("a plan needs a search that Qdrant takes, and a query text");
  }
  SearchPlan plan;
  plan.layout = layout_of(shape);
  plan.limit = shape.limit_value;
  plan.offset = shape.offset_value;
  plan.group_size = shape.groups ? shape.group_size_value : 0;
  plan.top_k = inputs.options.top_k
                   ? static_cast<std::uint64_t>(*inputs.options.top_k)
                   : std::min(kDefaultTopK, static_cast<std::uint64_t>(inputs.limits.max_top_k));
  plan.first_non_empty = !inputs.options.fields.has_value();
  plan.fields = inputs.options.fields.value_or(default_fields());

  const auto fields = TextFields::parse(plan.fields, plan.first_non_empty);
  if (!fields) {
    throw std::logic_error("unchecked text field: " + fields.error());
  }
  auto payload = widen_payload(shape.with_payload, *fields);
  if (!payload) {
    return tl::unexpected(std::move(payload.error()));
  }
  const auto vectors = wants_vectors(shape.with_vector);
  if (!vectors) {
    return tl::unexpected(vectors.error());
  }

  plan.projection.payload = payload->projection;
  plan.projection.members = std::move(payload->members);
  plan.projection.vectors = *vectors;
  plan.projection.with_payload = spelled_or(shape.with_payload, "false");
  plan.projection.with_vector = spelled_or(shape.with_vector, "false");
  plan.projection.shard_key = spelled_or(shape.shard_key, "");
  if (*vectors) {
    // Everything is read again, so candidates bring their texts only.
    payload->selector = widen_payload(std::nullopt, *fields)->selector;
    plan.projection.payload = Projection::Payload::reread;
    plan.projection.members.clear();
  }

  JsonSplice splice;
  strip_options(splice, shape.object, shape.kind);
  plan.own_body = splice.apply(shape.object);

  const WidenedCounts counts = widened_counts(shape, plan.top_k);
  set_member(splice, shape.object, shape.limit, "limit", std::to_string(counts.limit));
  if (shape.offset) {
    splice.replace(*shape.offset, "0");
  }
  if (shape.groups) {
    set_member(splice, shape.object, shape.group_size, "group_size", std::to_string(counts.group_size));
  }
  if (payload->selector) {
    set_member(splice, shape.object, shape.with_payload, "with_payload", std::move(*payload->selector));
  }
  if (shape.with_vector) {
    splice.replace(*shape.with_vector, "false");
  }
  // For groups Qdrant multiplies the limits of prefetches by the group size itself, but not what mmr chooses
  // from.
  const std::uint64_t pool = saturating_multiply(counts.limit, counts.group_size);
  const bool grows = counts.limit != plan.limit || (shape.groups && counts.group_size != plan.group_size);
  const bool mmr = raise_mmr(splice, shape.query, pool, grows);
  const bool prefetches = raise_prefetches(splice, shape, counts.limit, pool);
  plan.inner_widened = mmr || prefetches || (shape.groups && grows);
  plan.upstream_body = splice.apply(shape.object);

  plan.query_text = std::move(inputs.query_text);
  plan.options = std::move(inputs.options);
  return plan;
}

}  // namespace qrerank::proxy::rewrite

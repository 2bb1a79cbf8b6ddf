#include "proxy/admin/compare/search_pair.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "proxy/http/message.hpp"

namespace qrerank::proxy::admin::compare {
namespace {

namespace json = boost::json;

constexpr std::int64_t kDefaultLimit = 10;
constexpr std::int64_t kDefaultTopK = 50;
constexpr unsigned kOk = 200;
constexpr std::size_t kLongestError = 2000;
constexpr std::size_t kDeepest = 160;

tl::unexpected<std::string> wrong(std::string_view what) {
  return tl::unexpected(std::string(what));
}

std::int64_t configured_top_k(const config::Config& config, const std::string& collection) {
  const auto* rule = config::find_rule(config, collection);
  if (rule != nullptr && rule->options.top_k) return *rule->options.top_k;
  return config.rerank.defaults.top_k.value_or(kDefaultTopK);
}

// Bounds are the proxy's to judge: here a number of hits is wanted whatever it says of the option.
std::int64_t hits_wanted(const json::object& options, std::int64_t limit, const config::Config& config,
                         const std::string& collection) {
  const auto* said = options.if_contains("rerank_top_k");
  std::int64_t top_k = configured_top_k(config, collection);
  if (said != nullptr && said->is_int64()) top_k = said->get_int64();
  return std::max(limit, std::min(top_k, config.rerank.limits.max_top_k));
}

const json::object* object_member(const json::object& in, std::string_view name) {
  const auto* member = in.if_contains(name);
  return member == nullptr ? nullptr : member->if_object();
}

// `from` may be `to`, whose members move when one is added.
void copy(const json::object& from, std::string_view name, json::object& to, std::string_view as) {
  const auto* member = from.if_contains(name);
  if (member == nullptr) return;
  json::value copied = *member;
  to[as] = std::move(copied);
}

bool is_document(const json::value& query) {
  const auto* object = query.if_object();
  if (object == nullptr) return false;
  if (const auto* nearest = object->if_contains("nearest"); nearest != nullptr) return is_document(*nearest);
  return object->contains("text") && object->contains("model");
}

// The points of a /query answer, or null.
const json::array* points_in(const json::object& answer) {
  const auto* result = object_member(answer, "result");
  const auto* points = result == nullptr ? nullptr : result->if_contains("points");
  return points == nullptr ? nullptr : points->if_array();
}

// "upstream;dur=3.1, compute;dur=800" to {"upstream":3.1,"compute":800}
json::object timing_of(std::string_view header) {
  json::object times;
  while (!header.empty()) {
    const auto comma = std::min(header.find(','), header.size());
    std::string_view entry = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    entry.remove_prefix(std::min(entry.find_first_not_of(' '), entry.size()));
    const auto name = entry.substr(0, entry.find(';'));
    const auto at = entry.find(";dur=");
    if (name.empty() || at == std::string_view::npos) continue;
    const auto number = entry.substr(at + 5);
    double value = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
    if (read.ec == std::errc()) times[name] = value;
  }
  return times;
}

json::object failed_side(unsigned status, double wall_ms, std::string_view why) {
  return {{"status", status}, {"wall_ms", wall_ms}, {"error", why}};
}

}  // namespace

std::optional<json::object> object_in(std::string_view body) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = kDeepest;
  auto value = json::parse(body, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

tl::expected<SearchPair, std::string> pair_from(std::string_view body, const config::Config& config) {
  const auto asked = object_in(body);
  if (!asked) return wrong("the body is no JSON object");
  static constexpr std::string_view kKnown[] = {"collection", "search", "options", "rerank", "limit"};
  for (const auto& [name, value] : *asked) {
    if (std::ranges::find(kKnown, std::string_view(name)) == std::end(kKnown))
      return wrong("\"" + std::string(name) +
                   "\" is not known here; collection, search, options, rerank and limit are");
  }
  const auto* collection = asked->if_contains("collection");
  if (collection == nullptr || !collection->is_string() || collection->get_string().empty())
    return wrong("\"collection\" must be the name of a collection");
  const auto* search = object_member(*asked, "search");
  if (search == nullptr || !search->contains("query"))
    return wrong("\"search\" must be an object with a \"query\", as Qdrant's points/query takes it");
  const auto* options = object_member(*asked, "options");
  if (options == nullptr && asked->contains("options")) return wrong("\"options\" must be an object");
  for (const auto& [name, value] : options == nullptr ? json::object() : *options) {
    if (!name.starts_with("rerank_"))
      return wrong("\"options\" holds \"" + std::string(name) + "\"; it takes names that begin with rerank_");
  }
  const auto* rerank = asked->if_contains("rerank");
  if (rerank != nullptr && !rerank->is_bool()) return wrong("\"rerank\" must be true or false");
  const auto* limit = asked->if_contains("limit");
  const auto most = config.rerank.limits.max_top_k;
  if (limit != nullptr && (!limit->is_int64() || limit->get_int64() < 1 || limit->get_int64() > most))
    return wrong("\"limit\" must be a whole number from 1 to " + std::to_string(most));

  SearchPair pair;
  pair.collection = std::string(collection->get_string());
  const auto given = options == nullptr ? json::object() : *options;
  auto sent = *search;
  sent["limit"] =
      hits_wanted(given, limit == nullptr ? kDefaultLimit : limit->get_int64(), config, pair.collection);
  if (!sent.contains("with_payload")) sent["with_payload"] = true;
  sent["use_reranker"] = false;
  pair.plain = json::serialize(sent);
  if (is_document(*search->if_contains("query"))) {
    auto weightless = sent;
    for (const auto& [name, value] : given) weightless[name] = value;
    weightless.erase("rerank_score_threshold");
    weightless["rerank_weight"] = 0;
    weightless["use_reranker"] = true;
    pair.weightless = json::serialize(weightless);
  }
  if (rerank != nullptr && !rerank->get_bool()) return pair;
  for (const auto& [name, value] : given) sent[name] = value;
  sent["use_reranker"] = true;
  pair.reranked = json::serialize(sent);
  return pair;
}

json::object point_of(const json::object& point) {
  json::object shown;
  const auto* id = point.if_contains("id");
  if (id != nullptr) shown["id"] = id->is_string() ? *id : json::value(json::serialize(*id));
  copy(point, "payload", shown, "payload");
  return shown;
}

std::string error_text(const upstream::Response& response) {
  const auto answer = object_in(response.body);
  const auto* status = answer ? object_member(*answer, "status") : nullptr;
  const auto* said = status == nullptr ? nullptr : status->if_contains("error");
  if (said != nullptr && said->is_string()) return std::string(said->get_string());
  if (response.body.empty()) return std::string(http::reason_phrase(response.status)) + " (without a reason)";
  return response.body.substr(0, kLongestError);
}

json::object side_of(const upstream::Response& response, double wall_ms) {
  if (response.status != kOk) return failed_side(response.status, wall_ms, error_text(response));
  const auto answer = object_in(response.body);
  const auto* points = answer ? points_in(*answer) : nullptr;
  if (points == nullptr) return failed_side(502, wall_ms, "the answer is not that of a Qdrant query");
  json::object side{{"status", kOk}, {"wall_ms", wall_ms}};
  json::array shown;
  for (const auto& point : *points) {
    if (!point.is_object()) continue;
    auto& one = shown.emplace_back(point_of(point.get_object())).get_object();
    for (const std::string_view name : {"score", "vector_score", "rerank_score"})
      copy(point.get_object(), name, one, name);
  }
  side["points"] = std::move(shown);
  side["used"] = false;
  copy(*answer, "reranking_used", side, "used");
  copy(*answer, "reranking_reason", side, "reason");
  copy(*answer, "reranker_model", side, "model");
  copy(*answer, "reranking_time_ms", side, "time_ms");
  copy(*answer, "reranking_candidates", side, "candidates");
  for (const auto& field : response.fields) {
    if (http::iequals(field.name, "Server-Timing")) side["timing"] = timing_of(field.value);
  }
  return side;
}

json::object vector_side_of(json::object side) {
  for (auto& point : side["points"].as_array()) {
    auto& one = point.as_object();
    copy(one, "vector_score", one, "score");
    one.erase("vector_score");
    one.erase("rerank_score");
  }
  if (const auto* timing = object_member(side, "timing"); timing != nullptr) {
    double spent = 0;
    for (const std::string_view stage : {"upstream", "inference"}) {
      if (const auto* took = timing->if_contains(stage); took != nullptr) spent += took->to_number<double>();
    }
    side["wall_ms"] = spent;
  }
  for (const std::string_view name : {"reason", "model", "time_ms", "candidates", "timing"}) side.erase(name);
  side["used"] = false;
  return side;
}

}  // namespace qrerank::proxy::admin::compare

#include "proxy/eval/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "proxy/eval/json_lines.hpp"
#include "proxy/observe/json_text.hpp"

namespace qrerank::proxy::eval {
namespace {

namespace json = boost::json;
using observe::json_string;

constexpr unsigned kLongestTimeoutMs = 60'000;
constexpr std::size_t kLongestError = 300;

json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

// "meta.id": a member of a member. The parts of a quoted or indexed path are not looked for.
std::string id_at(const json::object& payload, std::string_view path) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) return id_member(payload, path);
  const auto* inner = payload.if_contains(view(path.substr(0, dot)));
  return inner != nullptr && inner->is_object() ? id_at(inner->get_object(), path.substr(dot + 1)) : "";
}

std::string corpus_id(const json::object& point, const std::string& id_field) {
  if (id_field.empty()) return id_member(point, "id");
  const auto* payload = point.if_contains("payload");
  return payload != nullptr && payload->is_object() ? id_at(payload->get_object(), id_field) : "";
}

const json::array* points_of(const json::object& root) {
  const auto* result = root.if_contains("result");
  const auto* object = result == nullptr ? nullptr : result->if_object();
  const auto* points = object == nullptr ? nullptr : object->if_contains("points");
  return points == nullptr ? nullptr : points->if_array();
}

std::string text_member(const json::object& object, json::string_view name) {
  const auto* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : "";
}

double number_member(const json::object& object, json::string_view name) {
  const auto* member = object.if_contains(name);
  return member != nullptr && member->is_number() ? member->to_number<double>() : 0;
}

}  // namespace

std::string search_body(const Target& target, const Query& query, std::size_t limit,
                        const std::optional<Setting>& setting, const std::string& judged_text) {
  std::string body = fmt::format("{{\"query\":{},\"limit\":{}", query.search, limit);
  if (!target.using_vector.empty()) body += ",\"using\":" + json_string(target.using_vector);
  body += ",\"with_payload\":" +
          (target.id_field.empty() ? std::string("false") : "[" + json_string(target.id_field) + "]");
  if (!setting) return body + ",\"use_reranker\":false}";
  body += fmt::format(
      ",\"use_reranker\":true,\"rerank_query\":{},\"rerank_top_k\":{},\"rerank_weight\":{},"
      "\"rerank_timeout_ms\":{},\"rerank_on_error\":\"fallback\"",
      json_string(judged_text), setting->top_k, setting->weight, kLongestTimeoutMs);
  if (!setting->model.empty()) body += ",\"rerank_model\":" + json_string(setting->model);
  if (!target.instruction.empty()) body += ",\"rerank_instruction\":" + json_string(target.instruction);
  return body + "}";
}

tl::expected<Answer, std::string> read_answer(std::string_view body, const std::string& id_field) {
  boost::system::error_code error;
  const auto value = json::parse(view(body), error);
  const auto* root = error ? nullptr : value.if_object();
  const auto* points = root == nullptr ? nullptr : points_of(*root);
  if (points == nullptr) return tl::unexpected(std::string("the answer is not that of a Qdrant query"));
  Answer answer;
  answer.points = points->size();
  std::set<std::string> seen;
  for (const auto& point : *points) {
    const auto id = point.is_object() ? corpus_id(point.get_object(), id_field) : "";
    if (id.empty())
      return tl::unexpected(id_field.empty() ? std::string("a point without id")
                                             : "a point has no text or whole number at " + id_field +
                                                   " of its payload (--id-field)");
    if (seen.insert(id).second) answer.ranking.push_back(id);
  }
  const auto* used = root->if_contains("reranking_used");
  answer.reranked = used != nullptr && used->is_bool() && used->get_bool();
  answer.reason = text_member(*root, "reranking_reason");
  answer.model = text_member(*root, "reranker_model");
  answer.reranking_ms = number_member(*root, "reranking_time_ms");
  answer.candidates = static_cast<std::size_t>(number_member(*root, "reranking_candidates"));
  return answer;
}

std::string read_error(std::string_view body) {
  boost::system::error_code error;
  const auto value = json::parse(view(body), error);
  std::string said(body);
  if (const auto* root = error ? nullptr : value.if_object(); root != nullptr) {
    const auto* status = root->if_contains("status");
    if (status != nullptr && status->is_object()) said = text_member(status->get_object(), "error");
  }
  said = said.substr(0, std::min(said.find_first_of("\r\n"), kLongestError));
  return said.empty() ? "no reason given" : said;
}

}  // namespace qrerank::proxy::eval

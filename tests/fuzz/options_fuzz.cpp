// Options in headers and query parameters: whatever is sent gives values within their bounds or a clear
// error, both carriers read a value alike, and nothing of ours stays in a stripped target.
#include <cmath>
#include <string>

#include "proxy/http/message.hpp"
#include "proxy/rewrite/json_spans.hpp"
#include "proxy/route/carriers.hpp"
#include "proxy/route/endpoints.hpp"
#include "reranker/utf8.hpp"
#include "tests/fuzz/property.hpp"

namespace qrerank::fuzz {
namespace {

namespace route = proxy::route;

// A small limit of the query's, so that it is passed often.
const route::Checks kChecks{.limits = {.max_top_k = 200, .max_query_chars = 40},
                            .models = {"mock", "Qwen3-Reranker-0.6B"}};

// An error goes to the client inside JSON.
void is_presentable(const std::string& error) {
  if (error.empty()) return;
  const auto reply = proxy::http::error_reply(400, error);
  must(proxy::rewrite::JsonTree::parse(reply.body).has_value(), "an error is a JSON text, valid UTF-8");
  must(error.size() < 2000, "an error is short whatever was sent");
}

void is_within_bounds(const reranker::Options& options) {
  const auto& limits = kChecks.limits;
  must(!options.use_reranker, "the flag is told apart");
  must(!options.top_k || (*options.top_k >= 10 && *options.top_k <= limits.max_top_k), "top_k is in bounds");
  must(!options.weight || (*options.weight >= 0 && *options.weight <= 1), "the weight is in bounds");
  must(!options.timeout_ms || (*options.timeout_ms >= 1 && *options.timeout_ms <= 60'000),
       "the time is in bounds");
  must(!options.score_threshold || std::isfinite(*options.score_threshold), "a threshold is finite");
  must(!options.query || !reranker::is_blank(*options.query), "a query has something to say");
  must(!options.model || *options.model == kChecks.models[0] || *options.model == kChecks.models[1],
       "a model is configured");
  if (options.fields) {
    must(!options.fields->empty() && options.fields->size() <= 64, "a list of fields is in bounds");
    for (const auto& field : *options.fields) must(!field.empty(), "a field is not empty");
  }
}

void is_sound(const route::PlaceOptions& place) {
  is_presentable(place.flag_error);
  is_presentable(place.option_error);
  if (place.option_error.empty()) is_within_bounds(place.options);
}

std::string encoded(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += kDigits[byte >> 4];
    result += kDigits[byte & 15];
  }
  return result;
}

// One value, percent-encoded from end to end, in either carrier.
void reads_alike(const reranker::OptionSpec& spec, std::string_view value) {
  const std::string code = encoded(value);
  must(route::percent_decoded(code, true) == value, "what is percent-encoded comes back");
  const std::string header = spec.header_name();
  const proxy::http::FieldView field{header, code};
  const auto by_header = route::read_headers(std::span(&field, 1), kChecks);
  const auto by_parameter = route::read_parameters(std::string(spec.name) + "=" + code, kChecks);
  must(by_header.flag == by_parameter.flag, "a flag is read alike in either carrier");
  must(by_header.option_error.empty() == by_parameter.option_error.empty(),
       "a value is refused in both carriers");
  if (by_header.option_error.empty()) {
    must(by_header.options == by_parameter.options, "a value is read alike in either carrier");
  }
  is_sound(by_header);
  is_sound(by_parameter);
}

void is_stripped(std::string_view target) {
  const std::string stripped = route::strip_target(target);
  must(stripped.size() <= target.size(), "stripping adds nothing");
  must(route::strip_target(stripped) == stripped, "what is stripped stays so");
  const auto before = route::split_target(target);
  const auto after = route::split_target(stripped);
  must(before.path == after.path, "a path stays");
  must(route::read_parameters(after.query.value_or(""), kChecks) == route::PlaceOptions{},
       "nothing of ours is left");
  const auto found = route::match("POST", target);
  const auto again = route::match("POST", stripped);
  must(found.has_value() == again.has_value(), "a target matches what it matched");
  must(!found || (found->row == again->row && found->collection == again->collection), "a match stays");
}

}  // namespace
}  // namespace qrerank::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qrerank::fuzz;
  const WrittenRequest request(text_of(data, size));
  is_sound(route::read_headers(request.fields, kChecks));
  is_sound(route::read_parameters(route::split_target(request.target).query.value_or(""), kChecks));
  is_stripped(request.target);
  // Bounded, for it is read twenty times.
  const std::string_view value = request.body.substr(0, 200);
  for (const auto& spec : qrerank::reranker::option_table()) reads_alike(spec, value);
  return 0;
}

#include "proxy/flow/upstream_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "proxy/http/head_writer.hpp"
#include "proxy/route/carriers.hpp"
#include "proxy/route/endpoints.hpp"

namespace qrerank::proxy::flow {
namespace {

bool speaks_of_coding(std::string_view name) {
  static constexpr std::array<std::string_view, 3> kNames = {"Accept-Encoding", "Content-Encoding",
                                                             "Content-Length"};
  for (const auto known : kNames) {
    if (http::iequals(name, known)) return true;
  }
  return false;
}

bool tells_who_asks(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kNames = {"Host", "api-key", "Authorization", "Cookie"};
  return std::ranges::any_of(kNames, [&](std::string_view known) { return http::iequals(name, known); });
}

}  // namespace

upstream::Request search_request(const http::RequestHead& head, std::string_view target, std::string body) {
  upstream::Request request;
  request.method = std::string(head.method);
  request.target = route::strip_target(target);
  request.body = std::move(body);
  request.fields.reserve(head.fields.size() + 1);
  // The client's Connection ends here: what it names is the client's own, and never what is added below.
  const auto named = http::connection_names(head.fields);
  for (const auto& field : head.fields) {
    if (route::is_option_header(field.name) || speaks_of_coding(field.name)) continue;
    if (http::is_hop_by_hop(http::kind_of(field.name), field.name, named)) continue;
    request.fields.push_back({std::string(field.name), std::string(field.value)});
  }
  request.fields.push_back({"Accept-Encoding", "identity"});
  return request;
}

http::PassAsItCame own_request_passed(const http::RequestHead& head, std::string body) {
  http::PassAsItCame pass;
  pass.target = route::strip_target(head.target);
  pass.fields.emplace();
  for (const auto& field : head.fields) {
    if (route::is_option_header(field.name) || http::iequals(field.name, "Content-Encoding")) continue;
    pass.fields->push_back({std::string(field.name), std::string(field.value)});
  }
  pass.body = std::move(body);
  return pass;
}

upstream::Request collection_request(const http::RequestHead& head, std::string target) {
  upstream::Request request;
  request.method = "GET";
  request.target = std::move(target);
  const auto named = http::connection_names(head.fields);
  for (const auto& field : head.fields) {
    if (tells_who_asks(field.name) && !http::is_hop_by_hop(http::kind_of(field.name), field.name, named)) {
      request.fields.push_back({std::string(field.name), std::string(field.value)});
    }
  }
  request.fields.push_back({"Accept-Encoding", "identity"});
  return request;
}

std::optional<std::chrono::seconds> own_timeout(std::string_view target) {
  // Beyond a year a time limit is none; it also keeps the arithmetic with clocks far from overflow.
  constexpr std::uint32_t kLongest = 365 * 24 * 3600;
  const auto query_string = route::split_target(target).query.value_or(std::string_view());
  for (const route::Parameter& parameter : route::parameters_of(query_string)) {
    if (route::percent_decoded(parameter.name, true) != "timeout") continue;
    const std::string value = route::percent_decoded(parameter.value, true);
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    const bool whole = error == std::errc() && end == value.data() + value.size();
    if (whole && seconds > 0 && seconds <= kLongest) return std::chrono::seconds(seconds);
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace qrerank::proxy::flow

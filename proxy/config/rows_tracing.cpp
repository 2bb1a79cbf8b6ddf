// The rows of tracing.*.
#include <algorithm>
#include <charconv>
#include <string_view>

#include "proxy/config/rows.hpp"

namespace qrerank::proxy::config::rows {
namespace {

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

// "name=value,name=value"; values may hold spaces.
bool are_headers(std::string_view text) {
  constexpr std::string_view kOfNames = "!#$%&'*+-.^_`|~";
  while (!text.empty()) {
    const auto one = text.substr(0, text.find(','));
    if (one.size() < text.size() && one.size() + 1 == text.size()) return false;  // ends with a comma
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const auto name = one.substr(0, one.find('='));
    if (name.empty() || name.size() + 1 >= one.size()) return false;
    const bool good_name = std::ranges::all_of(name, [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             kOfNames.find(c) != std::string_view::npos;
    });
    const bool good_value = std::ranges::all_of(one.substr(name.size() + 1),
                                                [](unsigned char c) { return c >= 0x20 && c < 0x7F; });
    if (!good_name || !good_value) return false;
  }
  return true;
}

std::optional<std::string> url(const std::string& text) {
  const bool known = text.starts_with("http://") || text.starts_with("https://");
  const bool named = text.size() > text.find("://") + 3;
  const bool plain = text.find('@') == std::string::npos && is_visible(text);
  return known && named && plain ? std::optional(text) : std::nullopt;
}

std::optional<double> ratio(const std::string& text) {
  double value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= 0 && value <= 1 ? std::optional(value) : std::nullopt;
}

}  // namespace

void add_tracing(Keys& keys) {
  Key endpoint = values::row(ValueType::text, "tracing", "endpoint",
                             "http:// or https://HOST[:PORT]/PATH, without a user name",
                             "Where spans are sent, such as `http://127.0.0.1:4318/v1/traces`.");
  values::bind<std::string>(endpoint, QRERANK_CONFIG(std::string, tracing.endpoint), url,
                            [](const std::string& text) { return text; });
  endpoint.get = [](const Place& place) -> std::optional<Given> {
    const auto& text = place.config.tracing.endpoint;
    return text.empty() ? std::nullopt : std::optional(Given{text, {}, false});
  };
  keys.push_back(defaulting_to(std::move(endpoint), "none: no tracing"));
  keys.push_back(values::text(ValueType::text, "tracing", "service_name", "a name",
                              "`service.name` of the spans.",
                              QRERANK_CONFIG(std::string, tracing.service_name)));
  Key share =
      values::row(ValueType::number, "tracing", "sample_ratio", "a number from 0 to 1",
                  "The share of the traces that begin here that are recorded; a request that comes with "
                  "a `traceparent` is recorded when that says so.");
  values::bind<double>(share, QRERANK_CONFIG(double, tracing.sample_ratio), ratio,
                       [](double value) { return fmt::format("{}", value); });
  keys.push_back(std::move(share));
  Key headers =
      values::row(ValueType::token, "tracing", "headers", "NAME=VALUE, or several with commas between",
                  "Sent to the collector with each batch, such as `Authorization=Bearer …`.");
  headers.secret = true;
  values::bind<Secret>(
      headers, QRERANK_CONFIG(Secret, tracing.headers),
      [](const std::string& text) {
        return !text.empty() && are_headers(text) ? std::optional(Secret(text)) : std::nullopt;
      },
      [](const Secret& secret) { return secret.reveal(); });  // to compare with; printers mask it
  headers.get = [](const Place& place) -> std::optional<Given> {
    const Secret& secret = place.config.tracing.headers;
    return secret.empty() ? std::nullopt : std::optional(Given{secret.reveal(), {}, false});
  };
  keys.push_back(defaulting_to(std::move(headers), "none"));
  Key ca = file("tracing", "ca", "The authorities that an `https` collector's certificate must come from.",
                QRERANK_CONFIG(std::string, tracing.ca), "the system's");
  ca.needs_restart = true;
  keys.push_back(std::move(ca));
}

}  // namespace qrerank::proxy::config::rows

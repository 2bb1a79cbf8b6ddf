#include "proxy/trace/otlp.hpp"

#include <boost/json.hpp>
#include <utility>

namespace qrerank::proxy::trace {
namespace {

namespace json = boost::json;

constexpr int kStatusError = 2;

json::object attribute(std::string_view key, const std::variant<std::string, std::int64_t>& value) {
  // 64-bit numbers are strings in protobuf's JSON.
  const auto* number = std::get_if<std::int64_t>(&value);
  json::object held;
  if (number != nullptr) {
    held["intValue"] = std::to_string(*number);
  } else {
    held["stringValue"] = std::get<std::string>(value);
  }
  return {{"key", key}, {"value", std::move(held)}};
}

std::string nanoseconds(Clock::time_point at, const Moment& now) {
  return std::to_string((now.since_1970 - (now.steady - at)).count());
}

json::object as_json(const Span& span, const Moment& now) {
  json::object out{{"traceId", to_hex(span.trace)},
                   {"spanId", to_hex(span.id)},
                   {"name", span.name},
                   {"kind", static_cast<int>(span.kind)},
                   {"startTimeUnixNano", nanoseconds(span.start, now)},
                   {"endTimeUnixNano", nanoseconds(span.end, now)}};
  if (span.parent != 0) out["parentSpanId"] = to_hex(span.parent);
  json::array attributes;
  for (const Attribute& one : span.attributes) attributes.push_back(attribute(one.key, one.value));
  out["attributes"] = std::move(attributes);
  if (span.failed) out["status"] = json::object{{"code", kStatusError}};
  return out;
}

}  // namespace

std::string to_otlp(std::span<const Span> spans, const Service& service, const Moment& now) {
  json::array all;
  for (const Span& span : spans) all.push_back(as_json(span, now));
  json::array resource{attribute("service.name", service.name),
                       attribute("service.version", service.version)};
  const json::object scope{{"name", "qrerank"}, {"version", service.version}};
  json::array scopes{json::object{{"scope", scope}, {"spans", std::move(all)}}};
  json::array resources{json::object{{"resource", json::object{{"attributes", std::move(resource)}}},
                                     {"scopeSpans", std::move(scopes)}}};
  return json::serialize(json::object{{"resourceSpans", std::move(resources)}});
}

}  // namespace qrerank::proxy::trace

#include "proxy/route/endpoints.hpp"

#include <array>

#include "reranker/utf8.hpp"

namespace qrerank::proxy::route {
namespace {

using rewrite::HitLayout;
using rewrite::SearchKind;

constexpr std::array kTable = {
    EndpointRow{"search", SearchKind::search, BodyShape::single, HitLayout::list},
    EndpointRow{"search/batch", SearchKind::search, BodyShape::batch, HitLayout::list},
    EndpointRow{"search/groups", SearchKind::search, BodyShape::single, HitLayout::groups},
    EndpointRow{"query", SearchKind::query, BodyShape::single, HitLayout::points},
    EndpointRow{"query/batch", SearchKind::query, BodyShape::batch, HitLayout::points},
    EndpointRow{"query/groups", SearchKind::query, BodyShape::single, HitLayout::groups},
    EndpointRow{"recommend", SearchKind::recommend, BodyShape::single, HitLayout::list},
    EndpointRow{"recommend/batch", SearchKind::recommend, BodyShape::batch, HitLayout::list},
    EndpointRow{"recommend/groups", SearchKind::recommend, BodyShape::single, HitLayout::groups},
    EndpointRow{"discover", SearchKind::discover, BodyShape::single, HitLayout::list},
    EndpointRow{"discover/batch", SearchKind::discover, BodyShape::batch, HitLayout::list},
};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// As they came; empty ones (`//`, a trailing slash) are left out.
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (slash != 0) {
      segments.push_back(path.substr(0, slash));
    }
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return segments;
}

}  // namespace

std::span<const EndpointRow> endpoint_table() {
  return kTable;
}

TargetParts split_target(std::string_view target) {
  TargetParts parts;
  parts.path = target;
  const std::size_t question = target.find('?');
  if (question != std::string_view::npos) {
    parts.path = target.substr(0, question);
    parts.query = target.substr(question + 1);
  }
  const std::size_t scheme = parts.path.find("://");
  if (scheme != std::string_view::npos && !parts.path.starts_with('/')) {
    const std::size_t slash = parts.path.find('/', scheme + 3);
    parts.path = slash == std::string_view::npos ? std::string_view() : parts.path.substr(slash);
  }
  return parts;
}

std::vector<Parameter> parameters_of(std::string_view query) {
  std::vector<Parameter> parameters;
  bool more = !query.empty();
  while (more) {
    const std::size_t end = query.find('&');
    const std::string_view whole = query.substr(0, end);
    const std::size_t equals = whole.find('=');
    parameters.push_back({.whole = whole,
                          .name = whole.substr(0, equals),
                          .value = equals == std::string_view::npos ? "" : whole.substr(equals + 1)});
    more = end != std::string_view::npos;
    query.remove_prefix(more ? end + 1 : query.size());
  }
  return parameters;
}

std::optional<Match> match(std::string_view method, std::string_view target) {
  if (method != "POST") {
    return std::nullopt;
  }
  const auto segments = segments_of(split_target(target).path);
  if (segments.size() < 4 || segments.size() > 5 || percent_decoded(segments[0], false) != "collections" ||
      percent_decoded(segments[2], false) != "points") {
    return std::nullopt;
  }
  std::string path = percent_decoded(segments[3], false);
  if (segments.size() == 5) {
    path += '/';
    path += percent_decoded(segments[4], false);
  }
  for (const EndpointRow& row : kTable) {
    if (row.path != path || (row.path.find('/') != std::string_view::npos) != (segments.size() == 5)) {
      continue;
    }
    std::string collection = percent_decoded(segments[1], false);
    if (collection.find('/') != std::string::npos || !reranker::count_code_points(collection)) {
      return std::nullopt;
    }
    return Match{&row, std::move(collection)};
  }
  return std::nullopt;
}

std::string percent_decoded(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string collection_target(std::string_view target) {
  const auto segments = segments_of(split_target(target).path);
  std::string result = "/collections/";
  result += segments.size() > 1 ? segments[1] : std::string_view();
  return result;
}

std::string reread_target(std::string_view target) {
  const TargetParts parts = split_target(target);
  std::string result = collection_target(target) + "/points";
  char separator = '?';
  for (const Parameter& parameter : parameters_of(parts.query.value_or(std::string_view()))) {
    const std::string name = percent_decoded(parameter.name, true);
    if (name == "timeout" || name == "consistency") {
      result += separator;
      result += parameter.whole;
      separator = '&';
    }
  }
  return result;
}

}  // namespace qrerank::proxy::route

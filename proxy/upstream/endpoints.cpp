#include "proxy/upstream/endpoints.hpp"

#include <algorithm>

namespace qrerank::proxy::upstream {

std::optional<Endpoints> literal(const config::Endpoint& address) {
  boost::system::error_code error;
  const auto ip = boost::asio::ip::make_address(config::bare_host(address.host), error);
  if (error) return std::nullopt;
  return Endpoints{{ip, address.port}};
}

Endpoints interleaved(const Endpoints& found) {
  Endpoints first;  // of the first one's family
  Endpoints second;
  for (const auto& endpoint : found) {
    Endpoints& same = endpoint.protocol() == found.front().protocol() ? first : second;
    if (std::ranges::find(same, endpoint) == same.end()) same.push_back(endpoint);
  }
  Endpoints ordered;
  ordered.reserve(first.size() + second.size());
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) ordered.push_back(first[i]);
    if (i < second.size()) ordered.push_back(second[i]);
  }
  return ordered;
}

}  // namespace qrerank::proxy::upstream

#include "proxy/upstream/lookup.hpp"

#include <boost/asio/io_context.hpp>
#include <system_error>
#include <utility>

#include "proxy/http/errands.hpp"

namespace qrerank::proxy::upstream {
namespace {

namespace asio = http::asio;
using http::Errands;
using http::ErrorCode;

Errands::Outcome look_up(const std::string& host, std::uint16_t port, const FoundAddresses& found) {
  asio::io_context unused;  // a resolver wants one, also where it blocks
  ErrorCode error;
  Endpoints endpoints;
  for (const auto& entry : asio::ip::tcp::resolver(unused).resolve(host, std::to_string(port), error))
    endpoints.push_back(entry.endpoint());
  return [found, error, endpoints = std::move(endpoints)] { found(error, endpoints); };
}

}  // namespace

LookUp system_lookup(asio::io_context& context) {
  return [errands = Errands(context)](const std::string& host, std::uint16_t port, FoundAddresses found) {
    try {
      errands.send([host, port, found] { return look_up(host, port, found); });
    } catch (const std::system_error& no_thread) {
      errands.tell([found = std::move(found), error = no_thread.code()] { found(error, {}); });
    }
  };
}

}  // namespace qrerank::proxy::upstream

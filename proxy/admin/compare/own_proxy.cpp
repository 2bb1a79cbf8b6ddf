#include "proxy/admin/compare/own_proxy.hpp"

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "proxy/upstream/pool.hpp"
#include "proxy/upstream/pooled_client.hpp"

namespace qrerank::proxy::admin::compare {
namespace {

namespace asio = http::asio;

constexpr std::chrono::milliseconds kLongest{120'000};  // of one exchange; scoring may take a minute of it
constexpr std::uint64_t kMaxAnswer = 16u << 20;
constexpr std::chrono::milliseconds kTick{100};

// 0.0.0.0 and :: are where one listens, not where one connects to.
config::Endpoint reachable(config::Endpoint listening) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(std::string(config::bare_host(listening.host)), error);
  if (error || !address.is_unspecified()) return listening;
  listening.host = address.is_v4() ? "127.0.0.1" : "[::1]";
  return listening;
}

config::Upstream itself(const config::Endpoint& listening, bool tls) {
  config::Upstream settings;
  const auto address = reachable(listening);
  settings.urls = {{(tls ? "https://" : "http://") + config::to_string(address), address, tls}};
  settings.response_timeout = kLongest;
  settings.max_idle_connections = 4;
  settings.max_response_body = kMaxAnswer;
  settings.tls.verify = false;
  return settings;
}

tls::ContextPtr context_for(const config::Upstream& settings) {
  auto made = tls::Context::for_upstreams(settings);
  if (!made) throw std::runtime_error(made.error());
  return *std::move(made);
}

}  // namespace

// One way to the listener, plain or over TLS. In order of construction: each uses those above it.
struct OwnProxy::Line {
  Line(asio::io_context& io, const config::Upstream& settings)
      : deadlines(io, kTick),
        nodes(settings, context_for(settings)),
        pool(io, deadlines, nodes),
        client(pool) {}
  http::Deadlines deadlines;
  upstream::Nodes nodes;
  upstream::Pool pool;
  upstream::PooledClient client;
};

OwnProxy::OwnProxy(asio::io_context& io, const config::Endpoint& listening, std::function<bool()> speaks_tls)
    : speaks_tls_(std::move(speaks_tls)),
      plain_(std::make_unique<Line>(io, itself(listening, false))),
      secure_(std::make_unique<Line>(io, itself(listening, true))) {}

OwnProxy::~OwnProxy() = default;

OwnProxy::Line& OwnProxy::line() const {
  return speaks_tls_() ? *secure_ : *plain_;
}

std::string OwnProxy::url() const {
  return line().nodes.url(0).text;
}

http::Awaitable<upstream::ExchangeResult> OwnProxy::ask(Question question) {
  Line& used = line();
  upstream::Request request;
  request.method = std::move(question.method);
  request.target = std::move(question.target);
  request.fields = {{"Host", used.pool.host()}, {"User-Agent", "qrerank compare"}};
  if (!question.body.empty()) request.fields.push_back({"Content-Type", "application/json"});
  if (!question.api_key.empty()) request.fields.push_back({"api-key", std::move(question.api_key)});
  request.body = std::move(question.body);
  const auto deadline = http::Clock::now() + kLongest;
  auto result = co_await used.client.exchange(std::move(request), deadline);
  co_return result;
}

}  // namespace qrerank::proxy::admin::compare

#include "proxy/upstream/pool.hpp"

#include <boost/asio/ip/basic_resolver.hpp>
#include <optional>

namespace qrerank::proxy::upstream {
namespace {

namespace asio = http::asio;
using asio::ip::tcp;
using Resolver = asio::ip::basic_resolver<tcp, http::Executor>;

std::string host_of(const config::Endpoint& address) {
  return address.host + ":" + std::to_string(address.port);
}

}  // namespace

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    end();
    pool_ = other.pool_;
    connection_ = std::move(other.connection_);
    keep_ = other.keep_;
  }
  return *this;
}

void Lease::end() {
  if (!connection_) return;
  if (keep_) pool_->put_back(std::move(connection_));
  connection_.reset();
  keep_ = false;
}

Pool::Pool(asio::io_context& context, http::Deadlines& deadlines, const config::Upstream& config)
    : context_(context),
      deadlines_(deadlines),
      config_(config),
      host_(config.urls.empty() ? std::string() : host_of(config.urls.front().address)),
      idle_(config.urls.size()),
      expiry_(deadlines, [this] { expire(); }) {}

Lease Pool::take_idle() {
  turn_ = turn_ + 1 < config_.urls.size() ? turn_ + 1 : 0;
  auto& stack = idle_[turn_];
  while (!stack.empty()) {
    std::unique_ptr<Connection> connection = std::move(stack.back());
    stack.pop_back();
    // Closed by the upstream meanwhile, or talking out of turn: not one to send a request on.
    if (!connection->wire.quiet()) continue;
    connection->reused = true;
    return Lease(*this, std::move(connection));
  }
  return {};
}

http::Awaitable<LeaseResult> Pool::connect() {
  const std::size_t first = turn_;
  for (std::size_t i = 0;; ++i) {
    LeaseResult lease = co_await connect_to((first + i) % config_.urls.size());
    if (lease || i + 1 >= config_.urls.size()) co_return lease;
  }
}

http::Awaitable<tl::expected<Pool::Endpoints, UpstreamError>> Pool::resolve(std::size_t url) {
  const config::Endpoint& address = config_.urls[url].address;
  std::string host = address.host;
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto literal = asio::ip::make_address(host, error);
  Endpoints endpoints;
  if (!error) {
    endpoints.emplace_back(literal, address.port);
    co_return endpoints;
  }
  Resolver resolver(context_.get_executor());
  http::Deadline limit(deadlines_, [&resolver] { resolver.cancel(); });
  limit.arm(config_.connect_timeout);
  auto [failed, found] = co_await resolver.async_resolve(host, std::to_string(address.port), http::as_result);
  limit.disarm();
  if (failed) {
    const bool late = limit.expired();
    UpstreamError why{late ? UpstreamErrorKind::connect_timeout : UpstreamErrorKind::connect_refused,
                      "upstream " + config_.urls[url].text + ": cannot resolve the name: " +
                          (late ? std::string("timed out") : failed.message())};
    co_return tl::unexpected(std::move(why));
  }
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

http::Awaitable<LeaseResult> Pool::connect_to(std::size_t url) {
  auto endpoints = co_await resolve(url);
  if (!endpoints) co_return tl::unexpected(std::move(endpoints.error()));
  UpstreamError why{UpstreamErrorKind::connect_refused,
                    "upstream " + config_.urls[url].text + ": the name has no address"};
  const http::Clock::time_point until = http::Clock::now() + config_.connect_timeout;
  for (const tcp::endpoint& endpoint : *endpoints) {
    auto connection = std::make_unique<Connection>(http::Socket(context_.get_executor()), deadlines_, url);
    http::Wire& wire = connection->wire;
    http::Deadline limit(deadlines_, [&wire] { wire.cancel(); });
    limit.arm_at(until);
    auto [error] = co_await wire.socket().async_connect(endpoint, http::as_result);
    limit.disarm();
    if (!error) {
      wire.prepare();
      co_return Lease(*this, std::move(connection));
    }
    const bool late = limit.expired();
    why = {late ? UpstreamErrorKind::connect_timeout : UpstreamErrorKind::connect_refused,
           "upstream " + config_.urls[url].text +
               ": cannot connect: " + (late ? std::string("timed out") : error.message())};
    if (late) break;
  }
  co_return tl::unexpected(std::move(why));
}

void Pool::put_back(std::unique_ptr<Connection> connection) {
  auto& stack = idle_[connection->url];
  if (shut_ || stack.size() >= config_.max_idle_connections || !connection->buffer.empty()) return;
  connection->buffer.reset(Connection::kBufferBytes);
  connection->idle_since = http::Clock::now();
  const bool first = idle() == 0;
  stack.push_back(std::move(connection));
  if (first) expiry_.arm(config_.keep_alive_timeout);
}

void Pool::expire() {
  const http::Clock::time_point limit = http::Clock::now() - config_.keep_alive_timeout;
  std::optional<http::Clock::time_point> oldest;
  for (auto& stack : idle_) {
    std::size_t dead = 0;
    while (dead < stack.size() && stack[dead]->idle_since <= limit) ++dead;
    stack.erase(stack.begin(), stack.begin() + static_cast<std::ptrdiff_t>(dead));
    if (!stack.empty() && (!oldest || stack.front()->idle_since < *oldest))
      oldest = stack.front()->idle_since;
  }
  if (oldest) expiry_.arm_at(*oldest + config_.keep_alive_timeout);
}

void Pool::shut() {
  shut_ = true;
  expiry_.disarm();
  for (auto& stack : idle_) stack.clear();
}

std::size_t Pool::idle() const {
  std::size_t sum = 0;
  for (const auto& stack : idle_) sum += stack.size();
  return sum;
}

}  // namespace qrerank::proxy::upstream

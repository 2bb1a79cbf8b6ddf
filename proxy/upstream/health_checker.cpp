#include "proxy/upstream/health_checker.hpp"

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <string>

#include "proxy/upstream/connector.hpp"
#include "proxy/upstream/response_head.hpp"

namespace qrerank::proxy::upstream {
namespace {

namespace asio = http::asio;
using http::Clock;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, http::Executor>;

// Fine enough for limits of seconds; a short one is kept to within an eighth.
Clock::duration tick_for(const config::Upstream& settings) {
  return std::clamp<std::chrono::milliseconds>(settings.health_timeout / 8, std::chrono::milliseconds(1),
                                               std::chrono::milliseconds(100));
}

// Below 500: a server without that path, or with a key in front of it, is there all the same.
constexpr unsigned kFirstBadStatus = 500;

}  // namespace

// One node: check, tell, pause, again. Kept alive by its own coroutine, which may outlive the checker until
// the io_context is destroyed.
struct HealthChecker::Watch {
  Watch(asio::io_context& context, std::shared_ptr<Nodes> all, std::size_t which)
      : io(context),
        nodes(std::move(all)),
        node(which),
        deadlines(io, tick_for(nodes->config())),
        connector(io, deadlines, *nodes) {
    const config::UpstreamUrl& url = nodes->url(node);
    request = "GET " + nodes->config().health_path + " HTTP/1.1\r\nHost: " + to_string(url.address) +
              "\r\nUser-Agent: qrerank-health-check\r\nConnection: close\r\n\r\n";
  }

  asio::io_context& io;
  const std::shared_ptr<Nodes> nodes;
  const std::size_t node;
  http::Deadlines deadlines;
  Connector connector;
  std::string request;
  asio::cancellation_signal stop;

  // Why it failed; empty where it passed.
  http::Awaitable<std::string> check() {
    const Clock::time_point until = Clock::now() + nodes->config().health_timeout;
    ConnectResult connection = co_await connector.connect(node, nodes->config().health_timeout);
    if (!connection) co_return std::move(connection.error().message);
    if (nodes->size() == 1) co_return std::string();
    Connection& up = **connection;
    asio::const_buffer all = asio::buffer(request);
    const http::ErrorCode failed = co_await up.wire.write({&all, 1}, until - Clock::now());
    if (failed) co_return describe(up, failed, "asking whether it is ready").message;
    http::ResponseHead head;
    const auto received = co_await read_response_head(up, false, until, head);
    if (!received) co_return received.error().message;
    if (head.status < kFirstBadStatus) co_return std::string();
    co_return "upstream " + up.name() + ": answers " + std::to_string(head.status) + " to " +
        nodes->config().health_path;
  }

  static http::Awaitable<void> run(std::shared_ptr<Watch> self) {
    Timer pause(self->io.get_executor());
    for (;;) {
      std::string why = co_await self->check();
      const bool passed = why.empty();
      self->nodes->checked(self->node, passed, std::move(why));
      pause.expires_after(self->nodes->config().health_interval);
      co_await pause.async_wait(http::use_awaitable);
    }
  }
};

HealthChecker::HealthChecker(asio::io_context& io, std::shared_ptr<Nodes> nodes) {
  if (nodes->config().health_interval.count() == 0) return;
  for (std::size_t i = 0; i < nodes->size(); ++i) watches_.push_back(std::make_shared<Watch>(io, nodes, i));
}

HealthChecker::~HealthChecker() {
  stop();
}

void HealthChecker::start() {
  for (const auto& watch : watches_) {
    auto ended = [](const std::exception_ptr& thrown) {
      if (!thrown) return;
      try {
        std::rethrow_exception(thrown);
      } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted) throw;  // a bug of ours
      }
    };
    asio::co_spawn(watch->io.get_executor(), Watch::run(watch),
                   asio::bind_cancellation_slot(watch->stop.slot(), std::move(ended)));
  }
}

void HealthChecker::stop() {
  for (const auto& watch : watches_) watch->stop.emit(asio::cancellation_type::terminal);
}

}  // namespace qrerank::proxy::upstream

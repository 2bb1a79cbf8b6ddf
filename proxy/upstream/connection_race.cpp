#include "proxy/upstream/connection_race.hpp"

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/error.hpp>
#include <list>
#include <memory>
#include <optional>

namespace qrerank::proxy::upstream {
namespace {

namespace asio = http::asio;
using http::Clock;
using http::ErrorCode;
using http::Socket;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, http::Executor>;

// What the attempts' handlers share with the coroutine that waits for them. They may run after it is gone.
struct Race : std::enable_shared_from_this<Race> {
  explicit Race(http::Executor executor) : timer(std::move(executor)) {}

  void start(const asio::ip::tcp::endpoint& endpoint) {
    const auto at = attempts.emplace(attempts.end(), timer.get_executor());
    at->async_connect(endpoint,
                      [self = shared_from_this(), at](const ErrorCode& error) { self->ended(at, error); });
  }

  void ended(std::list<Socket>::iterator at, const ErrorCode& error) {
    if (over) return;
    if (!error && !winner) {
      winner = std::move(*at);
    } else if (error) {
      last_error = error;
    }
    attempts.erase(at);
    timer.cancel();  // wakes the coroutine, if it waits
  }

  void end() {
    over = true;
    attempts.clear();
  }

  Timer timer;
  std::list<Socket> attempts;  // under way
  std::optional<Socket> winner;
  ErrorCode last_error = asio::error::host_not_found;
  bool over = false;
};

struct Ending {
  std::shared_ptr<Race> race;
  ~Ending() { race->end(); }
};

}  // namespace

http::Awaitable<tl::expected<Socket, ErrorCode>> connect_to_first(http::Executor executor,
                                                                  Endpoints endpoints,
                                                                  Clock::time_point until,
                                                                  Clock::duration delay) {
  const auto race = std::make_shared<Race>(std::move(executor));
  const Ending closes_the_rest{race};
  std::size_t started = 0;
  Clock::time_point next_start = Clock::now();
  for (;;) {
    if (race->winner) co_return std::move(*race->winner);
    const Clock::time_point now = Clock::now();
    if (now >= until) co_return tl::unexpected(ErrorCode(asio::error::timed_out));
    const bool more = started < endpoints.size();
    if (!more && race->attempts.empty()) co_return tl::unexpected(race->last_error);
    if (more && (race->attempts.empty() || now >= next_start)) {
      race->start(endpoints[started++]);
      next_start = now + delay;
      continue;
    }
    race->timer.expires_at(more ? std::min(next_start, until) : until);
    co_await race->timer.async_wait(http::as_result);
  }
}

}  // namespace qrerank::proxy::upstream

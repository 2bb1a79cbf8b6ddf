#include "proxy/upstream/addresses.hpp"

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/error.hpp>
#include <list>

namespace qrerank::proxy::upstream {
namespace {

namespace asio = http::asio;
using http::Clock;
using http::ErrorCode;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, http::Executor>;

// A failed lookup, and one for want of a connection, is not repeated sooner.
constexpr std::chrono::seconds kAgainAfter{1};
// Where addresses are known, however old, a lookup is not waited for longer: its server may be away.
constexpr std::chrono::seconds kPatience{1};

}  // namespace

struct Addresses::State : std::enable_shared_from_this<State> {
  State(http::Executor on, LookUp with, const config::Endpoint& address, Clock::duration fresh, Now clock)
      : executor(std::move(on)),
        look_up(std::move(with)),
        host(config::bare_host(address.host)),
        port(address.port),
        fresh_for(fresh),
        now(std::move(clock)),
        is_literal(literal(address).has_value()),
        known(literal(address).value_or(Endpoints{})) {}

  void begin_lookup() {
    if (looking) return;
    looking = true;
    began = Clock::now();
    look_up(host, port, [weak = weak_from_this()](const ErrorCode& error, Endpoints found) {
      if (const auto self = weak.lock()) self->looked_up(error, std::move(found));
    });
  }

  void looked_up(const ErrorCode& error, Endpoints found) {
    looking = false;
    asked = now();
    failure = error;
    if (!error && found.empty()) failure = asio::error::host_not_found;
    if (!failure) known = interleaved(found);
    for (Timer* waiting : waiters) waiting->cancel();
  }

  // Until the lookup under way has ended; false: `until` came first, or patience where something is known.
  http::Awaitable<bool> ended(Clock::time_point until) {
    if (!known.empty()) until = std::min<Clock::time_point>(until, began + kPatience);
    Timer timer(executor);
    const auto mine = waiters.insert(waiters.end(), &timer);
    const Leaving leaving{*this, mine};
    while (looking && Clock::now() < until) {
      timer.expires_at(until);
      static_cast<void>(co_await timer.async_wait(http::as_result));
    }
    co_return !looking;
  }

  struct Leaving {
    State& state;
    std::list<Timer*>::iterator mine;
    ~Leaving() { state.waiters.erase(mine); }
  };

  const http::Executor executor;
  const LookUp look_up;
  const std::string host;
  const std::uint16_t port;
  const Clock::duration fresh_for;
  const Now now;
  const bool is_literal;

  Endpoints known;
  bool looking = false;
  Clock::time_point began{};  // the lookup under way
  Clock::time_point asked{};  // when the last lookup ended, well or not
  ErrorCode failure;          // of the last lookup
  std::list<Timer*> waiters;
};

Addresses::Addresses(http::Executor executor, LookUp look_up, const config::Endpoint& address,
                     Clock::duration fresh_for, Now now)
    : state_(std::make_shared<State>(std::move(executor), std::move(look_up), address, fresh_for,
                                     std::move(now))) {}

http::Awaitable<tl::expected<Endpoints, ErrorCode>> Addresses::get(Clock::time_point until) {
  const auto state = state_;
  if (state->is_literal) co_return state->known;
  const Clock::duration age = state->now() - state->asked;
  const Clock::duration fresh =
      state->failure ? std::min<Clock::duration>(state->fresh_for, kAgainAfter) : state->fresh_for;
  if (!state->known.empty() && age < fresh) co_return state->known;
  state->begin_lookup();
  if (!state->known.empty() && age < 2 * state->fresh_for) co_return state->known;
  const bool ended = co_await state->ended(until);
  if (!state->known.empty()) co_return state->known;
  co_return tl::unexpected(ended ? state->failure : ErrorCode(asio::error::timed_out));
}

http::Awaitable<std::optional<Endpoints>> Addresses::others_than(Endpoints failed, Clock::time_point until) {
  const auto state = state_;
  if (state->is_literal) co_return std::nullopt;
  if (state->known == failed && state->now() - state->asked >= kAgainAfter) {
    state->begin_lookup();
    static_cast<void>(co_await state->ended(until));
  }
  if (state->known == failed) co_return std::nullopt;
  co_return state->known;
}

}  // namespace qrerank::proxy::upstream

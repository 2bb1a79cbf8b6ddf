#include "proxy/http/reception.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>

namespace qrerank::proxy::http {
namespace {

// After accept() failed for want of descriptors or memory: they come back when connections end, not sooner.
constexpr std::chrono::milliseconds kAcceptPause{100};

}  // namespace

Reception::Reception(asio::io_context& context, Places& places, Hooks hooks)
    : places_(places),
      hooks_(std::move(hooks)),
      acceptor_(context.get_executor()),
      pause_(context.get_executor()) {}

tl::expected<void, std::string> Reception::open(const config::Endpoint& wanted, std::optional<int> handed) {
  auto bound = open_listener(acceptor_, wanted, handed);
  if (!bound) return tl::unexpected(std::move(bound.error()));
  endpoint_ = std::move(*bound);
  return {};
}

void Reception::start() {
  asio::co_spawn(acceptor_.get_executor(), accept(), [](const std::exception_ptr& bug) {
    if (bug) std::rethrow_exception(bug);
  });
}

void Reception::stop() {
  stopping_ = true;
  ErrorCode ignored;  // nothing is left to be done about a listener that does not close
  acceptor_.close(ignored);
  pause_.cancel();
}

void Reception::give_place(const asio::ip::address& from) {
  if (!places_.give(from) || !waiting_for_place_.load()) return;
  asio::post(acceptor_.get_executor(), [this] { pause_.cancel(); });
}

Awaitable<void> Reception::accept() {
  bool told = false;
  while (!stopping_) {
    if (places_.full()) {
      pause_.expires_at(Clock::time_point::max());
      waiting_for_place_.store(true);
      if (places_.full()) {
        hooks_.full();
        static_cast<void>(co_await pause_.async_wait(as_result));
      }
      waiting_for_place_.store(false);
      continue;
    }
    asio::ip::tcp::endpoint peer;
    auto [error, socket] = co_await acceptor_.async_accept(hooks_.next(), peer, as_result);
    if (!error) {
      told = false;
      if (places_.take(peer.address())) {
        hooks_.adopt(std::move(socket), peer.address());
      } else {
        hooks_.turn_away(std::move(socket));
      }
    } else if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) {
      co_return;
    } else if (error != asio::error::connection_aborted) {
      if (!told) hooks_.failed(error.message());
      told = true;
      pause_.expires_after(kAcceptPause);
      static_cast<void>(co_await pause_.async_wait(as_result));
    }
  }
}

}  // namespace qrerank::proxy::http

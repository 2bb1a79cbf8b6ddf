// One listener that clients see: accepts while there are places, passes connections on to the threads that
// they will live on. What is done with them is their owner's.
#pragma once

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <functional>

#include "proxy/http/listening.hpp"
#include "proxy/http/places.hpp"
#include "proxy/http/wire.hpp"

namespace qrerank::proxy::http {

class Reception {
 public:
  /// All are called on the listener's thread.
  struct Hooks {
    std::function<Executor()> next;  ///< whose thread the next connection will live on
    /// A connection of that thread, with a place.
    std::function<void(Socket, const asio::ip::address& from)> adopt;
    std::function<void(Socket)> turn_away;  ///< its address has its share
    std::function<void()> full;             ///< all places are taken: clients wait
    /// No connection can be accepted for now; told once until one is again.
    std::function<void(const std::string& why)> failed;
  };

  Reception(asio::io_context& context, Places& places, Hooks hooks);

  /// See open_listener(). Nothing is accepted before start().
  [[nodiscard]] tl::expected<void, std::string> open(const config::Endpoint& wanted,
                                                     std::optional<int> handed);
  [[nodiscard]] const config::Endpoint& endpoint() const { return endpoint_; }

  void start();
  /// On the listener's thread, or when that does not run.
  void stop();

  /// A connection from there ended. Thread-safe.
  void give_place(const asio::ip::address& from);

 private:
  [[nodiscard]] Awaitable<void> accept();

  Places& places_;
  Hooks hooks_;
  Acceptor acceptor_;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> pause_;
  bool stopping_ = false;
  std::atomic<bool> waiting_for_place_{false};
  config::Endpoint endpoint_;
};

}  // namespace qrerank::proxy::http

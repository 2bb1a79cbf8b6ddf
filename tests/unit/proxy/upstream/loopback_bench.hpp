// Addresses of the loopback interface that answer, refuse, or swallow what would connect.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <list>

#include "proxy/http/wire.hpp"
#include "tests/unit/proxy/upstream/coroutine_bench.hpp"

namespace qrerank::proxy::upstream {

struct LoopbackBench : CoroutineBench {
  http::asio::ip::tcp::endpoint listen(const char* address, int backlog = 16) {
    auto& listener = listeners.emplace_back(context.get_executor());
    const http::asio::ip::tcp::endpoint wanted(http::asio::ip::make_address(address), 0);
    listener.open(wanted.protocol());
    listener.bind(wanted);
    listener.listen(backlog);
    return listener.local_endpoint();
  }

  http::asio::ip::tcp::endpoint refusing(const char* address) {
    const http::asio::ip::tcp::endpoint endpoint = listen(address);
    listeners.pop_back();
    return endpoint;
  }

  // Its queue is full when a connection does not come about any more.
  http::asio::ip::tcp::endpoint black_hole(const char* address) {
    const http::asio::ip::tcp::endpoint endpoint = listen(address, 0);
    bool connected = true;
    while (connected) {
      connected = false;
      auto& filler = fillers.emplace_back(context.get_executor());
      filler.async_connect(endpoint,
                           [&connected](const http::ErrorCode& error) { connected = connected || !error; });
      context.restart();
      context.run_for(std::chrono::milliseconds(200));
      if (!connected) filler.close();
      settle();
    }
    return endpoint;
  }

  using Acceptor = http::asio::basic_socket_acceptor<http::asio::ip::tcp, http::Executor>;
  std::list<Acceptor> listeners;
  std::list<http::Socket> fillers;
};

}  // namespace qrerank::proxy::upstream

// Runs one coroutine of the proxy at a time on the test's own thread.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <optional>

#include "proxy/http/async.hpp"
#include "proxy/http/deadline.hpp"

namespace qrerank::proxy::upstream {

struct CoroutineBench {
  // co_spawn wants results that can be made of nothing.
  template <class T>
  static http::Awaitable<std::optional<T>> boxed(http::Awaitable<T> coroutine) {
    std::optional<T> result(co_await std::move(coroutine));
    co_return std::move(result);
  }
  template <class T>
  using Running = std::future<std::optional<T>>;

  template <class T>
  Running<T> begin(http::Awaitable<T> coroutine) {
    context.restart();
    return http::asio::co_spawn(context.get_executor(), boxed(std::move(coroutine)), http::asio::use_future);
  }
  template <class T>
  T finish(std::future<std::optional<T>> running) {
    while (!done(running)) context.run_one();
    return *running.get();
  }
  template <class T>
  T run(http::Awaitable<T> coroutine) {
    return finish(begin(std::move(coroutine)));
  }
  template <class T>
  static bool done(const std::future<T>& running) {
    return running.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  // What can be done without waiting.
  void settle() {
    context.restart();
    context.poll();
  }

  http::asio::io_context context{1};
};

}  // namespace qrerank::proxy::upstream

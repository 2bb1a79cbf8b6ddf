// The one coroutine type of the proxy. Everything on the data path returns Awaitable<T>, so that any of it
// can be co_awaited by any other. Asio's executor is named concretely: the type-erased default costs on each
// operation.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace qrerank::proxy::http {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;

/// A coroutine that runs on one I/O thread. It is cancelled (terminal) when the client went away.
template <class T>
using Awaitable = asio::awaitable<T, Executor>;

/// Completion tokens: `co_await timer.async_wait(use_awaitable)` throws on errors,
/// `auto [ec, n] = co_await socket.async_read_some(buffer, as_result)` returns them.
inline constexpr asio::use_awaitable_t<Executor> use_awaitable{};
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> as_result{use_awaitable};

}  // namespace qrerank::proxy::http

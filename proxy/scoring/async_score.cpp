#include "proxy/scoring/async_score.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

namespace qrerank::proxy::scoring {
namespace {

namespace asio = boost::asio;
using reranker::ScoreRequest;
using reranker::ScoreResult;

// One waiting coroutine. Touched only by its I/O thread, apart from `executor`, which compute threads post
// to.
template <class Handler>
struct Waiter {
  asio::any_io_executor executor;  // tracked: the io_context has work while the scorer has the request
  Handler handler;
  reranker::ScoreTicket ticket;
  bool done = false;
};

struct Initiate {
  reranker::Scorer* scorer;

  template <class Handler>
  void operator()(Handler handler, ScoreRequest request) const {
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto executor = asio::any_io_executor(
        asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked));
    auto waiter = std::make_shared<Waiter<Handler>>(
        Waiter<Handler>{std::move(executor), std::move(handler), reranker::ScoreTicket(), false});
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(waiter)](asio::cancellation_type) {
        if (const auto alive = weak.lock()) alive->ticket = reranker::ScoreTicket();
      });
    }
    auto resume = [waiter](ScoreResult result) {
      // Posted even when called from within `submit`, so that the ticket is stored before the coroutine
      // resumes.
      asio::post(waiter->executor, [waiter, result = std::move(result)]() mutable {
        if (std::exchange(waiter->done, true)) return;
        waiter->ticket = reranker::ScoreTicket();
        auto own_handler = std::move(waiter->handler);
        waiter->executor = asio::any_io_executor();
        std::move(own_handler)(std::move(result));
      });
    };
    auto ticket = scorer->submit(std::move(request), std::move(resume));
    waiter->ticket = std::move(ticket);
  }
};

}  // namespace

http::Awaitable<ScoreResult> score(reranker::Scorer& scorer, ScoreRequest request) {
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<http::Executor>, void(ScoreResult)>(
      Initiate{&scorer}, http::use_awaitable, std::move(request));
}

}  // namespace qrerank::proxy::scoring

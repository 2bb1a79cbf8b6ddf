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
using reranker::EmbedRequest;
using reranker::EmbedResult;
using reranker::ScoreRequest;
using reranker::ScoreResult;

reranker::ScoreTicket submit(reranker::Scorer& scorer, ScoreRequest request, reranker::ScoreCompletion done) {
  return scorer.submit(std::move(request), std::move(done));
}

reranker::ScoreTicket submit(reranker::Embedder& embedder, EmbedRequest request,
                             reranker::EmbedCompletion done) {
  return embedder.embed(std::move(request), std::move(done));
}

// One waiting coroutine. Touched only by its I/O thread, apart from `executor`, which compute threads post
// to.
template <class Result, class Handler>
struct Waiter {
  asio::any_io_executor executor;  // tracked: the io_context has work while the scorer has a request
  Handler handler;
  std::vector<reranker::ScoreTicket> tickets;  // in the requests' order
  std::vector<Result> results;
  std::size_t missing = 0;

  void take(std::size_t index, Result result) {
    results[index] = std::move(result);
    tickets[index] = reranker::ScoreTicket();
    if (--missing > 0) return;
    auto own_handler = std::move(handler);
    executor = asio::any_io_executor();
    std::move(own_handler)(std::move(results));
  }

  void cancel() {
    // Dropping a ticket may complete its request, which posts: `take` never runs in here.
    for (auto& ticket : tickets) ticket = reranker::ScoreTicket();
  }
};

// `Seam` is what the requests go to.
template <class Seam, class Request, class Result>
struct Initiate {
  Seam* seam;

  template <class Handler>
  void operator()(Handler handler, std::vector<Request> requests) const {
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto executor = asio::any_io_executor(
        asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked));
    auto waiter = std::make_shared<Waiter<Result, Handler>>(
        Waiter<Result, Handler>{std::move(executor), std::move(handler), {}, {}, requests.size()});
    waiter->tickets.resize(requests.size());
    waiter->results.resize(requests.size());
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(waiter)](asio::cancellation_type) {
        if (const auto alive = weak.lock()) alive->cancel();
      });
    }
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto resume = [waiter, i](Result result) {
        // Posted even when called from within `submit`, so that the ticket is stored before the coroutine
        // resumes.
        asio::post(waiter->executor,
                   [waiter, i, result = std::move(result)]() mutable { waiter->take(i, std::move(result)); });
      };
      auto ticket = submit(*seam, std::move(requests[i]), std::move(resume));
      waiter->tickets[i] = std::move(ticket);
    }
  }
};

}  // namespace

http::Awaitable<std::vector<ScoreResult>> score(reranker::Scorer& scorer,
                                                std::vector<ScoreRequest> requests) {
  using Results = std::vector<ScoreResult>;
  using Scoring = Initiate<reranker::Scorer, ScoreRequest, ScoreResult>;
  if (requests.empty()) co_return Results();
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<http::Executor>, void(Results)>(
      Scoring{&scorer}, http::use_awaitable, std::move(requests));
}

http::Awaitable<std::vector<EmbedResult>> embed(reranker::Embedder& embedder,
                                                std::vector<EmbedRequest> requests) {
  using Results = std::vector<EmbedResult>;
  using Embedding = Initiate<reranker::Embedder, EmbedRequest, EmbedResult>;
  if (requests.empty()) co_return Results();
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<http::Executor>, void(Results)>(
      Embedding{&embedder}, http::use_awaitable, std::move(requests));
}

}  // namespace qrerank::proxy::scoring

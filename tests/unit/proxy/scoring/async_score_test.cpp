// The bridge: results from any thread, from within submit, and cancellation.
#define BOOST_TEST_MODULE proxy_scoring
#include "proxy/scoring/async_score.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <optional>
#include <thread>

namespace {

namespace asio = boost::asio;
namespace reranker = qrerank::reranker;

reranker::ScoreSet scores(std::vector<double> logits) {
  reranker::ScoreSet set;
  set.logits = std::move(logits);
  return set;
}

// Hands each submitted request to a function of the test.
class ScriptedScorer : public reranker::Scorer {
 public:
  std::function<reranker::ScoreTicket(reranker::ScoreRequest, reranker::ScoreCompletion)> script;

  reranker::ScoreTicket submit(reranker::ScoreRequest request, reranker::ScoreCompletion done) override {
    return script(std::move(request), std::move(done));
  }
  bool knows(const std::string&) const override { return true; }
  std::vector<reranker::ModelStatus> status() const override { return {}; }
};

qrerank::proxy::http::Awaitable<void> ask(reranker::Scorer& scorer,
                                          std::optional<reranker::ScoreResult>& into) {
  reranker::ScoreRequest request;
  request.query = "q";
  request.texts = {"a"};
  std::vector<reranker::ScoreRequest> requests;
  requests.push_back(std::move(request));
  auto results = co_await qrerank::proxy::scoring::score(scorer, std::move(requests));
  into = std::move(results.at(0));
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_answer_from_within_submit_arrives) {
  ScriptedScorer scorer;
  scorer.script = [](auto request, auto done) {
    done(scores({static_cast<double>(request.texts.size())}));
    return reranker::ScoreTicket();
  };
  asio::io_context context(1);
  std::optional<reranker::ScoreResult> result;
  asio::co_spawn(context, ask(scorer, result), [](std::exception_ptr error) { BOOST_TEST(!error); });
  context.run();
  BOOST_REQUIRE(result && result->has_value());
  BOOST_TEST((*result)->logits == std::vector<double>{1.0}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_answer_from_another_thread_resumes_on_the_coroutines_own) {
  ScriptedScorer scorer;
  std::thread compute;
  scorer.script = [&](auto, auto done) {
    compute = std::thread([done = std::move(done)] { done(scores({2.0})); });
    return reranker::ScoreTicket();
  };
  asio::io_context context(1);
  std::optional<reranker::ScoreResult> result;
  std::thread::id resumed_on;
  asio::co_spawn(context, ask(scorer, result),
                 [&](std::exception_ptr) { resumed_on = std::this_thread::get_id(); });
  context.run();  // ends only when the scorer answered: the waiter counts as work
  compute.join();
  BOOST_REQUIRE(result && result->has_value());
  BOOST_TEST((resumed_on == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(cancelling_the_coroutine_drops_the_ticket) {
  ScriptedScorer scorer;
  bool dropped = false;
  scorer.script = [&](auto, reranker::ScoreCompletion done) {
    auto* kept = new reranker::ScoreCompletion(std::move(done));
    return reranker::ScoreTicket(std::shared_ptr<void>(kept, [&dropped](void* raw) {
      const std::unique_ptr<reranker::ScoreCompletion> completion(
          static_cast<reranker::ScoreCompletion*>(raw));
      dropped = true;
      (*completion)(tl::unexpected(reranker::ScoreError{reranker::ScoreFailure::cancelled, "", {}}));
    }));
  };
  asio::io_context context(1);
  asio::cancellation_signal signal;
  std::optional<reranker::ScoreResult> result;
  bool ended = false;
  asio::co_spawn(context, ask(scorer, result),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr) { ended = true; }));
  asio::post(context, [&] { signal.emit(asio::cancellation_type::terminal); });
  context.run();
  BOOST_TEST(dropped);
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(errors_arrive_as_they_are) {
  ScriptedScorer scorer;
  scorer.script = [](auto, auto done) {
    done(tl::unexpected(reranker::ScoreError{reranker::ScoreFailure::overloaded, "full", {}}));
    return reranker::ScoreTicket();
  };
  asio::io_context context(1);
  std::optional<reranker::ScoreResult> result;
  asio::co_spawn(context, ask(scorer, result), [](std::exception_ptr) {});
  context.run();
  BOOST_REQUIRE(result && !result->has_value());
  BOOST_TEST((result->error().failure == reranker::ScoreFailure::overloaded));
}

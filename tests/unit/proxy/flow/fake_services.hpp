// What the flow's tests put in the place of Qdrant and of the models, and one request driven through the
// interceptor with them.
#pragma once

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/flow/interceptor.hpp"
#include "proxy/upstream/client.hpp"
#include "reranker/scorer.hpp"

namespace flow_test {

namespace asio = boost::asio;
using namespace qrerank::proxy;
namespace reranker = qrerank::reranker;
using reranker::ScoreFailure;

inline upstream::Response ok(std::string body, std::vector<http::Field> fields = {}) {
  upstream::Response response;
  response.status = 200;
  response.reason = "OK";
  response.fields = std::move(fields);
  response.fields.push_back({"content-type", "application/json"});
  response.body = std::move(body);
  return response;
}

/// Answers in turn; asked more often than that, it fails the test.
class FakeUpstream final : public upstream::Client {
 public:
  std::deque<upstream::ExchangeResult> answers;
  std::vector<upstream::Request> asked;
  std::function<void()> before;  ///< called before an answer, if set
  int turns = 0;                 ///< others may run so often before an answer comes
  int asking = 0;                ///< exchanges that wait for theirs
  int most_asking = 0;

  http::Awaitable<upstream::ExchangeResult> exchange(upstream::Request request,
                                                     std::chrono::steady_clock::time_point) override {
    asked.push_back(std::move(request));
    if (before) before();
    BOOST_REQUIRE(!answers.empty());
    auto next = std::move(answers.front());
    answers.pop_front();
    most_asking = std::max(most_asking, ++asking);
    const auto executor = co_await asio::this_coro::executor;
    for (int turn = 0; turn < turns; ++turn) co_await asio::post(executor, http::use_awaitable);
    --asking;
    co_return next;
  }
};

/// Gives each text its own length as logit, or what the test says.
class FakeScorer final : public reranker::Scorer {
 public:
  std::optional<ScoreFailure> failure;
  std::deque<std::optional<ScoreFailure>> in_turn;  ///< of the first so many requests
  std::optional<std::vector<double>> logits;
  bool answers = true;  ///< false: waits until the ticket is dropped
  int dropped = 0;
  std::vector<reranker::ScoreRequest> asked;

  reranker::ScoreTicket submit(reranker::ScoreRequest request, reranker::ScoreCompletion done) override {
    asked.push_back(request);
    if (!answers) {
      auto* kept = new reranker::ScoreCompletion(std::move(done));
      return reranker::ScoreTicket(std::shared_ptr<void>(kept, [this](void* raw) {
        const std::unique_ptr<reranker::ScoreCompletion> completion(
            static_cast<reranker::ScoreCompletion*>(raw));
        ++dropped;
        (*completion)(tl::unexpected(reranker::ScoreError{ScoreFailure::cancelled, "", {}}));
      }));
    }
    auto fails = failure;
    if (!in_turn.empty()) {
      fails = in_turn.front();
      in_turn.pop_front();
    }
    if (fails) {
      done(tl::unexpected(reranker::ScoreError{*fails, "as told", {}}));
      return {};
    }
    reranker::ScoreSet set;
    for (const std::string& text : request.texts) set.logits.push_back(static_cast<double>(text.size()));
    if (logits) set.logits = *logits;
    done(std::move(set));
    return {};
  }
  bool knows(const std::string&) const override { return true; }
  std::vector<reranker::ModelStatus> status() const override { return {}; }
};

struct Driver {
  FakeUpstream qdrant;
  FakeScorer scorer;
  config::Config config;
  std::vector<http::FieldView> fields;
  std::string target = "/collections/c/points/query";
  asio::cancellation_signal gone;  ///< emit it from within a posted function

  /// The outcome of one POST; none when the coroutine was cancelled.
  std::optional<http::Outcome> run(std::string body, bool client_goes = false) {
    const auto in_force = std::make_shared<const config::Config>(config);
    flow::Interceptor interceptor({[in_force] { return in_force; }, &scorer, nullptr});
    http::RequestHead head;
    head.method = "POST";
    head.target = target;
    head.fields = fields;
    const http::RequestId id;
    http::HeadVerdict verdict = interceptor.judge(head);
    BOOST_REQUIRE((verdict.action == http::HeadVerdict::Action::inspect));

    asio::io_context context(1);
    std::optional<http::Outcome> outcome;
    http::InspectedRequest request{
        head, std::move(body), qdrant, std::chrono::steady_clock::now(), id, std::move(verdict.judgement)};
    asio::co_spawn(
        context, interceptor.handle(std::move(request)),
        asio::bind_cancellation_slot(gone.slot(), [&](const std::exception_ptr& thrown, http::Outcome made) {
          if (!thrown) outcome = std::move(made);
        }));
    if (client_goes) {
      asio::post(context, [&] { gone.emit(asio::cancellation_type::terminal); });
    }
    context.run();
    return outcome;
  }

  http::Reply reply(std::string body) {
    auto outcome = run(std::move(body));
    BOOST_REQUIRE(outcome && std::holds_alternative<http::Reply>(*outcome));
    return std::get<http::Reply>(std::move(*outcome));
  }

  http::PassAsItCame passed(std::string body) {
    auto outcome = run(std::move(body));
    BOOST_REQUIRE(outcome && std::holds_alternative<http::PassAsItCame>(*outcome));
    return std::get<http::PassAsItCame>(std::move(*outcome));
  }
};

/// The values of a field, joined by `|`.
inline std::string header(const std::vector<http::Field>& fields, std::string_view name) {
  std::string values;
  for (const http::Field& field : fields) {
    if (http::iequals(field.name, name)) values += (values.empty() ? "" : "|") + field.value;
  }
  return values;
}

}  // namespace flow_test

// Asking for a collection's metadata: what is sent, what is kept, and for whom.
#include "proxy/flow/choose_models.hpp"

#include <boost/asio/this_coro.hpp>

#include "proxy/selection/metadata_cache.hpp"
#include "tests/unit/proxy/flow/fake_services.hpp"

using namespace flow_test;

namespace {

struct Fixture {
  Fixture() {
    config.models.resize(2);
    config.models[0].name = "bge";
    config.models[0].hub = "BAAI/bge-reranker-base";
    config.models[1].name = "q";
    config.models[1].hub = "Qwen/Qwen3-Reranker-0.6B";
    says(R"({"embedding_model":"BAAI/bge-base-en-v1.5"})");
    services.metadata = &cache;
    head.method = "POST";
    head.target = "/collections/do%63s/points/query?timeout=3&rerank=true";
    head.fields = {{"Host", "q:7333"}, {"api-key", "k1"}, {"X-Rerank", "true"}, {"X-Request-Id", "1"}};
  }

  // One answer to one question; a question too many fails the test.
  void says(const std::string& metadata, unsigned status = 200) {
    auto response = ok(R"({"result":{"config":{"metadata":)" + metadata + R"(}},"status":"ok"})");
    response.status = status;
    qdrant.answers.emplace_back(std::move(response));
  }

  // The models of the request's searches, joined.
  std::string chosen() {
    asio::io_context context(1);
    std::string models;
    asio::co_spawn(context, run(models), [](const std::exception_ptr& error) { BOOST_TEST(!error); });
    context.run();
    return models;
  }

  http::Awaitable<void> run(std::string& into) {
    const auto executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, http::use_awaitable);  // as after a real read
    http::InspectedRequest request{head, "", qdrant, {}, id};
    rewrite::RequestPlan all;
    all.searches.insert(all.searches.end(), plans.begin(), plans.end());
    flow::RequestRun running(services, std::make_shared<const config::Config>(config),
                             rewrite::SearchKind::query, request, std::move(all));
    co_await flow::choose_models(running, "docs");
    for (const auto& search : running.searches) into += (into.empty() ? "" : " ") + search.model;
    waited = running.upstream;
  }

  FakeUpstream qdrant;
  reranker::Microseconds waited{0};  // what the last request counted as the upstream's time
  selection::MetadataCache cache;
  flow::Services services;
  config::Config config;
  http::RequestHead head;
  const http::RequestId id;
  std::vector<rewrite::SearchPlan> plans = std::vector<rewrite::SearchPlan>(1);
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(choose_models_suite, Fixture)

BOOST_AUTO_TEST_CASE(asking_is_time_of_the_upstream) {
  const auto a_while = std::chrono::milliseconds(2);
  qdrant.before = [&] {
    for (const auto until = reranker::Clock::now() + a_while; reranker::Clock::now() < until;) continue;
  };
  BOOST_TEST(chosen() == "bge");
  BOOST_TEST((waited >= a_while));
  BOOST_TEST(chosen() == "bge");  // known now
  BOOST_TEST((waited == reranker::Microseconds(0)));
}

BOOST_AUTO_TEST_CASE(the_metadata_is_asked_for_once_and_with_the_clients_credentials) {
  BOOST_TEST(chosen() == "bge");
  BOOST_TEST(chosen() == "bge");
  BOOST_TEST_REQUIRE(qdrant.asked.size() == 1u);
  const auto& question = qdrant.asked.front();
  BOOST_TEST(question.method == "GET");
  BOOST_TEST(question.target == "/collections/do%63s");
  BOOST_TEST(question.body.empty());
  std::string fields;
  for (const auto& field : question.fields) fields += field.name + ": " + field.value + "\n";
  BOOST_TEST(fields == "Host: q:7333\napi-key: k1\nAccept-Encoding: identity\n");
}

BOOST_AUTO_TEST_CASE(another_key_learns_nothing) {
  BOOST_TEST(chosen() == "bge");
  head.fields[1].value = "k2";
  for (int i = 0; i < 3; ++i) says("{}", 403);
  BOOST_TEST(chosen() == "mock");
  head.fields[1] = {"Authorization", "Bearer k1"};
  BOOST_TEST(chosen() == "mock");
  head.fields[1] = {"Cookie", "session=1"};
  BOOST_TEST(chosen() == "mock");
  BOOST_TEST(qdrant.asked.size() == 4u);
  head.fields[1] = {"api-key", "k1"};
  BOOST_TEST(chosen() == "bge");
  BOOST_TEST(qdrant.asked.size() == 4u);
}

BOOST_AUTO_TEST_CASE(a_failure_is_none_and_is_remembered_for_a_while) {
  qdrant.answers.clear();
  qdrant.answers.emplace_back(
      tl::unexpected(upstream::UpstreamError{upstream::UpstreamErrorKind::timeout, "upstream: too slow"}));
  BOOST_TEST(chosen() == "mock");
  BOOST_TEST(chosen() == "mock");
  BOOST_TEST(qdrant.asked.size() == 1u);
  int asker = 0;
  for (const std::string body : {"", "<html>", R"({"result":null})"}) {
    const std::string key = std::to_string(++asker);
    head.fields[1].value = key;  // a new question
    qdrant.answers.emplace_back(ok(body));
    BOOST_TEST(chosen() == "mock", body);
  }
}

BOOST_AUTO_TEST_CASE(what_is_out_of_date_is_asked_again) {
  config.selection.metadata_ttl = std::chrono::milliseconds(-1);  // an answer is out of date as it comes
  BOOST_TEST(chosen() == "bge");
  says(R"({"embedding_model":"Qwen/Qwen3-Embedding-0.6B"})");
  BOOST_TEST(chosen() == "q");
}

BOOST_AUTO_TEST_CASE(another_member_is_another_question) {
  BOOST_TEST(chosen() == "bge");
  says(R"({"embedding_model":"BAAI/bge-base-en-v1.5","vectors_by":"qwen3-embedding:0.6b"})");
  config.selection.metadata_key = "vectors_by";
  BOOST_TEST(chosen() == "q");
}

// Whatever came or did not come of it says nothing of Qdrant: the next one asks again.
BOOST_AUTO_TEST_CASE(a_client_that_goes_away_leaves_nothing_behind) {
  qdrant.answers.clear();
  qdrant.answers.emplace_back(
      tl::unexpected(upstream::UpstreamError{upstream::UpstreamErrorKind::cut_off, "cancelled"}));
  asio::io_context context(1);
  asio::cancellation_signal gone;
  std::string models;
  qdrant.before = [&] { gone.emit(asio::cancellation_type::terminal); };
  asio::co_spawn(context, run(models),
                 asio::bind_cancellation_slot(gone.slot(), [](const std::exception_ptr&) {}));
  context.run();
  qdrant.before = nullptr;
  says(R"({"embedding_model":"BAAI/bge-base-en-v1.5"})");
  BOOST_TEST(chosen() == "bge");
  BOOST_TEST(qdrant.asked.size() == 2u);
}

BOOST_AUTO_TEST_CASE(the_searches_of_a_batch_choose_each_for_itself_and_ask_together) {
  plans.resize(4);
  plans[1].options.model = "mock";
  plans[2].embedding_models = {"Qwen/Qwen3-Embedding-0.6B"};
  config.rerank.default_model = "q";
  BOOST_TEST(chosen() == "bge mock q bge");
  BOOST_TEST(qdrant.asked.size() == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_is_asked_where_something_was_said) {
  plans[0].embedding_models = {"Qwen/Qwen3-Embedding-0.6B"};
  BOOST_TEST(chosen() == "q");
  config.collections.emplace_back();
  config.collections.back().pattern = "d*";
  config.collections.back().embedding_model = "BAAI/bge-base-en-v1.5";
  BOOST_TEST(chosen() == "bge");
  plans[0].options.model = "mock";
  BOOST_TEST(chosen() == "mock");
  BOOST_TEST(qdrant.asked.empty());
}

BOOST_AUTO_TEST_SUITE_END()

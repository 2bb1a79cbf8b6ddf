#include "proxy/flow/failure.hpp"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

using namespace qrerank::proxy;
using flow::Reason;
using qrerank::reranker::OnError;
using qrerank::reranker::ScoreFailure;

BOOST_AUTO_TEST_SUITE(failure_suite)

BOOST_AUTO_TEST_CASE(the_reasons_are_the_contracts_nine) {
  std::set<std::string> labels;
  for (const auto reason : flow::kReasons) labels.insert(std::string(flow::label(reason)));
  const std::set<std::string> contract = {"overloaded",    "timeout",       "model_unavailable",
                                          "out_of_memory", "no_candidates", "no_text",
                                          "no_query",      "backend_error", "internal"};
  BOOST_TEST((labels == contract));
}

BOOST_AUTO_TEST_CASE(every_scorer_failure_has_its_reason) {
  for (const auto failure :
       {ScoreFailure::overloaded, ScoreFailure::timeout, ScoreFailure::model_unavailable,
        ScoreFailure::out_of_memory, ScoreFailure::backend_error, ScoreFailure::internal}) {
    BOOST_TEST(flow::label(flow::reason_of(failure)) == qrerank::reranker::to_string(failure));
  }
  BOOST_TEST((flow::reason_of(ScoreFailure::cancelled) == Reason::internal));
}

BOOST_AUTO_TEST_CASE(only_failures_refuse_and_only_when_asked_to) {
  for (const auto reason : flow::kReasons) {
    BOOST_TEST(!flow::refuses(reason, OnError::fallback));
    const bool fact =
        reason == Reason::no_candidates || reason == Reason::no_text || reason == Reason::no_query;
    BOOST_TEST(flow::refuses(reason, OnError::error) == !fact);
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_names_reason_and_model) {
  const auto reply = flow::refusal(Reason::overloaded, "mini");
  BOOST_TEST(reply.status == 503u);
  BOOST_TEST(reply.body.find("overloaded, model mini") != std::string::npos);
  BOOST_TEST(reply.body.find("{\"status\":{\"error\":\"") == 0u);
  bool retry_after = false;
  for (const auto& field : reply.fields) retry_after |= field.name == "retry-after";
  BOOST_TEST(retry_after);
}

BOOST_AUTO_TEST_CASE(memory_is_507_without_a_promise_to_retry) {
  const auto reply = flow::refusal(Reason::out_of_memory, "");
  BOOST_TEST(reply.status == 507u);
  for (const auto& field : reply.fields) BOOST_TEST(field.name != "retry-after");
}

BOOST_AUTO_TEST_SUITE_END()

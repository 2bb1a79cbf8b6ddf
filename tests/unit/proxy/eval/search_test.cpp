#include "proxy/eval/search.hpp"

#include <boost/test/unit_test.hpp>

namespace eval = qrerank::proxy::eval;

BOOST_AUTO_TEST_SUITE(search)

BOOST_AUTO_TEST_CASE(bodies) {
  const eval::Query query{"1", "a \"b\"", "[1,2]", {}};
  BOOST_TEST(eval::search_body({"c", "", "", ""}, query, 50, std::nullopt, query.text) ==
             R"({"query":[1,2],"limit":50,"with_payload":false,"use_reranker":false})");
  BOOST_TEST(eval::search_body({"c", "dense", "meta.id", "be strict"}, query, 10,
                               eval::Setting{"minilm", 20, 0.25}, query.text) ==
             R"({"query":[1,2],"limit":10,"using":"dense","with_payload":["meta.id"],"use_reranker":true,)"
             R"("rerank_query":"a \"b\"","rerank_top_k":20,"rerank_weight":0.25,"rerank_timeout_ms":60000,)"
             R"("rerank_on_error":"fallback","rerank_model":"minilm","rerank_instruction":"be strict"})");
}

BOOST_AUTO_TEST_CASE(answers) {
  const auto answer = eval::read_answer(
      R"({"result":{"points":[{"id":18446744073709551615,"score":1},{"id":"5c56","score":0.5}]},"status":"ok",)"
      R"("reranking_used":true,"reranker_model":"minilm","reranking_time_ms":12.5,"reranking_candidates":2})",
      "");
  BOOST_TEST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->ranking == (eval::Ranking{"18446744073709551615", "5c56"}),
             boost::test_tools::per_element());
  BOOST_TEST(answer->reranked);
  BOOST_TEST(answer->model == "minilm");
  BOOST_TEST(answer->reranking_ms == 12.5);
  BOOST_TEST(answer->candidates == 2u);
}

BOOST_AUTO_TEST_CASE(of_several_points_of_a_document_the_first_counts) {
  const std::string body =
      R"({"result":{"points":[{"id":1,"payload":{"doc":{"id":"b"}}},{"id":2,"payload":{"doc":{"id":7}}},)"
      R"({"id":3,"payload":{"doc":{"id":"b"}}}]},"reranking_used":false,"reranking_reason":"no_text"})";
  const auto answer = eval::read_answer(body, "doc.id");
  BOOST_TEST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->ranking == (eval::Ranking{"b", "7"}), boost::test_tools::per_element());
  BOOST_TEST(answer->points == 3u);
  BOOST_TEST(!answer->reranked);
  BOOST_TEST(answer->reason == "no_text");
  BOOST_TEST(
      eval::read_answer(body, "doc").error().starts_with("a point has no text or whole number at doc"));
}

BOOST_AUTO_TEST_CASE(what_is_no_answer) {
  for (const auto* body : {"", "{", "[]", "{}", R"({"result":[]})", R"({"result":{"points":3}})"})
    BOOST_TEST(!eval::read_answer(body, "").has_value(), body);
  BOOST_TEST(!eval::read_answer(R"({"result":{"points":[{"score":1}]}})", "").has_value());
}

BOOST_AUTO_TEST_CASE(errors) {
  const std::pair<std::string, std::string> table[] = {
      {R"({"status":{"error":"Not found: Collection `x`"},"time":0.1})", "Not found: Collection `x`"},
      {"Invalid API key or JWT", "Invalid API key or JWT"},
      {"<html>\nlong", "<html>"},
      {"", "no reason given"},
      {std::string(1000, 'x'), std::string(300, 'x')}};
  for (const auto& [body, expected] : table) BOOST_TEST(eval::read_error(body) == expected);
}

BOOST_AUTO_TEST_SUITE_END()

// Which requests are held, and what becomes of those that are not reranked: bytes given back, options taken
// off, headers of a wish.
#include "proxy/flow/interceptor.hpp"

#include "tests/unit/proxy/flow/fake_services.hpp"

using namespace flow_test;

namespace {

http::HeadVerdict judged(std::string_view method, std::string_view target,
                         std::vector<http::FieldView> fields = {}) {
  const auto config = std::make_shared<const config::Config>();
  FakeScorer scorer;
  flow::Interceptor interceptor({[config] { return config; }, &scorer, nullptr});
  http::RequestHead head;
  head.method = method;
  head.target = target;
  head.fields = std::move(fields);
  return interceptor.judge(head);
}

bool is_held(const http::HeadVerdict& verdict) {
  return verdict.action == http::HeadVerdict::Action::inspect;
}

const std::string kQuery = "/collections/c/points/query";

}  // namespace

BOOST_AUTO_TEST_SUITE(interceptor_suite)

BOOST_AUTO_TEST_CASE(searches_are_held_and_named) {
  const auto verdict = judged("POST", kQuery + "?timeout=3");
  BOOST_TEST(is_held(verdict));
  BOOST_TEST(verdict.endpoint == "query");
  BOOST_TEST(verdict.max_body == config::Config().proxy.max_inspect_body);
  BOOST_TEST(verdict.headers_if_uninspected.empty());
  BOOST_TEST(is_held(judged("POST", kQuery, {{"Content-Encoding", "gzip"}})));
  BOOST_TEST(is_held(judged("POST", kQuery, {{"X-Rerank", "perhaps"}})));  // to be answered with 400
}

BOOST_AUTO_TEST_CASE(the_rest_is_relayed) {
  for (const auto& [method, target] : std::vector<std::pair<std::string, std::string>>{
           {"GET", kQuery}, {"HEAD", kQuery}, {"POST", "/collections/c/points/scroll"}, {"GET", "/"}}) {
    const auto verdict = judged(method, target, {{"X-Rerank", "true"}});
    BOOST_TEST(!is_held(verdict));
    BOOST_TEST(verdict.endpoint == "");
    BOOST_TEST(verdict.headers_if_uninspected.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_coding_that_is_not_ours_is_relayed_and_a_wish_told) {
  const auto verdict = judged("POST", kQuery, {{"Content-Encoding", "br"}, {"X-Rerank", "1"}});
  BOOST_TEST(!is_held(verdict));
  BOOST_TEST(verdict.endpoint == "query");
  BOOST_TEST(header(verdict.headers_if_uninspected, "x-reranking-used") == "false");
  BOOST_TEST(judged("POST", kQuery, {{"Content-Encoding", "br"}}).headers_if_uninspected.empty());
  // A flag that is no flag is refused whatever the body is.
  BOOST_TEST(is_held(judged("POST", kQuery, {{"Content-Encoding", "br"}, {"X-Rerank", "perhaps"}})));
  // Fields of one name are one list: this is gzip, and br around it.
  BOOST_TEST(!is_held(judged("POST", kQuery, {{"Content-Encoding", "gzip"}, {"Content-Encoding", "br"}})));
}

BOOST_AUTO_TEST_CASE(what_is_not_flagged_goes_as_it_came) {
  Driver driver;
  const std::string body = R"({"query":[1.0],"rerank_top_k":5})";
  const auto pass = driver.passed(body);
  BOOST_TEST(pass.body == body);
  BOOST_TEST(!pass.target.has_value());
  BOOST_TEST(!pass.fields.has_value());
  BOOST_TEST(pass.response_headers.empty());
  BOOST_TEST(driver.qdrant.asked.empty());
}

BOOST_AUTO_TEST_CASE(a_wish_without_a_query_goes_as_it_came_and_says_so) {
  Driver driver;
  driver.target += "?rerank=1&rerank_top_k=20";
  const std::string body = R"({"query":[1.0]})";
  const auto pass = driver.passed(body);
  BOOST_TEST(pass.body == body);
  BOOST_TEST(!pass.target.has_value());
  BOOST_TEST(header(pass.response_headers, "x-reranking-used") == "false");
  BOOST_TEST(header(pass.response_headers, "x-reranking-reason") == "no_query");
}

BOOST_AUTO_TEST_CASE(what_qdrant_refuses_goes_without_options) {
  Driver driver;
  driver.target += "?rerank_top_k=20&timeout=3";
  const std::vector<http::FieldView> fields = {{"X-Rerank-Weight", "1"}, {"api-key", "k"}};
  driver.fields = fields;
  const auto pass = driver.passed(R"({"query":[1.0],"limit":0,"use_reranker":true,"rerank_query":"q"})");
  BOOST_TEST(pass.body == R"({"query":[1.0],"limit":0})");
  BOOST_TEST(pass.target.value() == "/collections/c/points/query?timeout=3");
  BOOST_TEST(header(pass.fields.value(), "x-rerank-weight") == "");
  BOOST_TEST(header(pass.fields.value(), "api-key") == "k");
  BOOST_TEST(pass.response_headers.empty());
  // A wish is told that it was not met, should Qdrant take the search after all.
  driver.target += "&rerank=true";
  const auto wished = driver.passed(R"({"query":[1.0],"limit":0})");
  BOOST_TEST(header(wished.response_headers, "x-reranking-used") == "false");
}

BOOST_AUTO_TEST_CASE(a_body_that_is_not_gzip_goes_as_it_came) {
  Driver driver;
  const std::vector<http::FieldView> fields = {{"Content-Encoding", "gzip"}, {"X-Rerank", "1"}};
  driver.fields = fields;
  const auto pass = driver.passed("not gzip");
  BOOST_TEST(pass.body == "not gzip");
  BOOST_TEST(!pass.fields.has_value());
  BOOST_TEST(header(pass.response_headers, "x-reranking-used") == "false");
}

BOOST_AUTO_TEST_SUITE_END()

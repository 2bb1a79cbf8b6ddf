#include "proxy/flow/upstream_request.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <map>

using namespace qrerank::proxy;

BOOST_AUTO_TEST_SUITE(upstream_request_suite)

BOOST_AUTO_TEST_CASE(the_clients_fields_travel_ours_do_not) {
  http::RequestHead head;
  head.method = "POST";
  head.fields = {{"Host", "q:7333"},           {"api-key", "k"},     {"X-RERANK", "true"},
                 {"x-rerank-top-k", "20"},     {"X-Reranker", "no"}, {"Accept-Encoding", "gzip, deflate"},
                 {"content-encoding", "gzip"}, {"traceparent", "t"}, {"Content-Length", "10"}};
  const auto request = flow::search_request(head, "/t?rerank=true&timeout=3&rerank_top_k=20", "{}");
  std::map<std::string, std::string> sent;
  for (const auto& field : request.fields) sent[field.name] = field.value;
  const std::map<std::string, std::string> expected = {{"Host", "q:7333"},
                                                       {"api-key", "k"},
                                                       {"X-Reranker", "no"},
                                                       {"traceparent", "t"},
                                                       {"Accept-Encoding", "identity"}};
  BOOST_TEST((sent == expected));
  BOOST_TEST(request.method == "POST");
  BOOST_TEST(request.target == "/t?timeout=3");
  BOOST_TEST(request.body == "{}");
  BOOST_TEST(request.replayable);
}

BOOST_AUTO_TEST_CASE(what_the_clients_connection_names_is_the_clients_and_not_ours) {
  http::RequestHead head;
  head.method = "POST";
  head.fields = {{"Host", "q"},    {"Connection", "accept-encoding, X-Hop, api-key, host"},
                 {"X-Hop", "1"},   {"Accept-Encoding", "gzip"},
                 {"api-key", "k"}, {"Keep-Alive", "5"}};
  const auto names_of = [](const upstream::Request& request) {
    std::string names;
    for (const auto& field : request.fields) names += field.name + ": " + field.value + "\n";
    return names;
  };
  BOOST_TEST(names_of(flow::search_request(head, "/t", "{}")) == "Host: q\nAccept-Encoding: identity\n");
  BOOST_TEST(names_of(flow::collection_request(head, "/c")) == "Host: q\nAccept-Encoding: identity\n");
}

BOOST_AUTO_TEST_CASE(own_timeouts) {
  using std::chrono::seconds;
  BOOST_TEST((flow::own_timeout("/c?timeout=5") == seconds(5)));
  BOOST_TEST((flow::own_timeout("/c?a=1&timeout=60&b") == seconds(60)));
  BOOST_TEST((flow::own_timeout("/c?time%6Fut=%35") == seconds(5)));  // as Qdrant reads it
  for (const auto* none : {"", "timeout", "timeout=", "timeout=0", "timeout=-1", "timeout=1.5", "timeout=x",
                           "timeout=99999999999999", "mytimeout=3"}) {
    BOOST_TEST_INFO(none);
    BOOST_TEST(!flow::own_timeout(std::string("/c?") + none).has_value());
  }
}

BOOST_AUTO_TEST_SUITE_END()

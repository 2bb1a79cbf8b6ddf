// Searches that a real Qdrant 1.19 was sent, and the status that it answered: what it takes is planned, what
// is called refused here was refused there.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "proxy/route/decide.hpp"

using namespace qrerank::proxy::route;
using qrerank::proxy::http::FieldView;
using qrerank::proxy::rewrite::RequestPlan;

namespace {

struct Recorded {
  const char* name;
  const char* target;
  std::string body;
  int status;
};

const std::vector<Recorded> kRecorded = {
    {"07-search", "/collections/demo/points/search", R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 3})", 200},
    {"08-search-with-payload-vector", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 3, "with_payload": true, "with_vector": true})", 200},
    {"09-search-unknown-body-fields", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 3, "use_reranker": true, "rerank": {"query": "fox", "top_n": 2}})",
     200},
    {"10-search-unknown-query-param", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 2})", 200},
    {"11-search-top-alias", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "top": 2, "with_vectors": false})", 200},
    {"12-search-duplicate-key", "/collections/demo/points/search",
     R"({"vector":[0.2,0.1,0.9,0.7],"limit":3,"limit":2})", 400},
    {"13-search-limit-and-top", "/collections/demo/points/search",
     R"({"vector":[0.2,0.1,0.9,0.7],"limit":3,"top":2})", 400},
    {"14-search-no-limit", "/collections/demo/points/search", R"({"vector": [0.2, 0.1, 0.9, 0.7]})", 400},
    {"15-search-offset-threshold-filter", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 3, "offset": 1, "score_threshold": 0.5, "filter": {"must": [{"key": "cat", "match": {"value": "b"}}]}, "params": {"exact": true}, "with_payload": ["text"]})",
     200},
    {"16-search-payload-include", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 1, "with_payload": {"include": ["text", "nested.z"]}})",
     200},
    {"17-search-payload-exclude", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 1, "with_payload": {"exclude": ["text"]}})", 200},
    {"18-search-unknown-in-payload-selector", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 1, "with_payload": {"include": ["text"], "x": 1}})", 400},
    {"19-search-unknown-in-params", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 1, "params": {"hnsw_ef": 16, "rerank": true}})", 200},
    {"20-search-unknown-in-filter", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 1, "filter": {"rerank": true}})", 400},
    {"21-search-document-vector", "/collections/demo/points/search",
     R"({"vector": {"text": "fox", "model": "qdrant/bm25"}, "limit": 1})", 400},
    {"22-search-named-sparse", "/collections/demo/points/search",
     R"({"vector": {"name": "sp", "vector": {"indices": [1], "values": [1.0]}}, "limit": 1})", 200},
    {"26-query-vector", "/collections/demo/points/query", R"({"query": [0.2, 0.1, 0.9, 0.7], "limit": 3})",
     200},
    {"27-query-unknown-body-fields", "/collections/demo/points/query",
     R"({"query": [0.2, 0.1, 0.9, 0.7], "limit": 3, "use_reranker": true, "rerank": {"query": "fox"}})", 200},
    {"28-query-unknown-in-nearest", "/collections/demo/points/query",
     R"({"query": {"nearest": [0.2, 0.1, 0.9, 0.7], "rerank": {"query": "fox"}}, "limit": 1})", 200},
    {"29-query-unknown-in-document", "/collections/demo/points/query",
     R"({"query": {"text": "fox", "model": "qdrant/bm25", "rerank": true}, "using": "sp", "limit": 2})", 200},
    {"30-query-document-unknown-options", "/collections/demo/points/query",
     R"({"query": {"text": "fox", "model": "qdrant/bm25", "options": {"rerank": {"top": 3}}}, "using": "sp", "limit": 2})",
     200},
    {"31-query-document-bm25", "/collections/demo/points/query",
     R"({"query": {"text": "fox dog", "model": "qdrant/bm25"}, "using": "sp", "limit": 3, "with_payload": ["text"]})",
     200},
    {"32-query-document-no-inference", "/collections/demo/points/query",
     R"({"query": {"text": "fox dog", "model": "sentence-transformers/all-minilm-l6-v2"}, "limit": 3})", 500},
    {"33-query-image-no-inference", "/collections/demo/points/query",
     R"({"query": {"image": "http://x/y.png", "model": "m"}, "limit": 3})", 500},
    {"34-query-by-id", "/collections/demo/points/query", R"({"query": 1, "limit": 2})", 200},
    {"35-query-no-query-scroll", "/collections/demo/points/query", R"({"limit": 2})", 200},
    {"36-query-empty-object", "/collections/demo/points/query", R"({})", 200},
    {"37-query-prefetch-rrf", "/collections/demo/points/query",
     R"({"prefetch": [{"query": [0.2, 0.1, 0.9, 0.7], "limit": 5}, {"query": {"text": "fox", "model": "qdrant/bm25"}, "using": "sp", "limit": 5}], "query": {"fusion": "rrf"}, "limit": 3, "with_payload": ["text"]})",
     200},
    {"38-query-mmr", "/collections/demo/points/query",
     R"({"query": {"nearest": [0.2, 0.1, 0.9, 0.7], "mmr": {"diversity": 0.5, "candidates_limit": 5}}, "limit": 3})",
     200},
    {"39-query-formula", "/collections/demo/points/query",
     R"({"prefetch": {"query": [0.2, 0.1, 0.9, 0.7], "limit": 5}, "query": {"formula": {"sum": ["$score", {"mult": [0.5, {"key": "cat", "match": {"any": ["a"]}}]}]}}, "limit": 3})",
     200},
    {"40-query-order-by", "/collections/demo/points/query", R"({"query": {"order_by": "big"}, "limit": 2})",
     400},
    {"41-query-sample", "/collections/demo/points/query", R"({"query": {"sample": "random"}, "limit": 2})",
     200},
    {"42-query-relevance-feedback", "/collections/demo/points/query",
     R"({"query": {"relevance_feedback": {"target": [0.2, 0.1, 0.9, 0.7], "feedback": [{"example": 1, "score": 0.9}, {"example": 2, "score": 0.1}], "strategy": {"naive": {"a": 1.0, "b": 1.0, "c": 1.0}}}}, "limit": 3})",
     200},
    {"46-recommend", "/collections/demo/points/recommend",
     R"({"positive": [1], "negative": [2], "limit": 2, "use_reranker": true})", 200},
    {"49-discover", "/collections/demo/points/discover",
     R"({"target": 1, "context": [{"positive": 2, "negative": 3}], "limit": 2})", 200},
    {"59-err-bad-json", "/collections/demo/points/search", R"({"vector":[0.1,)", 400},
    {"60-err-wrong-type", "/collections/demo/points/search", R"({"vector": "abc", "limit": 1})", 400},
    {"61-err-query-wrong-type", "/collections/demo/points/query", R"({"query": {"bogus": 1}, "limit": 1})",
     400},
    {"62-err-wrong-dim", "/collections/demo/points/search", R"({"vector": [0.1], "limit": 1})", 400},
    {"63-err-query-wrong-dim", "/collections/demo/points/query", R"({"query": [0.1], "limit": 1})", 400},
    {"64-err-limit-zero-422", "/collections/demo/points/query",
     R"({"query": [0.2, 0.1, 0.9, 0.7], "limit": 0})", 422},
    {"65-err-limit-negative", "/collections/demo/points/query",
     R"({"query": [0.2, 0.1, 0.9, 0.7], "limit": -1})", 400},
    {"66-err-unknown-vector-name", "/collections/demo/points/query",
     R"({"query": [0.2, 0.1, 0.9, 0.7], "using": "nope", "limit": 1})", 400},
    {"67-err-no-content-type", "/collections/demo/points/search", R"({"vector":[0.2,0.1,0.9,0.7],"limit":1})",
     200},
    {"70-err-empty-body", "/collections/demo/points/search", R"()", 400},
    {"71-err-404-collection", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 1})", 404},
    {"72-err-404-collection-query", "/collections/demo/points/query",
     R"({"query": [0.2, 0.1, 0.9, 0.7], "limit": 1})", 404},
    {"83-gzip-response", "/collections/demo/points/search",
     R"({"vector": [0.2, 0.1, 0.9, 0.7], "limit": 3, "with_payload": true})", 200},
    {"121-query-duplicate-key", "/collections/demo/points/query",
     R"({"query":[0.2,0.1,0.9,0.7],"limit":3,"limit":2})", 400},
    {"122-query-duplicate-unknown", "/collections/demo/points/query",
     R"({"query":[0.2,0.1,0.9,0.7],"x":3,"x":2,"limit":1})", 200},
    {"123-query-with_vector-and-with_vectors", "/collections/demo/points/query",
     R"({"query":[0.2,0.1,0.9,0.7],"limit":1,"with_vector":false,"with_vectors":true})", 400},
    {"124-query-with_payload-twice", "/collections/demo/points/query",
     R"({"query":[0.2,0.1,0.9,0.7],"limit":1,"with_payload":false,"with_payload":true})", 400},
    {"125-query-limit-null", "/collections/demo/points/query", R"({"query":[0.2,0.1,0.9,0.7],"limit":null})",
     200},
    {"126-query-limit-float", "/collections/demo/points/query", R"({"query":[0.2,0.1,0.9,0.7],"limit":3.0})",
     400},
    {"127-query-top-alias", "/collections/demo/points/query", R"({"query":[0.2,0.1,0.9,0.7],"top":2})", 200},
    {"128-query-trailing-garbage", "/collections/demo/points/query",
     R"({"query":[0.2,0.1,0.9,0.7],"limit":1} xyz)", 400},
    {"129-query-bom", "/collections/demo/points/query",
     "\357\273\277{\042query\042:[0.2,0.1,0.9,0.7],\042limit\042:1}", 400},
    {"130-query-invalid-utf8", "/collections/demo/points/query",
     R"({"query":[0.2,0.1,0.9,0.7],"limit":1,"x":"\xff"})", 400},
    {"131-query-nan", "/collections/demo/points/query", R"({"query":[NaN,0.1,0.9,0.7],"limit":1})", 400},
    {"132-query-big-exp", "/collections/demo/points/query", R"({"query":[1e39,0.1,0.9,0.7],"limit":1})", 200},
    {"133-query-huge-limit", "/collections/demo/points/query",
     R"({"query": [0.2, 0.1, 0.9, 0.7], "limit": 1000000})", 200},
    {"134-query-limit-u64max", "/collections/demo/points/query",
     R"({"query":[0.2,0.1,0.9,0.7],"limit":18446744073709551615})", 200},
    {"135-query-offset-beyond", "/collections/demo/points/query",
     R"({"query": [0.2, 0.1, 0.9, 0.7], "limit": 2, "offset": 100})", 200},
    {"141-query-string-encoded-collection-nonexist", "/collections/demo/points/query",
     R"({"query": [0.2, 0.1, 0.9, 0.7]})", 404},
    {"216-auth-ro-search-hardware-usage", "/collections/demo/points/search",
     R"({"vector": [1, 0, 0, 0], "limit": 1})", 200},
    {"217-auth-ro-query-hardware-usage", "/collections/demo/points/query",
     R"({"query": [1, 0, 0, 0], "limit": 1})", 200},
    {"219-auth-err-with-usage", "/collections/demo/points/query", R"({"query": [1], "limit": 1})", 400},
    {"233-inf-query-document-usage", "/collections/demo/points/query",
     R"({"query": {"text": "fox", "model": "foo/bar", "options": {"rerank": {"x": 1}}}, "limit": 2, "with_payload": true})",
     200},
};

// Names of ours that the recordings happen to use, with values that are none of a flag's or as a demand.
bool speaks_of_us(const std::string& body) {
  return body.find("rerank") != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recorded_requests)

BOOST_AUTO_TEST_CASE(refused_here_is_refused_there) {
  const std::vector<FieldView> fields = {{"X-Rerank", "true"}, {"X-Rerank-Query", "fox"}};
  std::vector<std::string> stripped;
  for (const Recorded& one : kRecorded) {
    if (speaks_of_us(one.body)) {
      continue;
    }
    const auto judged = judge_head(match("POST", one.target).value(), one.target, fields, {});
    BOOST_REQUIRE_MESSAGE(std::holds_alternative<SearchHead>(judged), one.name);
    const Decision decision = decide(std::get<SearchHead>(judged), one.body, {});
    if (const auto* refused = std::get_if<PassStripped>(&decision)) {
      stripped.emplace_back(one.name);
      BOOST_TEST((one.status == 400 || one.status == 422), one.name << ": " << refused->why);
      BOOST_TEST(refused->body == one.body, one.name);
      continue;
    }
    const bool no_order = one.body == "{}" || one.body == R"({"limit": 2})" ||
                          one.body.find("order_by") != std::string::npos ||
                          one.body.find("sample") != std::string::npos;
    BOOST_TEST(std::holds_alternative<PassWish>(decision) == no_order, one.name);
    BOOST_TEST(std::holds_alternative<RequestPlan>(decision) == !no_order, one.name);
  }
  const std::vector<std::string> expected = {"12-search-duplicate-key",
                                             "13-search-limit-and-top",
                                             "14-search-no-limit",
                                             "18-search-unknown-in-payload-selector",
                                             "59-err-bad-json",
                                             "64-err-limit-zero-422",
                                             "65-err-limit-negative",
                                             "70-err-empty-body",
                                             "121-query-duplicate-key",
                                             "123-query-with_vector-and-with_vectors",
                                             "124-query-with_payload-twice",
                                             "126-query-limit-float",
                                             "128-query-trailing-garbage",
                                             "129-query-bom",
                                             "130-query-invalid-utf8",
                                             "131-query-nan"};
  BOOST_TEST(stripped == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

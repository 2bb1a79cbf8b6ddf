// From a search's bytes and its options to the bytes that go upstream.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "proxy/rewrite/request.hpp"

using namespace qrerank::proxy::rewrite;
namespace reranker = qrerank::reranker;

namespace {

reranker::Options with_text_field(std::int64_t top_k = 50) {
  reranker::Options options;
  options.top_k = top_k;
  options.fields = std::vector<std::string>{"text"};
  return options;
}

SearchPlan plan(const std::string& text, SearchKind kind, reranker::Options options = with_text_field(),
                bool groups = false) {
  const auto tree = JsonTree::parse(text);
  BOOST_REQUIRE_MESSAGE(tree.has_value(), text);
  const SearchShape shape = read_search(tree->root(), kind, groups);
  BOOST_REQUIRE_MESSAGE(shape.refused.empty(), text << ": " << shape.refused);
  auto planned = plan_search(shape, {.options = std::move(options), .limits = {}, .query_text = "q"});
  BOOST_REQUIRE_MESSAGE(planned.has_value(), text);
  return *planned;
}

struct Case {
  std::string text;
  std::string upstream;
};

void check(const std::vector<Case>& cases, SearchKind kind) {
  for (const Case& one : cases) {
    const SearchPlan planned = plan(one.text, kind);
    BOOST_TEST(planned.upstream_body == one.upstream, one.text << "\n became " << planned.upstream_body);
    BOOST_TEST(JsonTree::parse(planned.upstream_body).has_value());
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(plans)

BOOST_AUTO_TEST_CASE(limits_and_offsets) {
  const std::string payload = R"("with_payload":["text"])";
  check({{R"({"query":1})", R"({"query":1,"limit":50,)" + payload + "}"},
         {R"({"query":1,"limit":null})", R"({"query":1,"limit":50,)" + payload + "}"},
         {R"({"limit" : 3 , "query":1})", R"({"limit" : 50 , "query":1,)" + payload + "}"},
         {R"({"l\u0069mit":3,"query":1})", R"({"l\u0069mit":50,"query":1,)" + payload + "}"},
         {R"({"query":1,"limit":100})", R"({"query":1,"limit":100,)" + payload + "}"},
         {R"({"query":1,"limit":40,"offset":30})", R"({"query":1,"limit":70,"offset":0,)" + payload + "}"},
         {R"({"query":1,"offset":null})", R"({"query":1,"offset":0,"limit":50,)" + payload + "}"},
         {R"({"query":1,"offset":45})", R"({"query":1,"offset":0,"limit":55,)" + payload + "}"},
         {R"({"query":1,"limit":18446744073709551615,"offset":2})",
          R"({"query":1,"limit":18446744073709551615,"offset":0,)" + payload + "}"},
         {R"({"query":1,"top":3})", R"({"query":1,"top":3,"limit":50,)" + payload + "}"}},
        SearchKind::query);
  check({{R"({"vector":[1],"limit":3})", R"({"vector":[1],"limit":50,)" + payload + "}"},
         {R"({"vector":[1],"top":3})", R"({"vector":[1],"top":50,)" + payload + "}"}},
        SearchKind::search);

  const SearchPlan page = plan(R"({"query":1,"limit":4,"offset":6})", SearchKind::query);
  BOOST_TEST(page.limit == 4u);
  BOOST_TEST(page.offset == 6u);
  BOOST_TEST(page.top_k == 50u);
  BOOST_TEST((page.layout == HitLayout::points));
  BOOST_TEST((plan(R"({"vector":[1],"limit":3})", SearchKind::search).layout == HitLayout::list));
  BOOST_TEST(plan(R"({"query":1})", SearchKind::query).limit == 10u);
  BOOST_TEST(plan(R"({"query":1})", SearchKind::query).offset == 0u);
}

BOOST_AUTO_TEST_CASE(prefetches_and_mmr) {
  const std::string end = R"("limit":50,"with_payload":true})";
  check({{R"({"query":1,"prefetch":{"query":1},)" + end,
          R"({"query":1,"prefetch":{"query":1,"limit":50},)" + end},
         {R"({"query":1,"prefetch":{},)" + end, R"({"query":1,"prefetch":{"limit":50},)" + end},
         {R"({"query":1,"prefetch":[{"limit":5},{"limit":null},{"limit":60}],)" + end,
          R"({"query":1,"prefetch":[{"limit":50},{"limit":50},{"limit":60}],)" + end},
         {R"({"query":1,"prefetch":[{"limit":60,"prefetch":{"prefetch":[{"limit":7}]}}],)" + end,
          R"({"query":1,"prefetch":[{"limit":60,"prefetch":{"prefetch":[{"limit":50}],"limit":50}}],)" + end},
         {R"({"query":{"nearest":1,"mmr":{"candidates_limit":5,"diversity":0.5}},)" + end,
          R"({"query":{"nearest":1,"mmr":{"candidates_limit":50,"diversity":0.5}},)" + end},
         {R"({"query":{"nearest":1,"mmr":{"candidates_limit":70}},)" + end,
          R"({"query":{"nearest":1,"mmr":{"candidates_limit":70}},)" + end},
         {R"({"query":{"nearest":1,"mmr":{}},)" + end, R"({"query":{"nearest":1,"mmr":{}},)" + end},
         {R"({"query":1,"prefetch":{"limit":60,"query":{"nearest":1,"mmr":{"candidates_limit":5}}},)" + end,
          R"({"query":1,"prefetch":{"limit":60,"query":{"nearest":1,"mmr":{"candidates_limit":50}}},)" + end},
         // A server takes no more than this.
         {R"({"query":{"nearest":1,"mmr":{"candidates_limit":5}},"limit":100000,"with_payload":true})",
          R"({"query":{"nearest":1,"mmr":{"candidates_limit":16384}},"limit":100000,"with_payload":true})"}},
        SearchKind::query);

  const auto widened = [](const std::string& text) { return plan(text, SearchKind::query).inner_widened; };
  BOOST_TEST(!widened(R"({"query":1})"));
  BOOST_TEST(!widened(R"({"query":1,"prefetch":{"limit":50}})"));
  BOOST_TEST(widened(R"({"query":1,"prefetch":{"limit":49}})"));
  BOOST_TEST(widened(R"({"query":1,"prefetch":[]})") == false);
  BOOST_TEST(widened(R"({"query":1,"prefetch":{"limit":60,"prefetch":{}}})"));
  // MMR chooses from as many as the search's limit when it has none of its own.
  BOOST_TEST(widened(R"({"query":{"nearest":1,"mmr":{}}})"));
  BOOST_TEST(widened(R"({"query":{"nearest":1,"mmr":{"candidates_limit":null}}})"));
  BOOST_TEST(!widened(R"({"query":{"nearest":1,"mmr":null}})"));
  BOOST_TEST(!widened(R"({"query":{"nearest":1,"mmr":{}},"limit":60})"));
  BOOST_TEST(widened(R"({"query":{"nearest":1,"mmr":{}},"limit":60,"offset":1})"));
  BOOST_TEST(!widened(R"({"query":1,"prefetch":{"limit":60,"query":{"nearest":1,"mmr":{}}}})"));
  BOOST_TEST(widened(R"({"query":1,"prefetch":{"limit":49,"query":{"nearest":1,"mmr":{}}}})"));
  BOOST_TEST(!widened(R"({"query":{"nearest":1,"mmr":{"candidates_limit":50}}})"));
}

BOOST_AUTO_TEST_CASE(selectors) {
  check(
      {{R"({"query":1,"limit":50,"with_payload":false})",
        R"({"query":1,"limit":50,"with_payload":["text"]})"},
       {R"({"query":1,"limit":50,"with_payload":null})", R"({"query":1,"limit":50,"with_payload":["text"]})"},
       {R"({"with_payload":["a" ],"query":1,"limit":50})",
        R"({"with_payload":["a","text"],"query":1,"limit":50})"},
       {R"({"query":1,"limit":50,"with_payload":{"exclude":["text"]}})",
        R"({"query":1,"limit":50,"with_payload":true})"},
       {R"({"query":1,"limit":50,"with_payload":true,"with_vector":false})",
        R"({"query":1,"limit":50,"with_payload":true,"with_vector":false})"},
       {R"({"query":1,"limit":50,"with_payload":true,"with_vectors":["v"]})",
        R"({"query":1,"limit":50,"with_payload":["text"],"with_vectors":false})"},
       {R"({"query":1,"limit":50,"with_vector":true})",
        R"({"query":1,"limit":50,"with_vector":false,"with_payload":["text"]})"}},
      SearchKind::query);

  const auto both =
      plan(R"({"query":1,"with_payload":{"include" : ["a"]},"with_vectors":[ "v" ],"shard_key":["x"]})",
           SearchKind::query);
  BOOST_TEST(both.projection.needs_reread());
  BOOST_TEST(both.projection.vectors);
  BOOST_TEST((both.projection.payload == Projection::Payload::reread));
  BOOST_TEST(both.projection.with_payload == R"({"include" : ["a"]})");
  BOOST_TEST(both.projection.with_vector == R"([ "v" ])");
  BOOST_TEST(both.projection.shard_key == R"(["x"])");
  const auto none =
      plan(R"({"query":1,"with_payload":null,"with_vector":null,"shard_key":null})", SearchKind::query);
  BOOST_TEST(!none.projection.needs_reread());
  BOOST_TEST(none.projection.with_payload == "false");
  BOOST_TEST(none.projection.with_vector == "false");
  BOOST_TEST(none.projection.shard_key == "");

  const auto tree = JsonTree::parse(R"({"query":1,"with_payload":"x"})");
  const SearchShape shape = read_search(tree->root(), SearchKind::query);
  BOOST_TEST(!plan_search(shape, {.options = {}, .limits = {}, .query_text = "q"}).has_value());
  BOOST_CHECK_THROW((void)plan_search(shape, {.options = {}, .limits = {}, .query_text = ""}),
                    std::logic_error);
}

BOOST_AUTO_TEST_CASE(defaults) {
  const SearchPlan planned = plan(R"({"query":1})", SearchKind::query, {});
  BOOST_TEST(planned.top_k == 50u);
  BOOST_TEST(planned.first_non_empty);
  BOOST_TEST(planned.fields == (std::vector<std::string>{"content", "text", "document", "page_content"}),
             boost::test_tools::per_element());
  BOOST_TEST(planned.query_text == "q");
  const auto tree = JsonTree::parse(R"({"query":1})");
  const SearchShape shape = read_search(tree->root(), SearchKind::query);
  const auto small = plan_search(shape, {.options = {}, .limits = {.max_top_k = 20}, .query_text = "q"});
  BOOST_TEST(small->top_k == 20u);
  BOOST_TEST(!plan(R"({"query":1})", SearchKind::query).first_non_empty);
}

BOOST_AUTO_TEST_CASE(stripping) {
  const auto strip = [](const std::string& text) {
    const auto tree = JsonTree::parse(text);
    BOOST_REQUIRE_MESSAGE(tree.has_value(), text);
    return stripped(tree->root(), SearchKind::query);
  };
  BOOST_TEST(strip(R"({"query":1, "use_reranker":true})") == R"({"query":1})");
  BOOST_TEST(strip(R"( {"rerank":true,"query":1,"rerank_top_k":20 , "\u0072erank_query":"x"} )") ==
             R"( {"query":1} )");
  BOOST_TEST(strip(R"({"query":1,"params":{"rerank":true,"hnsw_ef":3}})") ==
             R"({"query":1,"params":{"hnsw_ef":3}})");
  BOOST_TEST(strip(R"({"query":1,"params":{"rerank":true}})") == R"({"query":1,"params":{}})");
  BOOST_TEST(strip(R"({"query":{"text":"t","model":"m","options":{"rerank":true}}})") ==
             R"({"query":{"text":"t","model":"m","options":{}}})");
  BOOST_TEST(strip(R"({"prefetch":[{"query":{"nearest":{"text":"t","options":{"a":1,"rerank":true}}}}]})") ==
             R"({"prefetch":[{"query":{"nearest":{"text":"t","options":{"a":1}}}}]})");
  // Elsewhere the names are content.
  for (
      const std::string text :
      {R"({"query":1,"filter":{"rerank":true},"x":{"rerank":true},"s":"rerank"})",
       R"({"query":{"nearest":[1],"rerank":true},"options":{"rerank":true}})",
       R"({"prefetch":{"params":{"rerank":true},"rerank":true},"query":{"image":"x","options":{"rerank":true}}})",
       R"({"reranker":true,"Rerank":true})", R"([{"rerank":true}])"}) {
    BOOST_TEST(strip(text) == text);
  }
  const SearchPlan planned =
      plan(R"({"rerank":true,"query":18446744073709551615,"limit":3})", SearchKind::query);
  BOOST_TEST(planned.own_body == R"({"query":18446744073709551615,"limit":3})");
  BOOST_TEST(planned.upstream_body == R"({"query":18446744073709551615,"limit":50,"with_payload":["text"]})");
}

BOOST_AUTO_TEST_CASE(every_other_byte_stays) {
  const std::string text =
      "\n{ \"x\":1,\"x\" : [1.0,-0,1e2,18446744073709551615] , "
      "\"limit\":3,\"filter\":{\"must\":[{\"key\":\"a\","
      "\"match\":{\"value\":9007199254740993}}]},\t\"query\":[0.10, 2E-1], \"u\":\"\\u00e9\xc3\xa9\", "
      "\"rerank\" : true } ";
  const std::string expected =
      "\n{ \"x\":1,\"x\" : [1.0,-0,1e2,18446744073709551615] , "
      "\"limit\":50,\"filter\":{\"must\":[{\"key\":\"a\","
      "\"match\":{\"value\":9007199254740993}}]},\t\"query\":[0.10, 2E-1], "
      "\"u\":\"\\u00e9\xc3\xa9\",\"with_payload\":["
      "\"text\"] } ";
  BOOST_TEST(plan(text, SearchKind::query).upstream_body == expected);
}

// Every combination of members, against edits of a parsed document.
BOOST_AUTO_TEST_CASE(equals_the_edited_document) {
  using Json = nlohmann::json;
  const std::vector<std::string> limits = {"", "3", "null", "80"};
  const std::vector<std::string> offsets = {"", "0", "7", "null"};
  const std::vector<std::string> payloads = {
      "", "true", "false", "null", "[\"a\"]", "[\"text\"]", "{\"exclude\":[\"b\"]}"};
  const std::vector<std::string> vectors = {"", "false", "true", "null", "[\"v\"]"};
  const std::vector<std::string> flags = {"", "\"rerank\":true",
                                          "\"use_reranker\" : true, \"rerank_top_k\":50"};
  for (const std::string& limit : limits) {
    for (const std::string& offset : offsets) {
      for (const std::string& payload : payloads) {
        for (const std::string& vector : vectors) {
          for (const std::string& flag : flags) {
            std::string text = "{\"query\" : [1]";
            const auto add = [&text](const std::string& key, const std::string& value) {
              text += value.empty() ? "" : " , \"" + key + "\": " + value;
            };
            add("limit", limit);
            text += flag.empty() ? "" : "," + flag;
            add("offset", offset);
            add("with_payload", payload);
            add("with_vectors", vector);
            text += "}";

            Json document = Json::parse(text);
            for (const char* key : {"rerank", "use_reranker", "rerank_top_k"}) {
              document.erase(key);
            }
            BOOST_TEST((Json::parse(plan(text, SearchKind::query).own_body) == document));
            const int own = limit == "3" ? 3 : limit == "80" ? 80 : 10;
            document["limit"] = std::max(50, own + (offset == "7" ? 7 : 0));
            if (!offset.empty()) {
              document["offset"] = 0;
            }
            if (!vector.empty()) {
              document["with_vectors"] = false;
            }
            const bool wants = vector == "true" || vector == "[\"v\"]";
            if (wants || payload.empty() || payload == "false" || payload == "null") {
              document["with_payload"] = {"text"};
            } else if (payload == "[\"a\"]") {
              document["with_payload"] = {"a", "text"};
            }
            const std::string upstream = plan(text, SearchKind::query).upstream_body;
            BOOST_TEST((Json::parse(upstream) == document), text << "\n became " << upstream);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(groups_are_widened_in_size_and_number) {
  struct Counts {
    std::uint64_t limit, group_size, top_k;  // the client's
    std::uint64_t sent_limit, sent_size;     // expected
    bool widened;
  };
  // group_size' = max(s, min(2s, k)); limit' = max(l, ceil(k / group_size'))
  const std::vector<Counts> cases = {
      {10, 3, 50, 10, 6, true},  {2, 3, 50, 9, 6, true},       {2, 1, 50, 25, 2, true},
      {1, 30, 50, 1, 50, true},  {1, 200, 50, 1, 200, false},  {7, 7, 11, 7, 11, true},
      {5, 50, 50, 5, 50, false}, {100, 49, 50, 100, 50, true}, {1, 25, 50, 1, 50, true},
      {3, 17, 200, 6, 34, true},
  };
  for (const Counts& one : cases) {
    const std::string text = R"({"query":1,"group_by":"g","group_size":)" + std::to_string(one.group_size) +
                             R"(,"limit":)" + std::to_string(one.limit) + "}";
    const SearchPlan made =
        plan(text, SearchKind::query, with_text_field(static_cast<std::int64_t>(one.top_k)), true);
    const std::string sent = R"({"query":1,"group_by":"g","group_size":)" + std::to_string(one.sent_size) +
                             R"(,"limit":)" + std::to_string(one.sent_limit) + R"(,"with_payload":["text"]})";
    BOOST_TEST(made.upstream_body == sent, text << " became " << made.upstream_body);
    BOOST_TEST(made.inner_widened == one.widened, text);
    BOOST_TEST((made.layout == HitLayout::groups));
    BOOST_TEST(made.limit == one.limit);
    BOOST_TEST(made.group_size == one.group_size);
    BOOST_TEST(made.own_body == text);
  }
  // Defaults, the largest numbers, and what groups do not know.
  BOOST_TEST(
      plan(R"({"query":1,"group_by":"g","group_size":null,"offset":7,"top":9})", SearchKind::query,
           with_text_field(), true)
          .upstream_body ==
      R"({"query":1,"group_by":"g","group_size":6,"offset":7,"top":9,"limit":10,"with_payload":["text"]})");
  const std::string most = R"({"query":1,"limit":18446744073709551615,"group_size":18446744073709551615})";
  BOOST_TEST(plan(most, SearchKind::query, with_text_field(), true).upstream_body ==
             most.substr(0, most.size() - 1) + R"(,"with_payload":["text"]})");
  // Qdrant multiplies the limits of prefetches by the group size, but not the pool of mmr.
  BOOST_TEST(
      plan(
          R"({"prefetch":{"query":1,"limit":3},"query":{"nearest":2,"mmr":{"candidates_limit":5}},"limit":2,"group_size":2})",
          SearchKind::query, with_text_field(), true)
          .upstream_body ==
      R"({"prefetch":{"query":1,"limit":13},"query":{"nearest":2,"mmr":{"candidates_limit":52}},"limit":13,"group_size":4,"with_payload":["text"]})");
}

BOOST_AUTO_TEST_CASE(groups_that_qdrant_refuses) {
  const auto refused = [](const std::string& text, SearchKind kind) {
    const auto tree = JsonTree::parse(text);
    return !read_search(tree->root(), kind, true).refused.empty();
  };
  for (const char* text :
       {R"({"query":1,"group_size":0})", R"({"query":1,"group_size":2.0})", R"({"query":1,"group_size":-1})",
        R"({"query":1,"group_by":"a","group_by":"a"})", R"({"query":1,"group_size":1,"group_size":1})",
        R"({"query":1,"with_lookup":"a","with_lookup":"b"})", R"({"query":1,"limit":0})"}) {
    BOOST_TEST(refused(text, SearchKind::query), text);
  }
  // The older endpoints have no defaults, and `top` is none of their names here.
  for (const char* text :
       {R"({"vector":[1],"group_by":"g","limit":1})", R"({"vector":[1],"group_by":"g","group_size":1})",
        R"({"vector":[1],"group_by":"g","group_size":null,"limit":1})",
        R"({"vector":[1],"group_by":"g","group_size":1,"top":1})"}) {
    BOOST_TEST(refused(text, SearchKind::search), text);
  }
  BOOST_TEST(!refused(R"({"vector":[1],"group_by":"g","group_size":1,"limit":1,"offset":1,"offset":"x"})",
                      SearchKind::search));
}

BOOST_AUTO_TEST_SUITE_END()

// Whole bodies of batches and groups against a slow reference: rewrite-then-parse equals edit-the-DOM-then-
// parse, every search with random members, options, spellings and white space.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "proxy/rewrite/request.hpp"
#include "proxy/rewrite/request_batch.hpp"

using namespace qrerank::proxy::rewrite;
namespace reranker = qrerank::reranker;

namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kTopK = 50;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }
  std::string one_of(const std::vector<std::string>& from) { return from[below(from.size())]; }
  std::string space() { return one_of({"", "", "", " ", "\n\t"}); }

  std::string member(const std::string& key, const std::string& value) {
    std::string spelled = key;
    if (below(8) == 0) {
      static constexpr char kHex[] = "0123456789abcdef";
      spelled = std::string("\\u00") + kHex[key[0] >> 4] + kHex[key[0] & 15] + key.substr(1);
    }
    return space() + "\"" + spelled + "\"" + space() + ":" + space() + value + space();
  }

  // Members in random order; `may` stand there or not.
  std::string object(std::vector<std::string> members, const std::vector<std::string>& may) {
    for (const std::string& one : may) {
      if (below(3) == 0) {
        members.push_back(one);
      }
    }
    std::shuffle(members.begin(), members.end(), random_);
    std::string text = "{";
    for (const std::string& one : members) {
      text += (text.size() > 1 ? "," : "") + one;
    }
    return text + "}";
  }

  std::string count() { return one_of({"1", "7", "49", "50", "51", "300", "null"}); }

  std::string prefetch(int depth) {
    std::vector<std::string> may = {member("limit", count()), member("filter", R"({"must":[]})")};
    if (depth < 2) {
      may.push_back(member("prefetch", prefetch(depth + 1)));
      may.push_back(member("x", R"({"rerank":true,"limit":1})"));
    }
    const std::string one = object({member("query", "[1.0,-0.0]")}, may);
    return below(2) == 0 ? one : "[" + one + "," + space() + "{}]";
  }

  std::string search(bool groups) {
    const std::string document = object({member("text", R"("a fox")"), member("model", R"("m")")},
                                        {member("options", R"({"a":1,"rerank_top_k":50 ,"b":2})")});
    const std::string query =
        one_of({"7", document, R"({"nearest":)" + document + "}", "[0.1e1,2]",
                R"({"nearest":[1],"mmr":{"diversity":0.5,"candidates_limit":9}})", R"({"fusion":"rrf"})"});
    std::vector<std::string> may = {
        member("limit", count()),
        member("with_payload", one_of({"true", "false", "null", R"(["text"])", R"(["t","text.x"])",
                                       R"({"exclude":["text","b"]})", R"({"include":["a"]})"})),
        member(one_of({"with_vector", "with_vectors"}), one_of({"true", "false", R"(["a"])", "null"})),
        member("prefetch", prefetch(0)),
        member("rerank_top_k", "50"),
        member("use_reranker", "true"),
        member("rerank", "true"),
        member("params",
               one_of({R"({"exact":true})", R"({"rerank_query":"q" , "hnsw_ef":9007199254740993})"})),
        member("unknown", R"({"limit":1,"rerank":[18446744073709551615,1e-7]})"),
        member("filter", R"({"must":[{"key":"rerank","match":{"value":"use_reranker"}}]})"),
    };
    if (groups) {
      may.push_back(member("group_size", count()));
      may.push_back(member("with_lookup", R"("other")"));
    } else {
      may.push_back(member("offset", one_of({"0", "3", "null"})));
    }
    return object({member("query", query)}, may);
  }

 private:
  std::mt19937 random_;
};

bool is_option(const std::string& key) {
  return reranker::find_option(key) != nullptr;
}

void erase_options(Json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) {
    if (is_option(key)) {
      names.push_back(key);
    }
  }
  for (const std::string& name : names) {
    object.erase(name);
  }
}

std::uint64_t asked(const Json& object, const char* key, std::uint64_t otherwise) {
  return object.contains(key) && !object[key].is_null() ? object[key].get<std::uint64_t>() : otherwise;
}

void erase_document_options(Json& object) {
  for (Json* at : {&object, object.contains("query") ? &object["query"] : nullptr}) {
    const char* key = at == &object ? "query" : "nearest";
    if (at != nullptr && at->is_object() && at->contains(key) && (*at)[key].is_object() &&
        (*at)[key].contains("text") && (*at)[key].contains("options")) {
      erase_options((*at)[key]["options"]);
    }
  }
}

// What the contract asks for, on the DOM; what is asked of the payload stands in tests of its own.
Json own(Json search) {
  erase_options(search);
  if (search.contains("params")) {
    erase_options(search["params"]);
  }
  erase_document_options(search);
  return search;
}

void raise_prefetches(Json& holder, std::uint64_t limit) {
  if (!holder.contains("prefetch")) {
    return;
  }
  Json& list = holder["prefetch"];
  for (Json* one = list.is_array() ? &*list.begin() : &list;;) {
    if (asked(*one, "limit", 10) < limit) {
      (*one)["limit"] = limit;
    }
    raise_prefetches(*one, limit);
    if (!list.is_array() || one == &list.back()) {
      return;
    }
    ++one;
  }
}

Json widened(Json search, bool groups, const Json& with_payload) {
  search = own(std::move(search));
  std::uint64_t limit = asked(search, "limit", 10);
  std::uint64_t size = 1;
  if (groups) {
    const std::uint64_t own_size = asked(search, "group_size", 3);
    size = std::max(own_size, std::min(2 * own_size, kTopK));
    limit = std::max(limit, (kTopK + size - 1) / size);
    search["group_size"] = size;
  } else {
    limit = std::max(kTopK, limit + asked(search, "offset", 0));
    if (search.contains("offset")) {
      search["offset"] = 0;
    }
  }
  search["limit"] = limit;
  raise_prefetches(search, limit);
  if (search["query"].is_object() && search["query"].contains("mmr")) {
    Json& pool = search["query"]["mmr"]["candidates_limit"];
    // 16384 is the most that Qdrant takes.
    pool = std::max(pool.get<std::uint64_t>(), std::min<std::uint64_t>(limit * size, 16'384));
  }
  for (const char* name : {"with_vector", "with_vectors"}) {
    if (search.contains(name)) {
      search[name] = false;
    }
  }
  if (!with_payload.is_null()) {
    search["with_payload"] = with_payload;
  }
  return search;
}

// Order of members aside: nlohmann's plain json.
nlohmann::json plain(const Json& json) {
  return nlohmann::json::parse(json.dump());
}

SearchPlan planned(const JsonValue& search, bool groups) {
  const SearchShape shape = read_search(search, SearchKind::query, groups);
  BOOST_REQUIRE_MESSAGE(shape.refused.empty(), search.raw() << ": " << shape.refused);
  reranker::Options options;
  options.top_k = kTopK;
  options.fields = std::vector<std::string>{"text"};
  auto plan = plan_search(shape, {.options = std::move(options), .limits = {}, .query_text = "q"});
  BOOST_REQUIRE_MESSAGE(plan.has_value(), search.raw());
  return std::move(*plan);
}

// The payload selector that was sent, to be put into the reference.
Json sent_payload(const Json& sent) {
  return sent.contains("with_payload") ? sent["with_payload"] : Json();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(request_batch)

BOOST_AUTO_TEST_CASE(batches_equal_the_slow_reference) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Generator random(seed);
      std::string list = "[";
      const std::size_t count = random.below(5);
      for (std::size_t i = 0; i < count; ++i) {
        list += (i > 0 ? "," : "") + random.space() + random.search(false) + random.space();
      }
      const std::string text = random.object(
          {random.member("searches", list + "]")},
          {random.member("rerank_query", R"("a \"fox\"")"), random.member("use_reranker", "true"),
           random.member("rerank", "true"), random.member("x", R"({"rerank":[1.0]})")});
      const auto tree = JsonTree::parse(text);
      BOOST_REQUIRE_MESSAGE(tree.has_value(), text);
      const auto searches = searches_of(tree->root());
      BOOST_REQUIRE(searches.has_value());
      BOOST_REQUIRE_EQUAL(searches->size(), count);

      Json expected = Json::parse(text);
      Json stripped = expected;
      erase_options(expected);
      erase_options(stripped);
      std::vector<PlannedSearch> plans;
      std::vector<bool> reranked;
      for (std::size_t i = 0; i < count; ++i) {
        reranked.push_back(random.below(3) > 0);
        stripped["searches"][i] = own(stripped["searches"][i]);
        if (reranked.back()) {
          plans.emplace_back(planned((*searches)[i], false));
          const auto& plan = std::get<SearchPlan>(plans.back());
          BOOST_TEST((plain(Json::parse(plan.own_body)) == plain(stripped["searches"][i])));
        } else {
          plans.emplace_back(
              PassingSearch{.own_body = ::stripped((*searches)[i], SearchKind::query), .no_query = false});
        }
      }
      const RequestPlan plan = batch_plan(tree->root(), HitLayout::points, std::move(plans));
      const Json sent = Json::parse(plan.upstream_body);
      for (std::size_t i = 0; i < count; ++i) {
        Json& one = expected["searches"][i];
        one = reranked[i] ? widened(one, false, sent_payload(sent["searches"][i])) : own(one);
      }
      BOOST_TEST((plain(sent) == plain(expected)), text << "\n became " << plan.upstream_body);
      BOOST_TEST((plain(Json::parse(stripped_batch(tree->root(), SearchKind::query))) == plain(stripped)),
                 text);
    }
  }
}

BOOST_AUTO_TEST_CASE(groups_equal_the_slow_reference) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Generator random(seed + 1000);
      const std::string text = random.search(true);
      const auto tree = JsonTree::parse(text);
      BOOST_REQUIRE_MESSAGE(tree.has_value(), text);
      const SearchPlan plan = planned(tree->root(), true);
      const Json sent = Json::parse(plan.upstream_body);
      const Json expected = widened(Json::parse(text), true, sent_payload(sent));
      BOOST_TEST((plain(sent) == plain(expected)), text << "\n became " << plan.upstream_body);
      BOOST_TEST((plain(Json::parse(plan.own_body)) == plain(own(Json::parse(text)))), text);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

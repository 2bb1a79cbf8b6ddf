#include "proxy/rewrite/candidates.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "one_result.hpp"

using namespace qrerank::proxy::rewrite;

namespace {

constexpr std::uint64_t kTopK = 50;

TextFields fields(const std::vector<std::string>& paths, bool first_non_empty = false) {
  return TextFields::parse(paths, first_non_empty).value();
}

Answer taken(std::string body, HitLayout layout = HitLayout::list, std::uint64_t top_k = kTopK) {
  auto set = extract_one(std::move(body), layout, fields({"text"}), top_k);
  BOOST_REQUIRE_MESSAGE(set.has_value(), (set ? "" : set.error().why));
  return std::move(*set);
}

std::string text_of(const std::string& payload, const TextFields& by) {
  auto set = extract_one(R"({"result":[{"id":1,"score":1.0,"payload":)" + payload + "}]}", HitLayout::list,
                         by, kTopK);
  BOOST_REQUIRE_MESSAGE(set.has_value(), (set ? "" : set.error().why));
  return std::string(set->sets.at(0).candidates.at(0).text);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(candidates_suite)

BOOST_AUTO_TEST_CASE(an_answer_comes_apart_into_its_own_bytes) {
  const std::string first =
      R"({"id":18446744073709551615,"version":1,"score":0.99248314,"payload":{"text":"a","u64":18446744073709551615},"shard_key":"x"})";
  const std::string second = R"({"id":"5c56c793-69f3-4fbf-87e6-c4bf54c28c26","version":1,"score":null})";
  const std::string tail = R"(],"status":"ok","time":2.664e-6,"usage":{"hardware":{"cpu":1}})";
  const Answer answer = taken(R"({"result":[)" + first + "," + second + tail + "}");
  const CandidateSet& set = answer.sets.at(0);
  BOOST_TEST(before_hits(answer) == R"({"result":[)");
  BOOST_TEST(behind_hits(answer) == tail);
  BOOST_REQUIRE_EQUAL(set.candidates.size(), 2U);
  const Candidate& a = set.candidates[0];
  BOOST_TEST(a.point == first);
  BOOST_TEST(a.id == "18446744073709551615");
  BOOST_TEST(a.score == "0.99248314");
  BOOST_TEST(a.vector_score.value() == 0.99248314);
  BOOST_TEST(a.payload == R"({"text":"a","u64":18446744073709551615})");
  BOOST_TEST(a.text == "a");
  BOOST_TEST(set.members_of(a).size() == 5U);
  const Candidate& b = set.candidates[1];
  BOOST_TEST(b.id == R"("5c56c793-69f3-4fbf-87e6-c4bf54c28c26")");
  BOOST_TEST(b.score == "null");
  BOOST_TEST(!b.vector_score.has_value());
  BOOST_TEST(b.payload.empty());
  BOOST_TEST(!b.has_text());
}

BOOST_AUTO_TEST_CASE(hits_below_points) {
  const Answer answer =
      taken(R"({"result":{"points":[{"id":1,"score":1}],"x":2},"status":"ok"})", HitLayout::points);
  const CandidateSet& set = answer.sets.at(0);
  BOOST_TEST(before_hits(answer) == R"({"result":{"points":[)");
  BOOST_TEST(behind_hits(answer) == R"(],"x":2},"status":"ok")");
  BOOST_TEST(set.head == R"({"points":[)");
  BOOST_TEST(set.tail == R"(],"x":2})");
  BOOST_TEST(set.candidates.size() == 1U);
}

BOOST_AUTO_TEST_CASE(white_space_is_no_part_of_a_slice) {
  const Answer answer =
      taken(" {\n \"result\" : [ { \"id\" : 7 , \"score\" : 0.5 ,\t\"payload\" : { } } , {\"id\":8} ] } \n");
  const CandidateSet& set = answer.sets.at(0);
  BOOST_TEST(before_hits(answer) == " {\n \"result\" : [");
  BOOST_TEST(behind_hits(answer) == "] ");
  BOOST_TEST(set.candidates.at(0).id == "7");
  BOOST_TEST(set.candidates.at(0).score == "0.5");
  BOOST_TEST(set.candidates.at(0).payload == "{ }");
  BOOST_TEST(set.candidates.at(0).point == "{ \"id\" : 7 , \"score\" : 0.5 ,\t\"payload\" : { } }");
  BOOST_TEST(set.candidates.at(1).score.empty());
}

BOOST_AUTO_TEST_CASE(no_hits_are_no_error) {
  BOOST_TEST(taken(R"({"result":[],"status":"ok","time":0.1})").sets.at(0).candidates.empty());
  BOOST_TEST(
      taken(R"({"result":{"points":[]},"time":0.1})", HitLayout::points).sets.at(0).candidates.empty());
}

BOOST_AUTO_TEST_CASE(unexpected_answers_are_errors) {
  const std::vector<std::string> bodies = {
      "",
      " ",
      "null",
      "[]",
      "\"x\"",
      "{}",
      "{",
      "}",
      R"({"status":{"error":"x"},"time":0.1})",
      R"({"result":null})",
      R"({"result":true})",
      R"({"result":{}})",
      R"({"result":{"points":[]}})",
      R"({"result":[1]})",
      R"({"result":[null]})",
      R"({"result":[[]]})",
      R"({"result":[{}]})",
      R"({"result":[{"id":null}]})",
      R"({"result":[{"id":{}}]})",
      R"({"result":[{"id":true}]})",
      R"({"result":[{"id":12x}]})",
      R"({"result":[{"id":1,"id":2}]})",
      R"({"result":[{"id":1,"score":"1"}]})",
      R"({"result":[{"id":1,"score":{}}]})",
      R"({"result":[{"id":1,"score":nul}]})",
      R"({"result":[{"id":1,"payload":[]}]})",
      R"({"result":[{"id":1,"payload":"x"}]})",
      R"({"result":[{"id":1,"payload":{"text":]}}]})",
      R"({"result":[{"id":1,}]})",
      R"({"result":[{"id":1} {"id":2}]})",
      R"({"result":[{"id":1}})",
      R"({"result":[],"result":[]})",
      R"({"result":[]} {})",
      R"({"result":[]}})",
      R"({"result":[]}x)",
      R"({"result":[)",
      "{\"result\":[{\"id\":1,\"payload\":{\"text\":\"\xff\"}}]}",
  };
  for (const std::string& body : bodies) {
    BOOST_TEST_CONTEXT(body) {
      const auto set = extract_one(body, HitLayout::list, fields({"text"}), kTopK);
      BOOST_REQUIRE(!set.has_value());
      BOOST_TEST(!set.error().why.empty());
      BOOST_TEST(set.error().body == body);
    }
  }
  for (const char* body : {R"({"result":[]})", R"({"result":{}})", R"({"result":{"points":{}}})",
                           R"({"result":{"points":[],"points":[]}})"}) {
    BOOST_TEST(!extract_one(body, HitLayout::points, fields({"text"}), kTopK).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_score_beyond_a_double_is_unknown) {
  const Answer answer = taken(R"({"result":[{"id":1,"score":1e999},{"id":2,"score":-1E+2}]})");
  const CandidateSet& set = answer.sets.at(0);
  BOOST_TEST(!set.candidates[0].vector_score.has_value());
  BOOST_TEST(set.candidates[0].score == "1e999");
  BOOST_TEST(set.candidates[1].vector_score.value() == -100.0);
}

BOOST_AUTO_TEST_CASE(texts_are_read_for_the_first_top_k_only) {
  const Answer answer = taken(
      R"({"result":[{"id":1,"payload":{"text":"a"}},{"id":2,"payload":{"text":"b"}},{"id":3,"payload":{"text":"c"}}]})",
      HitLayout::list, 2);
  const CandidateSet& set = answer.sets.at(0);
  BOOST_TEST(set.candidates[1].text == "b");
  BOOST_TEST(!set.candidates[2].has_text());
  BOOST_TEST(set.candidates[2].payload == R"({"text":"c"})");
}

BOOST_AUTO_TEST_CASE(which_values_give_text) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"text":"a fox"})", "a fox"},
      {R"({"text":""})", ""},
      {R"({"text":" \n\u00a0"})", ""},
      {R"({"text":null})", ""},
      {R"({"text":true})", ""},
      {R"({"text":12.50})", "12.50"},
      {R"({"text":18446744073709551615})", "18446744073709551615"},
      {R"({"text":{"a":"b"}})", ""},
      {R"({"text":["x"," ","y",3,null,true,{"a":"b"},["z"]]})", "x\ny\n3"},
      {R"({"text":[]})", ""},
      {R"({"text":"\ud83d tail"})", "\xef\xbf\xbd tail"},
      {R"({"t\u0065xt":"escaped key"})", "escaped key"},
      {R"({"text":"first","text":"second"})", "first"},
      {R"({"other":{"text":"x"}})", ""},
      {R"({"text":[{"text":"x"}]})", ""},
      {R"({})", ""},
  };
  for (const auto& [payload, text] : cases) {
    BOOST_TEST_CONTEXT(payload) {
      BOOST_TEST(text_of(payload, fields({"text"})) == text);
    }
  }
}

BOOST_AUTO_TEST_CASE(paths_into_a_payload) {
  const std::string payload =
      R"({"chunks":[{"text":"one","n":1,"m":{"x":1}},{"text":"two","n":2},{"other":3}],"meta":{"title":"t","a":{"b":{"c":1,"d":2}},"list":[1,2,3]},"dotted.key":"dk","sp ace":"s","text":"top","nest":[["deep"],["er"]]})";
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"meta.title"}, "t"},
      {{"meta.a.b.c"}, "1"},
      {{"meta.list"}, "1\n2\n3"},
      {{"meta.list[]"}, "1\n2\n3"},
      {{"meta.list[1]"}, "2"},
      {{"meta.list[3]"}, ""},
      {{"chunks[].text"}, "one\ntwo"},
      {{"chunks[0].text"}, "one"},
      {{"chunks[2].other"}, "3"},
      {{"chunks.text"}, ""},
      {{"chunks[]"}, ""},
      {{"\"dotted.key\""}, "dk"},
      {{"dotted.key"}, ""},
      {{"\"sp ace\""}, "s"},
      {{"text.sub"}, ""},
      {{"text[]"}, ""},
      {{"text[0]"}, ""},
      {{"meta"}, ""},
      {{"nest"}, ""},
      {{"nest[]"}, "deep\ner"},
      {{"nest[][0]"}, "deep\ner"},
      {{"text", "meta.title", "nope", "chunks[].text"}, "top\nt\none\ntwo"},
      {{"chunks[].text", "text"}, "one\ntwo\ntop"},
      {{"meta.title", "meta.list"}, "t\n1\n2\n3"},
      {{"text", "text"}, "top\ntop"},
  };
  for (const auto& [paths, text] : cases) {
    BOOST_TEST_CONTEXT(paths.front()) {
      BOOST_TEST(text_of(payload, fields(paths)) == text);
    }
  }
}

BOOST_AUTO_TEST_CASE(of_a_name_twice_the_first_counts_below_the_top_too) {
  BOOST_TEST(text_of(R"({"m":{"a":"x","b":"z","a":"y"}})", fields({"m.a"})) == "x");
}

BOOST_AUTO_TEST_CASE(the_first_field_that_has_text) {
  const TextFields defaults = fields({"content", "text", "document", "page_content"}, true);
  BOOST_TEST(text_of(R"({"page_content":"p","text":"t"})", defaults) == "t");
  BOOST_TEST(text_of(R"({"content":" ","text":"","document":"d","page_content":"p"})", defaults) == "d");
  BOOST_TEST(text_of(R"({"content":{"a":1},"page_content":"p"})", defaults) == "p");
  BOOST_TEST(text_of(R"({"title":"x"})", defaults) == "");
}

BOOST_AUTO_TEST_CASE(a_path_that_names_an_object_is_told) {
  auto set = extract_one(R"({"result":[{"id":1,"payload":{"m":{"a":"b"}}}]})", HitLayout::list,
                         fields({"text", "m"}), kTopK);
  BOOST_TEST(set.value().sets.at(0).object_path == "m");
  set = extract_one(R"({"result":[{"id":1,"payload":{"m":["b"]}}]})", HitLayout::list, fields({"m"}), kTopK);
  BOOST_TEST(set.value().sets.at(0).object_path.empty());
}

BOOST_AUTO_TEST_CASE(a_moved_set_keeps_its_views) {
  Answer answer = taken(R"({"result":[{"id":5,"payload":{"text":"a\n"}}]})");
  const std::vector<int> filler(64);
  const Answer moved = std::move(answer);
  const Candidate& hit = moved.sets.at(0).candidates.at(0);
  BOOST_TEST(hit.id == "5");
  BOOST_TEST(hit.text == "a\n");
  BOOST_TEST((hit.id.data() > moved.body->data()));
}

BOOST_AUTO_TEST_SUITE_END()

#include "proxy/rewrite/response.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "one_result.hpp"

using namespace qrerank::proxy::rewrite;
using std::chrono::microseconds;

namespace {

Answer taken(const std::string& body, HitLayout layout = HitLayout::list) {
  return extract_one(body, layout, TextFields::parse(std::vector<std::string>{"text"}, true).value(), 50)
      .value();
}

Report reranked() {
  Report report;
  report.used = true;
  report.model = "minilm";
  report.candidates = 2;
  report.spent = Spent{
      .upstream = microseconds(1500),
      .scoring = {.tokenize = microseconds(1000), .queue = microseconds(45), .compute = microseconds(11300)}};
  return report;
}

Report fell_back(std::string reason) {
  Report report;
  report.reason = std::move(reason);
  return report;
}

Projection whole() {
  Projection made;
  made.payload = Projection::Payload::whole;
  return made;
}

constexpr const char* kOurs =
    R"("reranking_used":true,"reranker_model":"minilm","reranking_time_ms":12.345,"reranking_candidates":2)";

}  // namespace

BOOST_AUTO_TEST_SUITE(response_suite)

BOOST_AUTO_TEST_CASE(a_reranked_answer) {
  const Answer set = taken(
      R"({"result":[{"id":1,"version":1,"score":0.9},{"id":2,"version":1,"score":0.8}],"status":"ok","time":2.664e-6,"usage":{"inference":null}})");
  const std::vector<Ranked> page = {{.hit = 1, .score = ScoreText(0.7), .rerank_score = ScoreText(0.7)},
                                    {.hit = 0, .score = ScoreText(0.5), .rerank_score = ScoreText(0.5)}};
  BOOST_TEST(
      reranked_one(set, page, whole(), nullptr, reranked()) ==
      std::string(
          R"({"result":[{"id":2,"version":1,"score":0.7,"vector_score":0.8,"rerank_score":0.7},{"id":1,"version":1,"score":0.5,"vector_score":0.9,"rerank_score":0.5}],"status":"ok","time":2.664e-6,"usage":{"inference":null},)") +
          kOurs + "}");
}

BOOST_AUTO_TEST_CASE(an_answer_below_points_and_an_empty_page) {
  const Answer set =
      taken(R"({"result":{"points":[{"id":1,"score":0.9}]},"status":"ok","time":0.1})", HitLayout::points);
  BOOST_TEST(reranked_one(set, {}, whole(), nullptr, reranked()) ==
             std::string(R"({"result":{"points":[]},"status":"ok","time":0.1,)") + kOurs + "}");
  const Answer empty = taken(R"({"result":{"points":[]},"time":0.1})", HitLayout::points);
  BOOST_TEST(
      own_one(empty, vector_page(0, 0, 10), whole(), nullptr, fell_back("no_candidates")) ==
      R"({"result":{"points":[]},"time":0.1,"reranking_used":false,"reranking_reason":"no_candidates"})");
  Projection reread;
  reread.payload = Projection::Payload::reread;
  BOOST_TEST(reranked_one(empty, {}, reread, nullptr, reranked()).size() >
             0U);  // nothing to read, nothing missed
}

BOOST_AUTO_TEST_CASE(a_fallback_is_the_clients_own_page) {
  const Answer set = taken(
      R"({"result":[{"id":1,"score":0.9},{"id":2, "score":null},{"id":3,"score":0.7},{"id":4,"score":0.6}],"time":0.1})");
  BOOST_TEST(
      own_one(set, vector_page(set.sets.at(0).candidates.size(), 1, 2), whole(), nullptr,
              fell_back("timeout")) ==
      R"({"result":[{"id":2, "score":null},{"id":3,"score":0.7}],"time":0.1,"reranking_used":false,"reranking_reason":"timeout"})");
}

BOOST_AUTO_TEST_CASE(points_that_are_gone_leave_no_comma) {
  const Answer set = taken(R"({"result":[{"id":1},{"id":2},{"id":3}]})");
  Projection by;
  by.payload = Projection::Payload::reread;
  const auto page = vector_page(3, 0, 10);
  const auto check = [&](const char* records, const std::string& points) {
    const Reread reread = parse_reread(std::string(R"({"result":[)") + records + "]}").value();
    BOOST_TEST(own_one(set, page, by, &reread, fell_back("timeout")) ==
               R"({"result":[)" + points + R"(],"reranking_used":false,"reranking_reason":"timeout"})");
  };
  check(R"({"id":2})", R"({"id":2})");
  check(R"({"id":3},{"id":1})", R"({"id":1},{"id":3})");
  check(R"({"id":1},{"id":2})", R"({"id":1},{"id":2})");
  check("", "");
}

BOOST_AUTO_TEST_CASE(names_of_ours_come_out_once) {
  const std::string list =
      R"({"reranking_used":true,"result":[{"id":1}],"reranker_model":"x","reranking":[{}],"time":0.1,"reranking_reason":"y"})";
  const std::string points = R"({"result":{"points":[{"id":1}],"x":1},"reranking_used":true})";
  const auto page = vector_page(1, 0, 1);
  BOOST_TEST(own_one(taken(list), page, whole(), nullptr, fell_back("timeout")) ==
             R"({"result":[{"id":1}],"time":0.1,"reranking_used":false,"reranking_reason":"timeout"})");
  BOOST_TEST(own_one(taken(points, HitLayout::points), page, whole(), nullptr, fell_back("timeout")) ==
             R"({"result":{"points":[{"id":1}],"x":1},"reranking_used":false,"reranking_reason":"timeout"})");
  BOOST_TEST(annotate(list, fell_back("timeout")).value() ==
             R"({"result":[{"id":1}],"time":0.1,"reranking_used":false,"reranking_reason":"timeout"})");
}

BOOST_AUTO_TEST_CASE(an_answer_sent_again_is_annotated) {
  Report report = fell_back("overloaded");
  report.model = "m\"\\\n";
  const std::string ours =
      R"("reranking_used":false,"reranker_model":"m\"\\\u000a","reranking_reason":"overloaded"})";
  BOOST_TEST(annotate(R"({"result":{"groups":[]},"time":0.1})", report).value() ==
             R"({"result":{"groups":[]},"time":0.1,)" + ours);
  BOOST_TEST(annotate(" { \"a\" : 1 } \n", report).value() == " { \"a\" : 1 ," + ours);
  BOOST_TEST(annotate("{}", report).value() == "{" + ours);
  for (const char* bad : {"", "[]", "{", "1", "{}{}", R"({"a":})", R"({"a":1]})"}) {
    BOOST_TEST(!annotate(bad, report).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(headers_tell_what_the_body_tells) {
  using Headers = std::map<std::string, std::string>;
  const auto of = [](const Report& report) {
    Headers by_name;
    for (const auto& [name, value] : report_headers(report)) by_name[name] = value;
    return by_name;
  };
  const Headers used = {
      {"X-Reranking-Used", "true"},
      {"X-Reranker-Model", "minilm"},
      {"X-Reranking-Time-Ms", "12.345"},
      {"X-Reranking-Candidates", "2"},
      {"Server-Timing", "upstream;dur=1.500, tokenize;dur=1.000, queue;dur=0.045, compute;dur=11.300"}};
  BOOST_TEST((of(reranked()) == used));
  Report report = fell_back("timeout");
  report.model = "caf\xc3\xa9\r\n100%";
  report.spent = Spent{};
  const Headers fallback = {
      {"X-Reranking-Used", "false"},
      {"X-Reranking-Reason", "timeout"},
      {"X-Reranker-Model", "caf%C3%A9%0D%0A100%25"},
      {"Server-Timing", "upstream;dur=0.000, tokenize;dur=0.000, queue;dur=0.000, compute;dur=0.000"}};
  BOOST_TEST((of(report) == fallback));
  const Headers wish = {{"X-Reranking-Used", "false"}, {"X-Reranking-Reason", "no_query"}};
  BOOST_TEST((of(fell_back("no_query")) == wish));
}

BOOST_AUTO_TEST_SUITE_END()

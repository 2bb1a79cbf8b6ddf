// Every row of the contract's table of failures, through the data path: what the client gets by default and
// with `rerank_on_error: error`, and what Qdrant is asked for.
#include <zlib.h>

#include <array>
#include <limits>

#include "tests/unit/proxy/flow/fake_services.hpp"

using namespace flow_test;

namespace {

const std::string kHits = R"({"id":1,"version":0,"score":0.9,"payload":{"text":"ab"}},)"
                          R"({"id":2,"version":0,"score":0.8,"payload":{"text":"abcd"}})";
const std::string kFirst = R"({"id":1,"version":0,"score":0.9})";  // as the client's own request gives it

std::string answer_of(const std::string& hits) {
  return R"({"result":{"points":[)" + hits + R"(]},"status":"ok","time":0.1})";
}

std::string search(const std::string& more = "") {
  return R"({"query":[1.0],"limit":1,"use_reranker":true,"rerank_query":"q")" + more + "}";
}

// Widened inside as well: a fallback is not a cut of its candidates.
std::string hybrid(const std::string& more = "") {
  return R"({"prefetch":[{"query":[1.0]},{"query":[2.0]}],"query":{"fusion":"rrf"},"limit":1,)"
         R"("use_reranker":true,"rerank_query":"q")" +
         more + "}";
}
const std::string kOwnHybrid =
    R"({"prefetch":[{"query":[1.0]},{"query":[2.0]}],"query":{"fusion":"rrf"},"limit":1})";

const std::string kAsError = R"(,"rerank_on_error":"error")";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

tl::unexpected<upstream::UpstreamError> broken(upstream::UpstreamErrorKind kind) {
  return tl::unexpected(upstream::UpstreamError{kind, "upstream q: as told"});
}

std::string gzipped(const std::string& text) {
  z_stream stream{};
  BOOST_REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(text.size() + 128, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  BOOST_REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void check_fallback(const http::Reply& reply, const std::string& reason, const std::string& hits = kFirst) {
  BOOST_TEST_CONTEXT(reply.body) {
    BOOST_TEST(reply.status == 200u);
    BOOST_TEST(reply.kind == "fallback");
    BOOST_TEST(reply.body == R"({"result":{"points":[)" + hits +
                                 R"(]},"status":"ok","time":0.1,"reranking_used":false,)"
                                 R"("reranker_model":"mock","reranking_reason":")" +
                                 reason + "\"}");
    BOOST_TEST(header(reply.fields, "x-reranking-used") == "false");
    BOOST_TEST(header(reply.fields, "x-reranking-reason") == reason);
    BOOST_TEST(header(reply.fields, "x-reranker-model") == "mock");
    BOOST_TEST(header(reply.fields, "content-type") == "application/json");
  }
}

void check_refusal(const http::Reply& reply, const std::string& reason, unsigned status = 503) {
  BOOST_TEST_CONTEXT(reply.body) {
    BOOST_TEST(reply.status == status);
    BOOST_TEST(holds(reply.body, R"({"status":{"error":")"));
    BOOST_TEST(holds(reply.body, reason));
    BOOST_TEST(holds(reply.failure, reason));
    BOOST_TEST(header(reply.fields, "retry-after").empty() == (status == 507));
    BOOST_TEST(header(reply.fields, "x-reranking-used") == "false");
    BOOST_TEST(header(reply.fields, "x-reranking-reason") == reason);
  }
}

struct Failed {
  ScoreFailure failure;
  std::string reason;
  unsigned status;
};
const std::array kFailures = {
    Failed{ScoreFailure::overloaded, "overloaded", 503},
    Failed{ScoreFailure::timeout, "timeout", 503},
    Failed{ScoreFailure::model_unavailable, "model_unavailable", 503},
    Failed{ScoreFailure::out_of_memory, "out_of_memory", 507},
    Failed{ScoreFailure::backend_error, "backend_error", 503},
    Failed{ScoreFailure::internal, "internal", 503},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(failures_suite)

BOOST_AUTO_TEST_CASE(a_bad_option_is_400_and_qdrant_is_not_asked) {
  for (const std::string& more : {std::string(), kAsError}) {
    Driver driver;
    const auto reply = driver.reply(search(R"(,"rerank_top_k":7)" + more));
    BOOST_TEST(reply.status == 400u);
    BOOST_TEST(reply.kind == "refused");
    BOOST_TEST(holds(reply.body, "rerank_top_k"));
    BOOST_TEST(driver.qdrant.asked.empty());
  }
  Driver driver;
  const std::vector<http::FieldView> fields = {{"X-Rerank", "perhaps"}};
  driver.fields = fields;
  BOOST_TEST(driver.reply("{}").status == 400u);
  BOOST_TEST(driver.qdrant.asked.empty());
}

BOOST_AUTO_TEST_CASE(an_upstream_that_fails_is_502_or_504) {
  using enum upstream::UpstreamErrorKind;
  const std::array<std::pair<upstream::UpstreamErrorKind, unsigned>, 5> kinds = {
      {{connect_refused, 502}, {connect_timeout, 504}, {timeout, 504}, {cut_off, 502}, {malformed, 502}}};
  for (const auto& [kind, status] : kinds) {
    for (const std::string& more : {std::string(), kAsError}) {
      Driver driver;
      driver.qdrant.answers.push_back(broken(kind));
      const auto reply = driver.reply(search(more));
      BOOST_TEST(reply.status == status);
      BOOST_TEST(holds(reply.body, R"({"status":{"error":"upstream q: as told"})"));
      BOOST_TEST(reply.failure == "upstream q: as told");
      BOOST_TEST(header(reply.fields, "x-reranking-used") == "");
      BOOST_TEST(driver.scorer.asked.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(an_answer_too_large_to_hold_is_streamed_as_the_client_would_have_it) {
  Driver driver;
  driver.target += "?rerank_top_k=20&timeout=3";
  const std::vector<http::FieldView> fields = {{"X-Rerank-Weight", "1"}, {"api-key", "k"}};
  driver.fields = fields;
  driver.qdrant.answers.push_back(broken(upstream::UpstreamErrorKind::too_large));
  const auto pass = driver.passed(hybrid());
  BOOST_TEST(pass.body == kOwnHybrid);
  BOOST_TEST(pass.target.value() == "/collections/c/points/query?timeout=3");
  BOOST_TEST(header(pass.fields.value(), "x-rerank-weight") == "");
  BOOST_TEST(header(pass.fields.value(), "api-key") == "k");
  BOOST_TEST(header(pass.response_headers, "x-reranking-used") == "false");
  BOOST_TEST(header(pass.response_headers, "x-reranking-reason") == "internal");
  BOOST_TEST(driver.scorer.asked.empty());

  Driver strict;
  strict.qdrant.answers.push_back(broken(upstream::UpstreamErrorKind::too_large));
  const auto reply = strict.reply(search(kAsError));
  BOOST_TEST(reply.status == 502u);
  BOOST_TEST(holds(reply.body, R"({"status":{"error":"upstream q: as told"})"));
}

BOOST_AUTO_TEST_CASE(what_qdrant_answered_passes) {
  for (const std::string& more : {std::string(), kAsError}) {
    Driver driver;
    upstream::Response refusal = ok(R"({"status":{"error":"no"},"time":0.0})", {{"retry-after", "3"}});
    refusal.status = 429;
    refusal.reason = "Slow Down";
    driver.qdrant.answers.push_back(refusal);
    const auto reply = driver.reply(search(more));
    BOOST_TEST(reply.status == 429u);
    BOOST_TEST(reply.reason == "Slow Down");
    BOOST_TEST(reply.body == refusal.body);
    BOOST_TEST((reply.fields == refusal.fields));
  }
}

BOOST_AUTO_TEST_CASE(scoring_that_fails_gives_a_cut_of_the_candidates) {
  for (const Failed& one : kFailures) {
    Driver driver;
    driver.scorer.failure = one.failure;
    driver.qdrant.answers.push_back(ok(answer_of(kHits)));
    check_fallback(driver.reply(search()), one.reason);
    BOOST_TEST(driver.qdrant.asked.size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(scoring_that_fails_asks_again_where_more_than_the_limit_was_widened) {
  for (const Failed& one : kFailures) {
    Driver driver;
    driver.scorer.failure = one.failure;
    driver.qdrant.answers.push_back(ok(answer_of(kHits)));
    driver.qdrant.answers.push_back(ok(answer_of(kFirst)));
    check_fallback(driver.reply(hybrid()), one.reason);
    BOOST_REQUIRE(driver.qdrant.asked.size() == 2u);
    BOOST_TEST(driver.qdrant.asked[1].body == kOwnHybrid);
  }
  Driver driver;  // asked again, and now it fails
  driver.scorer.failure = ScoreFailure::timeout;
  driver.qdrant.answers.push_back(ok(answer_of(kHits)));
  driver.qdrant.answers.push_back(broken(upstream::UpstreamErrorKind::cut_off));
  BOOST_TEST(driver.reply(hybrid()).status == 502u);
}

BOOST_AUTO_TEST_CASE(scoring_that_fails_is_an_error_where_that_is_asked_for) {
  for (const Failed& one : kFailures) {
    for (const std::string& body : {search(kAsError), hybrid(kAsError)}) {
      Driver driver;
      driver.scorer.failure = one.failure;
      driver.qdrant.answers.push_back(ok(answer_of(kHits)));
      check_refusal(driver.reply(body), one.reason, one.status);
      BOOST_TEST(driver.qdrant.asked.size() == 1u);
    }
  }
}

BOOST_AUTO_TEST_CASE(scores_that_are_none_count_as_a_failure) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::vector<double>& logits : {std::vector<double>{nan, 1.0}, {}, {1.0, 2.0, 3.0}}) {
    Driver driver;
    driver.scorer.logits = logits;
    driver.qdrant.answers.push_back(ok(answer_of(kHits)));
    check_fallback(driver.reply(search()), "internal");
    Driver strict;
    strict.scorer.logits = logits;
    strict.qdrant.answers.push_back(ok(answer_of(kHits)));
    check_refusal(strict.reply(search(kAsError)), "internal");
  }
}

BOOST_AUTO_TEST_CASE(nothing_to_judge_is_never_an_error) {
  const std::string blank = R"({"id":1,"version":0,"score":0.9,"payload":{"text":" \n\t"}})";
  for (const std::string& more : {std::string(), kAsError}) {
    Driver empty;
    empty.qdrant.answers.push_back(ok(answer_of("")));
    check_fallback(empty.reply(search(more)), "no_candidates", "");
    Driver mute;
    mute.qdrant.answers.push_back(ok(answer_of(blank)));
    check_fallback(mute.reply(search(more)), "no_text");
    BOOST_TEST(mute.scorer.asked.empty());
    Driver widened;
    widened.qdrant.answers.push_back(ok(answer_of(blank)));
    widened.qdrant.answers.push_back(ok(answer_of(kFirst)));
    check_fallback(widened.reply(hybrid(more)), "no_text");
    BOOST_TEST(widened.qdrant.asked.size() == 2u);
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_takes_its_texts_with_it) {
  Driver driver;
  driver.scorer.answers = false;
  driver.qdrant.answers.push_back(ok(answer_of(kHits)));
  static_cast<void>(driver.run(search(), true));
  BOOST_TEST(driver.scorer.asked.size() == 1u);
  BOOST_TEST(driver.scorer.dropped == 1);
  BOOST_TEST(driver.qdrant.asked.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_second_read_that_fails_ends_the_search) {
  for (const auto failure : {std::optional<ScoreFailure>(), std::optional(ScoreFailure::timeout)}) {
    Driver cut;
    cut.scorer.failure = failure;
    cut.qdrant.answers.push_back(ok(answer_of(kHits)));
    cut.qdrant.answers.push_back(broken(upstream::UpstreamErrorKind::timeout));
    BOOST_TEST(cut.reply(search(R"(,"with_vector":true)")).status == 504u);
    Driver odd;
    odd.scorer.failure = failure;
    odd.qdrant.answers.push_back(ok(answer_of(kHits)));
    odd.qdrant.answers.push_back(ok("{}"));
    const auto reply = odd.reply(search(R"(,"with_vector":true)"));
    BOOST_TEST(reply.status == 502u);
    BOOST_TEST(!reply.failure.empty());
  }
}

BOOST_AUTO_TEST_CASE(an_answer_that_cannot_be_read_is_asked_for_as_the_client_would) {
  const std::string own = R"({"query":[1.0],"limit":1})";
  Driver driver;
  driver.qdrant.answers.push_back(ok("[]"));
  driver.qdrant.answers.push_back(ok(answer_of(kFirst)));
  check_fallback(driver.reply(search()), "internal");
  BOOST_REQUIRE(driver.qdrant.asked.size() == 2u);
  BOOST_TEST(driver.qdrant.asked[1].body == own);
  Driver strict;
  strict.qdrant.answers.push_back(ok("[]"));
  check_refusal(strict.reply(search(kAsError)), "internal");
}

BOOST_AUTO_TEST_CASE(an_answer_that_cannot_be_read_is_the_clients_where_nothing_was_widened) {
  Driver driver;
  driver.qdrant.answers.push_back(ok(R"({"result":7})"));
  const auto reply = driver.reply(
      R"({"query":[1.0],"limit":60,"with_payload":true,"use_reranker":true,"rerank_query":"q"})");
  BOOST_TEST(driver.qdrant.asked.size() == 1u);
  BOOST_TEST(reply.status == 200u);
  BOOST_TEST(reply.body ==
             R"({"result":7,"reranking_used":false,"reranker_model":"mock","reranking_reason":"internal"})");
}

BOOST_AUTO_TEST_CASE(an_answer_compressed_although_none_was_asked_for) {
  Driver driver;
  driver.qdrant.answers.push_back(ok(gzipped(answer_of(kHits)), {{"Content-Encoding", "gzip"}}));
  const auto reply = driver.reply(search());
  BOOST_TEST(reply.kind == "reranked");
  BOOST_TEST(header(reply.fields, "content-encoding") == "");
  BOOST_TEST(holds(reply.body, R"("id":2)"));

  Driver other;  // not ours to read: the client gets the answer to its own request, as it is
  other.qdrant.answers.push_back(ok("?widened?", {{"Content-Encoding", "br"}}));
  other.qdrant.answers.push_back(ok("?own?", {{"Content-Encoding", "br"}}));
  const auto own = other.reply(search());
  BOOST_TEST(own.body == "?own?");
  BOOST_TEST(header(own.fields, "content-encoding") == "br");
  BOOST_TEST(header(own.fields, "x-reranking-reason") == "internal");
}

BOOST_AUTO_TEST_SUITE_END()

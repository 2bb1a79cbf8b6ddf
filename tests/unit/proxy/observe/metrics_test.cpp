#include "proxy/observe/metrics.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <regex>
#include <sstream>

#include "proxy/observe/scoring_observer.hpp"

namespace observe = qrerank::proxy::observe;
using namespace std::chrono_literals;

namespace {

constexpr std::array<std::string_view, 2> kReasons = {"timeout", "no_text"};

observe::Metrics::Labels labels() {
  return {kReasons, "1.2.3", true};
}

bool has(const observe::Metrics& metrics, const std::string& line) {
  const auto text = metrics.text();
  return text.find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(each_event_counts_where_it_should) {
  observe::Metrics m(labels());
  m.request(observe::Endpoint::query_batch, observe::Outcome::reranked, 3ms);
  m.fallback("no_text");
  m.stages(2s, {1ms, 20ms, 300ms});
  m.candidates(50, 20);
  m.connection_opened(observe::Side::client);
  m.connection_opened(observe::Side::client);
  m.connection_closed(observe::Side::client);
  m.connection_turned_away();
  m.config_reload(true);
  m.config_reload(false);
  m.config_reload(false);
  m.batch(8, 1000, 40ms);
  m.queue(7, 900);
  m.cache(3, 4);
  m.model("mini", qrerank::reranker::ModelState::loading, 0);
  m.model("mini", qrerank::reranker::ModelState::ready, 1000);
  m.model("other", qrerank::reranker::ModelState::unloaded, 0);
  m.upstream({"http://a:1", true, 3, 5, 7, 0});
  m.upstream({"http://a:1", false, 2, 4, 8, 1});
  m.upstream({"http://a:1", false, 2, 4, 8, 1});
  for (const std::string line : {
           "qrerank_upstream_up{upstream=\"http://a:1\"} 0",
           "qrerank_upstream_outstanding_requests{upstream=\"http://a:1\"} 2",
           "qrerank_upstream_connections{upstream=\"http://a:1\"} 4",
           "qrerank_upstream_failures_total{upstream=\"http://a:1\"} 8",
           "qrerank_upstream_ejections_total{upstream=\"http://a:1\"} 1",
           "qrerank_requests_total{endpoint=\"query/batch\",outcome=\"reranked\"} 1",
           "qrerank_requests_total{endpoint=\"query\",outcome=\"reranked\"} 0",
           "qrerank_request_duration_seconds_count{endpoint=\"query/batch\"} 1",
           "qrerank_request_duration_seconds_bucket{endpoint=\"query/batch\",le=\"0.0025\"} 0",
           "qrerank_request_duration_seconds_bucket{endpoint=\"query/batch\",le=\"0.005\"} 1",
           "qrerank_fallbacks_total{reason=\"no_text\"} 1",
           "qrerank_fallbacks_total{reason=\"timeout\"} 0",
           "qrerank_stage_duration_seconds_sum{stage=\"upstream\"} 2",
           "qrerank_stage_duration_seconds_sum{stage=\"compute\"} 0.3",
           "qrerank_stage_duration_seconds_bucket{stage=\"tokenize\",le=\"0.0005\"} 0",
           "qrerank_candidates_total 50",
           "qrerank_cached_candidates_total 20",
           "qrerank_connections{side=\"client\"} 1",
           "qrerank_connections_opened_total{side=\"client\"} 2",
           "qrerank_connections_turned_away_total 1",
           "qrerank_config_reloads_total{outcome=\"in_force\"} 1",
           "qrerank_config_reloads_total{outcome=\"refused\"} 2",
           "qrerank_batches_total 1",
           "qrerank_texts_total 8",
           "qrerank_tokens_total 1000",
           "qrerank_model_state{model=\"mini\",state=\"loading\"} 0",
           "qrerank_model_state{model=\"mini\",state=\"ready\"} 1",
           "qrerank_model_state{model=\"other\",state=\"unloaded\"} 1",
           "qrerank_model_bytes{model=\"mini\"} 1000",
           "qrerank_queue_texts 7",
           "qrerank_queue_tokens 900",
           "qrerank_cache_hits_total 3",
           "qrerank_cache_misses_total 4",
           "qrerank_build_info{local_models=\"yes\",version=\"1.2.3\"} 1",
       }) {
    BOOST_TEST(has(m, line), line);
  }
}

BOOST_AUTO_TEST_CASE(a_reason_outside_the_set_is_our_bug) {
  observe::Metrics m(labels());
  BOOST_CHECK_THROW(m.fallback("made_up"), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(names_and_help_are_regular) {
  const auto text = observe::Metrics(labels()).text();
  std::istringstream lines(text);
  const std::regex sample(R"(qrerank_[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [-+0-9.eInf]+)");
  for (std::string line; std::getline(lines, line);) {
    BOOST_TEST((line.starts_with("# ") || std::regex_match(line, sample)), line);
    if (line.starts_with("# TYPE ") && line.ends_with(" counter")) {
      BOOST_TEST(line.find("_total ") != std::string::npos, line);
    }
  }
}

BOOST_AUTO_TEST_CASE(endpoints_read_back) {
  for (int e = 0; e <= static_cast<int>(observe::Endpoint::other); ++e) {
    const auto endpoint = static_cast<observe::Endpoint>(e);
    BOOST_CHECK(observe::endpoint_named(observe::label(endpoint)) == endpoint);
  }
  BOOST_CHECK(observe::endpoint_named("scroll") == observe::Endpoint::other);
}

BOOST_AUTO_TEST_CASE(the_engine_is_observed) {
  observe::Metrics m(labels());
  observe::ScoringObserver observer(m);
  observer.batch_computed("a", {8, 2, 1000, 8192}, 40ms);
  observer.queue_changed("a", 5, 50);
  observer.queue_changed("b", 2, 20);
  observer.queue_changed("a", 1, 10);
  observer.cache_looked_up("a", 3, 4);
  observer.model_changed("a", qrerank::reranker::ModelState::ready, 12);
  BOOST_TEST(has(m, "qrerank_model_state{model=\"a\",state=\"ready\"} 1"));
  BOOST_TEST(has(m, "qrerank_model_bytes{model=\"a\"} 12"));
  BOOST_TEST(has(m, "qrerank_tokens_total 1000"));
  BOOST_TEST(has(m, "qrerank_queue_texts 3"));
  BOOST_TEST(has(m, "qrerank_queue_tokens 30"));
  BOOST_TEST(has(m, "qrerank_cache_hits_total 3"));
}

BOOST_AUTO_TEST_SUITE_END()

#include "proxy/observe/metrics.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <regex>
#include <sstream>

#include "proxy/observe/process.hpp"
#include "proxy/observe/scoring_observer.hpp"

namespace observe = qrerank::proxy::observe;
using namespace std::chrono_literals;

namespace {

constexpr std::array<std::string_view, 2> kReasons = {"timeout", "no_text"};

constexpr std::array<std::string_view, 2> kLimits = {"proxy.max_headers", "proxy.max_connections"};
constexpr std::array<std::string_view, 2> kErrors = {"timeout", "cut_off"};

struct Metrics : observe::Metrics {
  Metrics() : observe::Metrics({kReasons, kLimits, kErrors}, {"1.2.3", true}) {}
};

bool has(Metrics& metrics, const std::string& line) {
  const auto text = metrics.text();
  return text.find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(each_event_counts_where_it_should) {
  Metrics m;
  m.http.request(observe::metrics::Endpoint::query_batch, observe::metrics::Outcome::reranked, 3ms, 500);
  m.rerank.fallback("no_text");
  m.rerank.stages(2s, {1ms, 20ms, 300ms});
  m.rerank.candidates(50, 20);
  m.http.connection_opened();
  m.http.connection_opened();
  m.http.connection_closed();
  m.http.connection_turned_away();
  m.program.config_reload(true);
  m.program.config_reload(false);
  m.program.config_reload(false);
  m.scoring.batch(8, 1000, 8000, 40ms);
  m.scoring.budget_halved();
  m.scoring.cache_size(176, 1);
  m.http.limit_tripped("proxy.max_headers");
  m.http.held(77);
  m.scoring.queue(7, 900);
  m.scoring.cache(3, 4);
  m.models.model("mini", qrerank::reranker::ModelState::loading, 0);
  m.models.model("mini", qrerank::reranker::ModelState::ready, 1000);
  m.models.model("other", qrerank::reranker::ModelState::unloaded, 0);
  m.models.loaded("mini", true, 2s);
  m.models.loaded("mini", false, 1s);
  constexpr std::array<std::uint64_t, 2> before = {1, 0};
  constexpr std::array<std::uint64_t, 2> now = {1, 3};
  m.upstream.node({"http://a:1", true, 3, 5, 4, 7, 0, 9, 6, 1, before});
  m.upstream.node({"http://a:1", false, 2, 4, 3, 8, 1, 11, 7, 1, now});
  m.upstream.node({"http://a:1", false, 2, 4, 3, 8, 1, 11, 7, 1, now});
  for (const std::string line : {
           "qrerank_upstream_up{upstream=\"http://a:1\"} 0",
           "qrerank_upstream_outstanding_requests{upstream=\"http://a:1\"} 2",
           "qrerank_upstream_connections{upstream=\"http://a:1\"} 4",
           "qrerank_upstream_failures_total{upstream=\"http://a:1\"} 8",
           "qrerank_upstream_ejections_total{upstream=\"http://a:1\"} 1",
           "qrerank_upstream_idle_connections{upstream=\"http://a:1\"} 3",
           "qrerank_upstream_connections_opened_total{upstream=\"http://a:1\"} 11",
           "qrerank_upstream_connections_reused_total{upstream=\"http://a:1\"} 7",
           "qrerank_upstream_sent_again_total{upstream=\"http://a:1\"} 1",
           "qrerank_upstream_errors_total{kind=\"timeout\",upstream=\"http://a:1\"} 1",
           "qrerank_upstream_errors_total{kind=\"cut_off\",upstream=\"http://a:1\"} 3",
           "qrerank_response_body_bytes_total 500",
           "qrerank_limits_tripped_total{limit=\"proxy.max_headers\"} 1",
           "qrerank_limits_tripped_total{limit=\"proxy.max_connections\"} 0",
           "qrerank_held_body_bytes 77",
           "qrerank_batch_fill_ratio_sum 0.125",
           "qrerank_token_budget_halved_total 1",
           "qrerank_cache_bytes 176",
           "qrerank_cache_entries 1",
           "qrerank_model_loads_total{model=\"mini\",outcome=\"loaded\"} 1",
           "qrerank_model_loads_total{model=\"mini\",outcome=\"failed\"} 1",
           "qrerank_model_load_seconds_sum 3",
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

BOOST_AUTO_TEST_CASE(a_label_outside_its_set_is_our_bug) {
  Metrics m;
  BOOST_CHECK_THROW(m.rerank.fallback("made_up"), std::invalid_argument);
  BOOST_CHECK_THROW(m.http.limit_tripped("made_up"), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(names_and_help_are_regular) {
  Metrics m;
  const auto text = m.text();
  std::istringstream lines(text);
  const std::regex sample(
      R"((?:qrerank|process)_[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [-+0-9.eInf]+)");
  for (std::string line; std::getline(lines, line);) {
    BOOST_TEST((line.starts_with("# ") || std::regex_match(line, sample)), line);
    if (line.starts_with("# TYPE ") && line.ends_with(" counter")) {
      BOOST_TEST(line.find("_total ") != std::string::npos, line);
    }
  }
}

BOOST_AUTO_TEST_CASE(endpoints_read_back) {
  for (int e = 0; e <= static_cast<int>(observe::metrics::Endpoint::other); ++e) {
    const auto endpoint = static_cast<observe::metrics::Endpoint>(e);
    BOOST_CHECK(observe::metrics::endpoint_named(observe::metrics::label(endpoint)) == endpoint);
  }
  BOOST_CHECK(observe::metrics::endpoint_named("scroll") == observe::metrics::Endpoint::other);
}

BOOST_AUTO_TEST_CASE(the_engine_is_observed) {
  Metrics m;
  observe::ScoringObserver observer(m.scoring, m.models);
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

BOOST_AUTO_TEST_CASE(a_counter_that_follows_never_goes_back) {
  observe::Registry registry;
  auto counter = registry.counter("n_total", "N.");
  counter.raise_to(5);
  counter.raise_to(3);
  BOOST_TEST(registry.text().find("\nn_total 5\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_process_is_read_whatever_it_is_called) {
  const auto stat = observe::parse_stat(
      "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 100 23 0 0 20 0 12 0 4711 1000000 345 18446744073709551615 1 1");
  BOOST_TEST(stat.cpu_ticks == 123u);
  BOOST_TEST(stat.threads == 12u);
  BOOST_TEST(stat.start_ticks == 4711u);
  BOOST_TEST(stat.resident_pages == 345u);
  BOOST_TEST(observe::parse_stat("").threads == 0u);
}

BOOST_AUTO_TEST_CASE(this_process_is_there) {
  const auto now = observe::sample_process();
  BOOST_TEST(now.start_seconds > 1.7e9);  // after 2023
  BOOST_TEST(now.open_descriptors >= 3u);
  BOOST_TEST(now.max_descriptors >= now.open_descriptors);
  BOOST_TEST(now.resident_bytes > 1'000'000u);
  BOOST_TEST(now.threads >= 1u);
}

BOOST_AUTO_TEST_SUITE_END()

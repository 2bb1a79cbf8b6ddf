// The three ways to print one evaluation.
#include <algorithm>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <regex>

#include "proxy/eval/plot_frame.hpp"
#include "proxy/eval/plots.hpp"
#include "proxy/eval/report_html.hpp"
#include "proxy/eval/report_json.hpp"
#include "proxy/eval/report_text.hpp"
#include "proxy/eval/wording.hpp"
#include "tests/unit/proxy/eval/report_fixture.hpp"

namespace eval = qrerank::proxy::eval;
using fixture::timing;
using fixture::trial;

namespace {

eval::Report report(bool judged = true) {
  return fixture::report(4, {trial({"m", 50, 0.5}, {1, 1, 2, 2}), trial({"m", 50, 1}, {1, 1, 2, 4})},
                         {timing("", 0, {1, 3}), timing("m", 50, {21, 23})}, judged);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reports)

BOOST_AUTO_TEST_CASE(text) {
  const auto found = report();
  const auto printed = eval::print_text(found, eval::recommend(found, std::nullopt));
  for (const auto* part : {"collection docs", "judged by qrels/test.tsv", "trec_eval", "seed 1", "vector ",
                           "0.6309", "m          50", "+20 ms", "do not rerank this collection yet"})
    BOOST_TEST(has(printed, part), part << " in\n" << printed);
  // Columns stand below each other: the lines of a table are equally long.
  std::smatch table;
  BOOST_TEST_REQUIRE(
      std::regex_search(printed, table, std::regex("\norder.*\n(vector.*)\n(m .*)\n(m .*)\n")));
  BOOST_TEST(table[2].length() == table[3].length());
}

BOOST_AUTO_TEST_CASE(an_empty_row_is_no_row) {
  const auto found = report(false);
  const auto printed = eval::print_text(found, eval::recommend(found, std::nullopt));
  BOOST_TEST(std::regex_search(printed, std::regex("\norder.*added p95\nm +50 +0\\.5 ")), printed);
}

BOOST_AUTO_TEST_CASE(nothing_lost_is_no_minus_zero) {
  // A little quicker than vector order, and one query that stays as it is.
  const auto found =
      fixture::report(2, {trial({"m", 50, 1}, {2, 2})}, {timing("", 0, {3, 3}), timing("m", 50, {2.7, 2.7})});
  const auto advice = eval::recommend(found, std::nullopt);
  for (const auto& printed : {eval::print_text(found, advice), eval::print_html(found, advice)}) {
    BOOST_TEST(has(printed, "+0 ms"), printed);
    BOOST_TEST(!std::regex_search(printed, std::regex("[^a-z]-0(\\.0*)?[^.0-9]")), printed);
  }
  BOOST_TEST(has(eval::plot_queries(found, found.rows[0]), "q1: +0.000"));
  BOOST_TEST(!std::signbit(eval::rounded(-0.04, 1)));
  BOOST_TEST(eval::rounded(-0.06, 1) == -0.1);
}

BOOST_AUTO_TEST_CASE(running_text_is_broken_between_words) {
  const auto found = report();
  const auto printed = eval::print_text(found, eval::recommend(found, std::nullopt));
  const auto whole = eval::definitions(found);
  std::string joined = printed.substr(printed.find("nDCG@10 (gain"), whole.size());
  std::ranges::replace(joined, '\n', ' ');
  std::string one_line = whole;
  std::ranges::replace(one_line, '\n', ' ');
  BOOST_TEST(joined == one_line);
  const auto text = printed.substr(0, printed.find("\norder"));
  for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
    end = std::min(text.find('\n', at), text.size());
    BOOST_TEST(end - at <= 100u, text.substr(at, end - at));
  }
}

BOOST_AUTO_TEST_CASE(what_was_left_out_is_told_everywhere) {
  auto found = report();
  found.left_out = 3;
  found.rows[1].not_reranked = 2;
  const auto advice = eval::recommend(found, std::nullopt);
  for (const auto& printed : {eval::print_text(found, advice), eval::print_html(found, advice)}) {
    BOOST_TEST(has(printed, "3 queries of the folder were left out"));
    BOOST_TEST(has(printed, "2 queries were not reranked"));
  }
}

BOOST_AUTO_TEST_CASE(json) {
  const auto found = report();
  const auto root =
      boost::json::parse(eval::print_json(found, eval::recommend(found, std::nullopt))).as_object();
  BOOST_TEST(root.at("recommendation").at("verdict").as_string() == "undecided");
  BOOST_TEST(root.at("settings").as_array().size() == 2u);
  const auto& first = root.at("settings").as_array()[0].as_object();
  BOOST_TEST(first.at("weight").as_double() == 0.5);
  BOOST_TEST(first.at("gain_ndcg@10").at("mean").as_double() == found.rows[0].gain.value);
  BOOST_TEST(first.at("added_p95_ms").as_double() == 20, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(root.at("by_query").as_array()[3].at("ndcg@10").as_array().size() == 2u);
  const auto plain = report(false);
  const auto unjudged =
      boost::json::parse(eval::print_json(plain, eval::recommend(plain, std::nullopt))).as_object();
  BOOST_TEST(!unjudged.at("settings").as_array()[0].as_object().contains("quality"));
  BOOST_TEST(!unjudged.contains("qrels"));
}

BOOST_AUTO_TEST_CASE(html) {
  for (const bool judged : {true, false}) {
    const auto found = report(judged);
    const auto page = eval::print_html(found, eval::recommend(found, std::nullopt));
    BOOST_TEST(page.starts_with("<!doctype html>"));
    BOOST_TEST(has(page, "prefers-color-scheme: dark"));
    BOOST_TEST(has(page, "a &lt;b&gt; &amp; &quot;c&quot;"));  // a query's text
    BOOST_TEST(!has(page, "a <b>"));
    for (const auto* fetch : {"http:", "https:", "src=", "url(", "@import", "<script", "<link"})
      BOOST_TEST(!has(page, fetch), fetch);
    BOOST_TEST(count(page, "<svg") == (judged ? 3u : 0u));
    BOOST_TEST(count(page, "<svg") == count(page, "</svg>"));
    BOOST_TEST(!has(page, "nan"));
    BOOST_TEST(count(page, "<div") == count(page, "</div>"));
    BOOST_TEST(count(page, "<table") == count(page, "</table>"));
  }
}

BOOST_AUTO_TEST_CASE(html_of_empty_lists) {
  const auto found = fixture::report(60, {trial({"m", 50, 1}, fixture::all(1, 60))}, {});
  const auto page = eval::print_html(found, eval::recommend(found, std::nullopt));
  BOOST_TEST(has(page, "<h2>Helped most</h2><div"));
  BOOST_TEST(has(page, "<h2>Hurt most</h2><p class=\"soft\">None.</p>"));
}

BOOST_AUTO_TEST_CASE(html_and_json_where_nothing_can_be_told) {
  auto found = report();
  for (auto& row : found.rows) row.reachable_recall = 0;
  const auto advice = eval::recommend(found, std::nullopt);
  const auto page = eval::print_html(found, advice);
  BOOST_TEST(has(page, "<p>nothing can be told: "));
  BOOST_TEST(!has(page, "Query by query"));
  const auto root = boost::json::parse(eval::print_json(found, advice)).as_object();
  BOOST_TEST(!root.at("recommendation").as_object().contains("setting"));
}

BOOST_AUTO_TEST_CASE(the_mock_is_no_model) {
  const auto told = [](const std::string& model) {
    const auto found = fixture::report(4, {trial({model, 50, 1}, {1, 1, 2, 2})}, {});
    return eval::print_text(found, eval::recommend(found, std::nullopt));
  };
  BOOST_TEST(has(told("mock"), "mock only counts common words"));
  BOOST_TEST(!has(told("m"), "common words"));
}

BOOST_AUTO_TEST_CASE(plots) {
  const auto found = report();
  BOOST_TEST(count(eval::plot_quality(found), "<circle") == 2u);
  BOOST_TEST(count(eval::plot_quality(found), "<polyline") == 1u);
  BOOST_TEST(count(eval::plot_cost(found), "<circle") == 2u);
  BOOST_TEST(count(eval::plot_queries(found, found.rows[1]), "class=\"win\"") ==
             3u);  // one of them is no change
  BOOST_TEST(count(eval::plot_queries(found, found.rows[1]), "class=\"loss\"") == 1u);
  BOOST_TEST(eval::plot_cost(fixture::report(1, {trial({"m", 50, 1}, {1})}, {})).empty());
}

BOOST_AUTO_TEST_CASE(frames) {
  const eval::PlotFrame frame({0, 100}, {0, 1});
  BOOST_TEST(frame.x(0) > frame.left());
  BOOST_TEST(frame.x(100) < frame.right());
  BOOST_TEST(frame.y(1) < frame.y(0));
  const auto svg = frame.svg("t", "x", "y", "");
  for (const auto* tick : {">0</text>", ">20</text>", ">100</text>", ">0.2</text>", ">1.0</text>"})
    BOOST_TEST(has(svg, tick), tick << " in\n" << svg);
  const eval::PlotFrame empty({3, 3}, {0, 0});
  BOOST_TEST(std::isfinite(empty.x(3)));
  BOOST_TEST(!has(empty.svg("t", "x", "y", ""), "nan"));
}

BOOST_AUTO_TEST_SUITE_END()

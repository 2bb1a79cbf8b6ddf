// The three ways to print one evaluation.
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <regex>

#include "proxy/eval/plot_frame.hpp"
#include "proxy/eval/plots.hpp"
#include "proxy/eval/report_html.hpp"
#include "proxy/eval/report_json.hpp"
#include "proxy/eval/report_text.hpp"
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

// Options as query parameters and headers give them: texts.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "reranker/options.hpp"
#include "tests/unit/reranker/option_outcome.hpp"

namespace qrerank::reranker {
namespace {

using Kind = RawOption::Kind;

BOOST_AUTO_TEST_SUITE(option_text)

RawOption raw(std::string_view name, std::string_view value) {
  return raw_from_text(*find_option(name), value);
}

BOOST_AUTO_TEST_CASE(booleans_in_any_case) {
  for (const auto* yes : {"true", "TRUE", "True", "tRuE", "1", " true ", "\t1"}) {
    BOOST_TEST(set("rerank", raw("rerank", yes)).options.use_reranker.value() == true, yes);
  }
  for (const auto* no : {"false", "FALSE", "False", "0"}) {
    BOOST_TEST(set("rerank", raw("rerank", no)).options.use_reranker.value() == false, no);
  }
  for (const auto* neither : {"", " ", "yes", "no", "on", "t", "2", "01", "true1", "truе" /* Cyrillic е */}) {
    BOOST_TEST(!accepts("rerank", raw("rerank", neither)), neither);
  }
}

BOOST_AUTO_TEST_CASE(numbers) {
  for (const auto* fine : {"50", " 50 ", "050"}) {
    BOOST_TEST(set("rerank_top_k", raw("rerank_top_k", fine)).options.top_k.value() == 50, fine);
  }
  for (const auto* bad : {"", "50.0", "5e1", "0x32", "50a", "+50", "5 0", "9", "201", "99999999999999999999",
                          "-99999999999999999999", "nan", "inf"}) {
    BOOST_TEST(!accepts("rerank_top_k", raw("rerank_top_k", bad)), bad);
  }
  BOOST_TEST(set("rerank_weight", raw("rerank_weight", "0.5")).options.weight.value() == 0.5);
  BOOST_TEST(set("rerank_weight", raw("rerank_weight", "1")).options.weight.value() == 1.0);
  BOOST_TEST(set("rerank_weight", raw("rerank_weight", "5e-1")).options.weight.value() == 0.5);
  for (const auto* bad : {"", "half", "0,5", "1.1", "-0.1", "nan", "inf", "0.5x", "1e999"}) {
    BOOST_TEST(!accepts("rerank_weight", raw("rerank_weight", bad)), bad);
  }
  BOOST_TEST(
      set("rerank_score_threshold", raw("rerank_score_threshold", "-1e3")).options.score_threshold.value() ==
      -1000.0);
  BOOST_TEST(set("rerank_top_k", raw("rerank_top_k", "99999999999999999999")).error ==
             "rerank_top_k: 1e+20 is out of bounds, expected an integer from 10 to 200");
}

BOOST_AUTO_TEST_CASE(texts_stay_as_they_are) {
  BOOST_TEST(set("rerank_query", raw("rerank_query", " how, much? 50 ")).options.query.value() ==
             " how, much? 50 ");
  BOOST_TEST(set("rerank_query", raw("rerank_query", "true")).options.query.value() == "true");
  BOOST_TEST(
      (set("rerank_on_error", raw("rerank_on_error", " error")).options.on_error.value() == OnError::error));
  BOOST_TEST(!accepts("rerank_on_error", raw("rerank_on_error", "Error")));
}

BOOST_AUTO_TEST_CASE(lists_split_at_commas_outside_quotes) {
  struct Row {
    const char* written;
    std::vector<std::string> paths;
  };
  const Row rows[] = {
      {"a", {"a"}},
      {"a,b", {"a", "b"}},
      {" a , b ", {"a", "b"}},
      {"\"a,b\".c,d", {"\"a,b\".c", "d"}},
      {"a[].\"x,y\"", {"a[].\"x,y\""}},
      {"\"a,b", {"\"a,b"}},  // a quote that is never closed keeps the rest together
      {"", {""}},
      {"a,,b", {"a", "", "b"}},
      {"a,", {"a", ""}},
  };
  for (const Row& row : rows) {
    const RawOption value = raw("rerank_field", row.written);
    BOOST_TEST((value.kind == Kind::list));
    BOOST_TEST(value.list == row.paths, row.written);
    const bool has_empty = std::ranges::find(row.paths, "") != row.paths.end();
    BOOST_TEST(accepts("rerank_field", value) == !has_empty, row.written);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker

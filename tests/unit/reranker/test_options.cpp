#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "reranker/options.hpp"
#include "tests/unit/reranker/option_outcome.hpp"

namespace qrerank::reranker {
namespace {

using Kind = RawOption::Kind;

RawOption boolean(bool value) {
  return {.kind = Kind::boolean, .boolean = value};
}
RawOption integer(std::int64_t value) {
  return {.kind = Kind::integer, .integer = value, .number = static_cast<double>(value)};
}
RawOption number(double value) {
  return {.kind = Kind::number, .number = value};
}
RawOption text(std::string value) {
  return {.kind = Kind::text, .text = std::move(value)};
}
RawOption list(std::vector<std::string> value) {
  return {.kind = Kind::list, .list = std::move(value)};
}
RawOption other(std::string shown) {
  return {.kind = Kind::other, .text = std::move(shown)};
}

std::string repeat(std::string_view piece, std::size_t times) {
  std::string out;
  while (times-- > 0) {
    out += piece;
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(the_table_is_the_contracts) {
  struct Row {
    std::string name, header, config;
    OptionType type;
  };
  const std::vector<Row> rows = {
      {"use_reranker", "X-Rerank", "", OptionType::boolean},
      {"rerank_query", "X-Rerank-Query", "", OptionType::text},
      {"rerank_model", "X-Rerank-Model", "model", OptionType::text},
      {"rerank_top_k", "X-Rerank-Top-K", "top_k", OptionType::integer},
      {"rerank_instruction", "X-Rerank-Instruction", "instruction", OptionType::text},
      {"rerank_field", "X-Rerank-Field", "field", OptionType::paths},
      {"rerank_score_threshold", "X-Rerank-Score-Threshold", "score_threshold", OptionType::number},
      {"rerank_weight", "X-Rerank-Weight", "weight", OptionType::number},
      {"rerank_on_error", "X-Rerank-On-Error", "on_error", OptionType::choice},
      {"rerank_timeout_ms", "X-Rerank-Timeout-Ms", "timeout_ms", OptionType::integer},
  };
  const auto table = option_table();
  BOOST_REQUIRE_EQUAL(table.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    BOOST_TEST(table[i].name == rows[i].name);
    BOOST_TEST(table[i].header_name() == rows[i].header);
    BOOST_TEST(table[i].config_key() == rows[i].config);
    BOOST_TEST((table[i].type == rows[i].type), rows[i].name);
    BOOST_TEST(table[i].sentence.ends_with('.'), rows[i].name);
    BOOST_TEST(!table[i].default_text.empty(), rows[i].name);
  }
}

BOOST_AUTO_TEST_CASE(names_are_found_exactly) {
  for (const OptionSpec& spec : option_table()) {
    BOOST_TEST(find_option(spec.name) == &spec);
  }
  BOOST_TEST(find_option("rerank") == &option_table().front());
  for (const auto* name : {"", "Rerank", "rerank_", "top_k", "rerank_topk", "RERANK_TOP_K", "x-rerank"}) {
    BOOST_TEST(find_option(name) == nullptr, name);
  }
}

BOOST_AUTO_TEST_CASE(every_option_lands_in_its_own_member) {
  BOOST_TEST(set("rerank", boolean(true)).options.use_reranker.value() == true);
  BOOST_TEST(set("use_reranker", boolean(false)).options.use_reranker.value() == false);
  BOOST_TEST(set("rerank_query", text("q")).options.query.value() == "q");
  BOOST_TEST(set("rerank_model", text("m")).options.model.value() == "m");
  BOOST_TEST(set("rerank_top_k", integer(20)).options.top_k.value() == 20);
  BOOST_TEST(set("rerank_instruction", text("i")).options.instruction.value() == "i");
  BOOST_TEST(set("rerank_field", text("a.b")).options.fields.value() == std::vector<std::string>{"a.b"});
  BOOST_TEST(set("rerank_score_threshold", number(-3.5)).options.score_threshold.value() == -3.5);
  BOOST_TEST(set("rerank_weight", number(0.25)).options.weight.value() == 0.25);
  BOOST_TEST((set("rerank_on_error", text("error")).options.on_error.value() == OnError::error));
  BOOST_TEST((set("rerank_on_error", text("fallback")).options.on_error.value() == OnError::fallback));
  BOOST_TEST(set("rerank_timeout_ms", integer(7)).options.timeout_ms.value() == 7);
}

BOOST_AUTO_TEST_CASE(integer_bounds) {
  struct Row {
    const char* name;
    std::int64_t value;
    bool accepted;
  };
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  const Row rows[] = {
      {"rerank_top_k", 9, false},          {"rerank_top_k", 10, true},
      {"rerank_top_k", 11, true},          {"rerank_top_k", 199, true},
      {"rerank_top_k", 200, true},         {"rerank_top_k", 201, false},
      {"rerank_top_k", 0, false},          {"rerank_top_k", -10, false},
      {"rerank_top_k", kMax, false},       {"rerank_top_k", kMin, false},
      {"rerank_timeout_ms", 0, false},     {"rerank_timeout_ms", 1, true},
      {"rerank_timeout_ms", 2, true},      {"rerank_timeout_ms", 59999, true},
      {"rerank_timeout_ms", 60000, true},  {"rerank_timeout_ms", -1, false},
      {"rerank_timeout_ms", 60001, false},
  };
  for (const Row& row : rows) {
    BOOST_TEST(accepts(row.name, integer(row.value)) == row.accepted, row.name << " " << row.value);
  }
  const OptionLimits wide{.max_top_k = 500};
  BOOST_TEST(accepts("rerank_top_k", integer(500), wide));
  BOOST_TEST(!accepts("rerank_top_k", integer(501), wide));
  const OptionLimits narrow{.max_top_k = 100};
  BOOST_TEST(accepts("rerank_top_k", integer(100), narrow));
  BOOST_TEST(!accepts("rerank_top_k", integer(101), narrow));
}

BOOST_AUTO_TEST_CASE(number_bounds) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kTiny = std::numeric_limits<double>::denorm_min();
  struct Row {
    const char* name;
    double value;
    bool accepted;
  };
  const Row rows[] = {
      {"rerank_weight", 0, true},
      {"rerank_weight", 1, true},
      {"rerank_weight", -kTiny, false},
      {"rerank_weight", std::nextafter(1.0, 2.0), false},
      {"rerank_weight", 2, false},
      {"rerank_weight", -1, false},
      {"rerank_weight", kNan, false},
      {"rerank_weight", kInfinity, false},
      {"rerank_score_threshold", std::numeric_limits<double>::max(), true},
      {"rerank_score_threshold", std::numeric_limits<double>::lowest(), true},
      {"rerank_score_threshold", 0, true},
      {"rerank_score_threshold", kInfinity, false},
      {"rerank_score_threshold", -kInfinity, false},
      {"rerank_score_threshold", kNan, false},
  };
  for (const Row& row : rows) {
    BOOST_TEST(accepts(row.name, number(row.value)) == row.accepted, row.name << " " << row.value);
  }
  BOOST_TEST(set("rerank_weight", integer(1)).options.weight.value() == 1.0);
  BOOST_TEST(!accepts("rerank_weight", integer(2)));
  BOOST_TEST(set("rerank_score_threshold", integer(-5)).options.score_threshold.value() == -5.0);
}

BOOST_AUTO_TEST_CASE(text_bounds_are_code_points) {
  for (const auto* name : {"rerank_query", "rerank_model", "rerank_instruction"}) {
    BOOST_TEST(!accepts(name, text("")), name);
    BOOST_TEST(accepts(name, text("x")), name);
    BOOST_TEST(!accepts(name, text("a\xFF")), name);
    BOOST_TEST(!accepts(name, text("\xC0\x80")), name);          // overlong
    BOOST_TEST(!accepts(name, text("\xED\xA0\x80")), name);      // a surrogate
    BOOST_TEST(!accepts(name, text("\xF4\x90\x80\x80")), name);  // beyond U+10FFFF
    BOOST_TEST(!accepts(name, text("\xE2\x82")), name);          // cut short
  }
  for (const auto* piece : {"a", "ä", "€", "😀"}) {
    BOOST_TEST(accepts("rerank_query", text(repeat(piece, 8191))), piece);
    BOOST_TEST(accepts("rerank_query", text(repeat(piece, 8192))), piece);
    BOOST_TEST(!accepts("rerank_query", text(repeat(piece, 8193))), piece);
    BOOST_TEST(accepts("rerank_instruction", text(repeat(piece, 20000))), piece);
  }
  const OptionLimits limits{.max_query_chars = 3};
  BOOST_TEST(accepts("rerank_query", text("äöü"), limits));
  BOOST_TEST(!accepts("rerank_query", text("äöüß"), limits));
}

BOOST_AUTO_TEST_CASE(paths) {
  BOOST_TEST(set("rerank_field", list({"a", "b[].c"})).options.fields.value() ==
             (std::vector<std::string>{"a", "b[].c"}));
  BOOST_TEST(accepts("rerank_field", list(std::vector<std::string>(64, "a"))));
  BOOST_TEST(!accepts("rerank_field", list({})));
  BOOST_TEST(!accepts("rerank_field", list({""})));
  BOOST_TEST(!accepts("rerank_field", list({"a", ""})));
  BOOST_TEST(!accepts("rerank_field", list({"a", "\x80"})));
  BOOST_TEST(!accepts("rerank_field", text("")));
}

// Which kinds of value a body may bring; everything else is of the wrong type.
BOOST_AUTO_TEST_CASE(kinds) {
  const std::vector<std::pair<Kind, RawOption>> values = {
      {Kind::boolean, boolean(true)}, {Kind::integer, integer(50)},  {Kind::number, number(50.0)},
      {Kind::text, text("error")},    {Kind::list, list({"error"})}, {Kind::other, other("{…}")},
  };
  for (const OptionSpec& spec : option_table()) {
    std::set<Kind> welcome;
    switch (spec.type) {
      case OptionType::boolean:
        welcome = {Kind::boolean};
        break;
      case OptionType::integer:
        welcome = {Kind::integer};
        break;
      case OptionType::number:
        welcome = {Kind::integer, Kind::number};
        break;
      case OptionType::text:
      case OptionType::choice:
        welcome = {Kind::text};
        break;
      case OptionType::paths:
        welcome = {Kind::text, Kind::list};
        break;
    }
    for (const auto& [kind, value] : values) {
      const std::string error = set(spec.name, value).error;
      const bool wrong_type = error.find("has the wrong type") != std::string::npos;
      BOOST_TEST(wrong_type == !welcome.contains(kind), spec.name << ": " << error);
    }
  }
}

BOOST_AUTO_TEST_CASE(messages_name_option_value_and_bounds) {
  struct Row {
    const char* name;
    RawOption value;
    std::string message;
  };
  const Row rows[] = {
      {"rerank_top_k", integer(500),
       "rerank_top_k: 500 is out of bounds, expected an integer from 10 to 200"},
      {"rerank_top_k", number(50.0),
       "rerank_top_k: 50.0 has the wrong type, expected an integer from 10 to 200"},
      {"rerank_top_k", number(1e30),
       "rerank_top_k: 1e+30 is out of bounds, expected an integer from 10 to 200"},
      {"rerank_top_k", text("many"),
       "rerank_top_k: \"many\" has the wrong type, expected an integer from 10 to 200"},
      {"rerank_timeout_ms", integer(0),
       "rerank_timeout_ms: 0 is out of bounds, expected an integer from 1 to 60000"},
      {"rerank_weight", number(1.5), "rerank_weight: 1.5 is out of bounds, expected a number from 0 to 1"},
      {"rerank_score_threshold", boolean(true),
       "rerank_score_threshold: true has the wrong type, expected a finite number"},
      {"use_reranker", integer(1), "use_reranker: 1 has the wrong type, expected true or false"},
      {"rerank", text("yes"), "use_reranker: \"yes\" has the wrong type, expected true or false"},
      {"rerank_on_error", text("ignore"),
       "rerank_on_error: \"ignore\" is not one of its values, expected fallback or error"},
      {"rerank_query", text(std::string(8193, 'x')),
       "rerank_query: a text of 8193 characters is out of bounds, expected a text of 1 to 8192 characters"},
      {"rerank_query", text(""), "rerank_query: the text is empty, expected a text of 1 to 8192 characters"},
      {"rerank_query", text(" \n\u3000"),
       "rerank_query: the text is empty but for white space, expected a text of 1 to 8192 characters"},
      {"rerank_instruction", text(" "),
       "rerank_instruction: the text is empty but for white space, expected a text of at least 1 character"},
      {"rerank_query", text("\xFF"),
       "rerank_query: the text is not valid UTF-8, expected a text of 1 to 8192 characters"},
      {"rerank_model", list({"a", "b"}),
       "rerank_model: a list of 2 has the wrong type, expected a text of at least 1 character"},
      {"rerank_field", list({}),
       "rerank_field: the list is empty, expected a payload path or a list of at most 64 payload paths"},
      {"rerank_field", other(""),
       "rerank_field: the value has the wrong type, expected a payload path or a list of at most 64 payload "
       "paths"},
      {"rerank_field", list(std::vector<std::string>(65, "a")),
       "rerank_field: a list of 65 is out of bounds, expected a payload path or a list of at most 64 payload "
       "paths"},
      {"rerank_top_k", other("{\"a\":1}"),
       "rerank_top_k: {\"a\":1} has the wrong type, expected an integer from 10 to 200"},
      {"rerank_on_error", text("\xFF" + std::string(60, 'y')),
       "rerank_on_error: \"\uFFFD" + std::string(39, 'y') +
           "…\" is not one of its values, expected fallback or error"},
  };
  for (const Row& row : rows) {
    BOOST_TEST(set(row.name, row.value).error == row.message);
  }
  BOOST_TEST(set("rerank_top_k", integer(101), {.max_top_k = 100}).error ==
             "rerank_top_k: 101 is out of bounds, expected an integer from 10 to 100");
}

BOOST_AUTO_TEST_CASE(a_spec_from_elsewhere_is_a_bug) {
  OptionSpec foreign = option_table()[0];
  Options options;
  BOOST_TEST(set_option(options, foreign, boolean(true), {}).has_value());  // a copy of a row is that row
  foreign.name = "rerank_colour";
  BOOST_CHECK_THROW((void)set_option(options, foreign, boolean(true), {}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(higher_places_win_member_by_member) {
  Options body;
  body.top_k = 20;
  body.use_reranker = false;
  Options header;
  header.top_k = 30;
  header.weight = 0.5;
  header.use_reranker = true;
  Options config;
  config.weight = 0.9;
  config.query = "q";
  config.model = "m";
  config.instruction = "i";
  config.fields = {"f"};
  config.score_threshold = 1;
  config.on_error = OnError::error;
  config.timeout_ms = 5;

  Options all = body;
  all.fill_from(header);
  all.fill_from(config);

  Options expected = config;
  expected.use_reranker = false;
  expected.top_k = 20;
  expected.weight = 0.5;
  BOOST_TEST((all == expected));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(did_you_mean) {
  std::vector<std::string_view> names;
  for (const OptionSpec& spec : option_table()) {
    names.push_back(spec.name);
  }
  struct Row {
    std::string unknown, nearest;
  };
  const Row rows[] = {
      {"rerank_topk", "rerank_top_k"},
      {"rerank_tpo_k", "rerank_top_k"},
      {"rerank_querry", "rerank_query"},
      {"rerank_fields", "rerank_field"},
      {"rerank_timeout", "rerank_timeout_ms"},
      {"Rerank-Top-K", "rerank_top_k"},
      {"use_rerank", "use_reranker"},
      {"rerank_onerror", "rerank_on_error"},
      {"rerank_zzzzzz", ""},
      {"colour", ""},
      {"", ""},
      {std::string(129, 'r'), ""},
  };
  for (const Row& row : rows) {
    BOOST_TEST(nearest_name(row.unknown, names) == row.nearest, row.unknown);
  }
  // A third of the length is near, one more edit is not.
  const std::string_view known[] = {"abcdef"};
  BOOST_TEST(nearest_name("abcdxx", known) == "abcdef");
  BOOST_TEST(nearest_name("abcxxx", known) == "");
  // Of equally near names the first listed one.
  const std::string_view twins[] = {"abcx", "abcy"};
  BOOST_TEST(nearest_name("abcz", twins) == "abcx");
  const std::string long_name(129, 'r');
  const std::string_view too_long[] = {long_name};
  BOOST_TEST(nearest_name(std::string(128, 'r'), too_long) == "");
}

}  // namespace
}  // namespace qrerank::reranker

#include "proxy/observe/log_line.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

#include "proxy/observe/json_text.hpp"

namespace log_ = qrerank::proxy::observe::log;
using qrerank::proxy::config::LogFormat;
using qrerank::proxy::observe::json_string;

namespace {

const auto kTime = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'764'000'000'123));

std::string line(LogFormat format, std::string_view message, std::initializer_list<log_::Field> fields,
                 std::string_view id = "") {
  std::string out;
  log_::append_line(out, kTime, format, log_::Level::warn, id, message, {fields.begin(), fields.size()});
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_line)

BOOST_AUTO_TEST_CASE(json_strings) {
  const std::pair<std::string, std::string> table[] = {
      {"", "\"\""},
      {"plain", "\"plain\""},
      {"a\"b\\c", R"("a\"b\\c")"},
      {"a\nb\tc\x01\x1b\x7f", R"("a\nb\u0009c\u0001\u001b\u007f")"},
      {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\""},
      {"\xC2\x85", "\"\\u0085\""},                                   // a control character of two bytes
      {"a\xFFz", "\"a\xEF\xBF\xBDz\""},                              // never a character
      {"\xC3", "\"\xEF\xBF\xBD\""},                                  // cut off
      {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},  // a surrogate
  };
  for (const auto& [text, expected] : table) {
    BOOST_TEST(json_string(text) == expected);
  }
  BOOST_TEST(json_string(std::string_view("\0", 1)) == "\"\\u0000\"");
}

BOOST_AUTO_TEST_CASE(text_lines) {
  BOOST_TEST(line(LogFormat::text, "hello there", {}) == "2025-11-24T16:00:00.123Z WARN  hello there");
  BOOST_TEST(line(LogFormat::text, "m", {{"n", 5}, {"u", 7u}, {"d", 0.5}, {"b", true}, {"s", "x"}}, "id1") ==
             "2025-11-24T16:00:00.123Z WARN  m n=5 u=7 d=0.5 b=true s=x request_id=id1");
  BOOST_TEST(line(LogFormat::text, "m", {{"s", "a b"}, {"e", ""}, {"q", "a=b"}}) ==
             "2025-11-24T16:00:00.123Z WARN  m s=\"a b\" e=\"\" q=\"a=b\"");
}

BOOST_AUTO_TEST_CASE(no_line_can_be_forged) {
  const std::string evil = "x\n2025-11-24T16:00:00.123Z ERROR forged\x1b[31m";
  for (const auto format : {LogFormat::text, LogFormat::json}) {
    const auto written = line(format, evil, {{"v", evil}}, evil);
    BOOST_TEST(written.find('\n') == std::string::npos);
    BOOST_TEST(written.find('\x1b') == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(json_lines) {
  BOOST_TEST(
      line(LogFormat::json, "a \"b\"", {{"n", -5}, {"b", false}, {"s", "x\ty"}}, "id") ==
      R"({"time":"2025-11-24T16:00:00.123Z","level":"warn","message":"a \"b\"","n":-5,"b":false,"s":"x\u0009y",)"
      R"("request_id":"id"})");
  const auto inf = std::numeric_limits<double>::infinity();
  BOOST_TEST(line(LogFormat::json, "m", {{"d", inf}}).find("\"d\":null") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(long_values_are_cut_between_characters) {
  std::string text = "a";
  while (text.size() <= log_::kMaxValueBytes) {
    text += "\xC3\xA4";
  }
  const auto written = line(LogFormat::text, "m", {{"v", text}});
  BOOST_TEST(written.size() < log_::kMaxValueBytes + 60);
  BOOST_TEST(written.find("\xEF\xBF\xBD") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(levels) {
  for (const std::string name : {"trace", "debug", "info", "warn", "error"}) {
    BOOST_TEST(log_::to_string(log_::level_named(name)) == name);
  }
  BOOST_TEST(log_::to_string(log_::level_named("loud")) == "info");
}

BOOST_AUTO_TEST_SUITE_END()

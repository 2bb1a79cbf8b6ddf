#include "proxy/selection/metadata.hpp"

#include <boost/test/unit_test.hpp>

using namespace qrerank::proxy::selection;

namespace {

std::string named(const std::string& body, std::string_view key = "embedding_model") {
  const auto found = embedding_model_in(body, key);
  return found ? found->value_or("-") : "error";
}

std::string with_metadata(const std::string& metadata) {
  return R"({"result":{"status":"green","config":{"params":{},"metadata":)" + metadata + R"(}},"time":0.1})";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(metadata)

BOOST_AUTO_TEST_CASE(names) {
  BOOST_TEST(named(with_metadata(R"({"n":1,"embedding_model":"BAAI/bge-m3"})")) == "BAAI/bge-m3");
  BOOST_TEST(named(with_metadata(R"({"embedding\u005fmodel":"a\u002fb"})")) == "a/b");
  BOOST_TEST(named(with_metadata(R"({"model":"m"})"), "model") == "m");
  BOOST_TEST(named(with_metadata(R"({"embedding_model":")" + std::string(256, 'a') + R"("})")) ==
             std::string(256, 'a'));
}

BOOST_AUTO_TEST_CASE(no_name) {
  for (const std::string none :
       {R"({})", R"(null)", R"([])", R"("embedding_model")", R"({"embedding_model":5})",
        R"({"embedding_model":""})", R"({"embedding_model":null})", R"({"x":{"embedding_model":"m"}})"}) {
    BOOST_TEST(named(with_metadata(none)) == "-", none);
  }
  BOOST_TEST(named(with_metadata(R"({"embedding_model":")" + std::string(257, 'a') + R"("})")) == "-");
  // Before 1.16 there is none; in another place it is not ours.
  BOOST_TEST(named(R"({"result":{"config":{"params":{}},"metadata":{"embedding_model":"m"}}})") == "-");
}

BOOST_AUTO_TEST_CASE(not_an_answer) {
  for (const std::string bad : {"", "{", "[]", "null", R"({"result":null})", R"({"result":{}})",
                                R"({"result":true})", R"({"status":{"error":"no"}})", "<html>"}) {
    BOOST_TEST(named(bad) == "error", bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()

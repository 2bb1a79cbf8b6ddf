// What counts as a tokenizer's limit, and what does not.
#include <boost/test/unit_test.hpp>
#include <string>

#include "reranker/model/tokenizer_limit.hpp"
#include "tests/unit/reranker/model/safetensors_file.hpp"

using qrerank::reranker::model::tokenizer_limit;
using qrerank::reranker::model::tokenizer_limit_in;

BOOST_AUTO_TEST_SUITE(tokenizer_limits)

BOOST_AUTO_TEST_CASE(sane_ones) {
  BOOST_TEST(tokenizer_limit(R"({"a":[1,{"model_max_length":9}],"model_max_length":512,"z":{}})").value() ==
             512U);
  BOOST_TEST(tokenizer_limit(R"({"model_max_length": 8192.0 })").value() == 8192U);
  BOOST_TEST(tokenizer_limit("{\"model_max_length\":8\n}").value() == 8U);
}

BOOST_AUTO_TEST_CASE(the_rest_is_none) {
  for (const char* none :
       {"", "{}", "[]", "512", "not json", R"({"model_max_length":1000000000000000019884624838656})",
        R"({"model_max_length":1e30})", R"({"model_max_length":0})", R"({"model_max_length":7})",
        R"({"model_max_length":-512})", R"({"model_max_length":512.5})", R"({"model_max_length":null})",
        R"({"model_max_length":"512"})", R"({"model_max_length":)",
        R"({"inner":{"model_max_length":512}})"}) {
    BOOST_TEST(!tokenizer_limit(none).has_value(), none);
  }
}

BOOST_AUTO_TEST_CASE(of_a_folder) {
  const qrerank::tests::TemporaryFolder folder;
  BOOST_TEST(!tokenizer_limit_in(folder.path()).has_value());
  folder.write("tokenizer_config.json", R"({"model_max_length":64})");
  BOOST_TEST(tokenizer_limit_in(folder.path()).value() == 64U);
}

BOOST_AUTO_TEST_SUITE_END()

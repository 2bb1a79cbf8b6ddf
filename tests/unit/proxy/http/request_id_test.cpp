// Request ids: which of a client's are kept, and that one request has one id.
#include "proxy/http/request_id.hpp"

#include <boost/test/unit_test.hpp>

using namespace qrerank::proxy::http;

BOOST_AUTO_TEST_SUITE(request_id)

BOOST_AUTO_TEST_CASE(sane_ones_are_the_clients) {
  for (const std::string sane : {"a", "0af7651916cd43dd8448eb211c80319c", "req-1_2.3:4/5+6=7@8"}) {
    BOOST_TEST(is_sane_request_id(sane), sane);
    BOOST_TEST(RequestId(sane).text() == sane);
  }
  for (const std::string bad : {"", " a", "a b", "a\nb", "a\"", "\xC3\xA4", "a;b"}) {
    BOOST_TEST(!is_sane_request_id(bad), bad);
    BOOST_TEST(RequestId(bad).text().size() == 32u, bad);
  }
  BOOST_TEST(is_sane_request_id(std::string(128, 'a')));
  BOOST_TEST(!is_sane_request_id(std::string(129, 'a')));
}

BOOST_AUTO_TEST_CASE(made_once) {
  const RequestId id;
  const std::string first = id.text();
  BOOST_TEST(id.text() == first);
  BOOST_TEST(RequestId().text() != first);
  BOOST_TEST(is_sane_request_id(first));
}

BOOST_AUTO_TEST_SUITE_END()

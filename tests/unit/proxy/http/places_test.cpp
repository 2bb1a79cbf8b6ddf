// How many places there are, over all and of one address, and how bytes are shared.
#include "proxy/http/places.hpp"

#include <boost/test/unit_test.hpp>

using namespace qrerank::proxy::http;
using boost::asio::ip::make_address;

BOOST_AUTO_TEST_SUITE(places)

BOOST_AUTO_TEST_CASE(over_all) {
  Places places(2, 0);
  const auto from = make_address("10.0.0.1");
  BOOST_TEST(places.take(from));
  BOOST_TEST(!places.full());
  BOOST_TEST(places.take(from));
  BOOST_TEST(places.full());
  BOOST_TEST(places.taken() == 2u);
  BOOST_TEST(places.give(from));   // somebody may wait
  BOOST_TEST(!places.give(from));  // nobody does
}

BOOST_AUTO_TEST_CASE(of_one_address) {
  Places places(100, 1);
  BOOST_TEST(places.take(make_address("10.0.0.1")));
  BOOST_TEST(!places.take(make_address("10.0.0.1")));
  BOOST_TEST(!places.take(make_address("::ffff:10.0.0.1")));
  BOOST_TEST(places.take(make_address("10.0.0.2")));
  BOOST_TEST(places.take(make_address("2001:db8::1")));
  BOOST_TEST(!places.take(make_address("2001:db8::ffff:2")));  // the same /64
  BOOST_TEST(places.take(make_address("2001:db8:0:1::1")));
  BOOST_TEST(places.taken() == 4u);
  BOOST_TEST(!places.give(make_address("10.0.0.1")));
  BOOST_TEST(places.take(make_address("10.0.0.1")));
}

BOOST_AUTO_TEST_CASE(bytes) {
  ByteBudget budget(10);
  {
    ByteShare first(budget);
    BOOST_TEST(first.grow_to(6));
    BOOST_TEST(first.grow_to(4));  // has them
    ByteShare second(budget);
    BOOST_TEST(!second.grow_to(5));
    BOOST_TEST(second.grow_to(4));
    BOOST_TEST(!first.grow_to(7));
    BOOST_TEST(!second.grow_to(~std::uint64_t{0}));
  }
  ByteShare third(budget);
  BOOST_TEST(third.grow_to(10));
}

BOOST_AUTO_TEST_CASE(bytes_that_come_and_go) {
  ByteBudget budget(10);
  ByteShare first(budget);
  ByteShare second(budget);
  BOOST_TEST(first.add(4));
  BOOST_TEST(first.add(4));
  BOOST_TEST(!second.add(3));
  BOOST_TEST(second.refused());
  first.shrink_to(5);
  first.shrink_to(6);  // is less already
  BOOST_TEST(budget.taken() == 5u);
  BOOST_TEST(second.add(3));
  BOOST_TEST(!second.refused());
  second.add_anyway(100);
  BOOST_TEST(budget.taken() == 108u);
  BOOST_TEST(!first.add(1));
  second.shrink_to(0);
  BOOST_TEST(first.add(1));
}

BOOST_AUTO_TEST_SUITE_END()

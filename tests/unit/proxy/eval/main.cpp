#define BOOST_TEST_MODULE proxy_eval
#include <boost/test/unit_test.hpp>

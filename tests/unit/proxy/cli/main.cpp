#define BOOST_TEST_MODULE proxy_cli
#include <boost/test/unit_test.hpp>

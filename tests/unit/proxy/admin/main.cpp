#define BOOST_TEST_MODULE proxy_admin
#include <boost/test/unit_test.hpp>

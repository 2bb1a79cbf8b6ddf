#define BOOST_TEST_MODULE proxy_trace
#include <boost/test/unit_test.hpp>

#define BOOST_TEST_MODULE proxy_observe
#include <boost/test/unit_test.hpp>

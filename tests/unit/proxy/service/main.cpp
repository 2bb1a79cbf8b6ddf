#define BOOST_TEST_MODULE proxy_service
#include <boost/test/unit_test.hpp>

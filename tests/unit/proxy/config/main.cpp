#define BOOST_TEST_MODULE proxy_config
#include <boost/test/unit_test.hpp>

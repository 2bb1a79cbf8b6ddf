#define BOOST_TEST_MODULE proxy_selection
#include <boost/test/unit_test.hpp>

// The test program of proxy/route; its cases are in the files named after what they test.
#define BOOST_TEST_MODULE route
#include <boost/test/unit_test.hpp>

// The response side's test program; its cases are in the files named after what they test.
#define BOOST_TEST_MODULE rewrite_response
#include <boost/test/unit_test.hpp>

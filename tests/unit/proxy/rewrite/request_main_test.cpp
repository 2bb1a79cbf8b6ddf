#define BOOST_TEST_MODULE rewrite_request
#include <boost/test/unit_test.hpp>

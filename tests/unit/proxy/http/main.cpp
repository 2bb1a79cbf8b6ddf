// The test program of the protocol half of proxy/http.
#define BOOST_TEST_MODULE http_protocol
#include <boost/test/unit_test.hpp>

#define BOOST_TEST_MODULE reranker
#include <boost/test/unit_test.hpp>

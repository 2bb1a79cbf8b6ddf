#define BOOST_TEST_MODULE reranker model
#include <boost/test/unit_test.hpp>

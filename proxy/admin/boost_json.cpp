// Boost.JSON's own code, compiled once here: Debian's separate library is then not needed.
#include <boost/json/src.hpp>

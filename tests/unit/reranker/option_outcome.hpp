// What becomes of one option that is set. For the tests of options and of their texts.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

#include "reranker/options.hpp"

namespace qrerank::reranker {

struct Outcome {
  Options options;
  std::string error;  // empty: accepted
};

inline Outcome set(std::string_view name, const RawOption& value, const OptionLimits& limits = {}) {
  const OptionSpec* spec = find_option(name);
  BOOST_REQUIRE(spec != nullptr);
  Outcome outcome;
  if (auto done = set_option(outcome.options, *spec, value, limits); !done) {
    outcome.error = done.error();
    BOOST_TEST((outcome.options == Options{}), "a refused value changed the options: " << name);
    BOOST_TEST(!outcome.error.empty());
  }
  return outcome;
}

inline bool accepts(std::string_view name, const RawOption& value, const OptionLimits& limits = {}) {
  return set(name, value, limits).error.empty();
}

}  // namespace qrerank::reranker

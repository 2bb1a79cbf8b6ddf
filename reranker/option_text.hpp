// Words about options, for messages. Private to the options; the grammar of carrier text is in the .cpp.
#pragma once

#include <string>

#include "reranker/options.hpp"

namespace qrerank::reranker {

/// A value as a message may show it: short, valid UTF-8.
std::string describe(const RawOption& value);

}  // namespace qrerank::reranker

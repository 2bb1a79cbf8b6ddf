// gzip bodies to plain bytes, so that a request can be inspected. Pure; zlib does the work.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace qrerank::proxy::rewrite {

enum class InflateError {
  malformed,  ///< not gzip, cut off, a wrong checksum, or bytes behind the last member
  too_large,  ///< would inflate to more than `max_bytes`
};

/// Inflates one or several gzip members (RFC 1952) to at most `max_bytes`. Memory stays below `max_bytes` +
/// 64 KiB however small the input is.
tl::expected<std::string, InflateError> inflate_gzip(std::string_view compressed, std::size_t max_bytes);

enum class ContentCoding { identity, gzip, other };

/// The coding that a Content-Encoding value names; empty means identity. Lists of several codings are
/// `other`.
ContentCoding content_coding(std::string_view header_value);

}  // namespace qrerank::proxy::rewrite

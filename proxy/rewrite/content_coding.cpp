#include "proxy/rewrite/content_coding.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <memory>

namespace qrerank::proxy::rewrite {
namespace {

constexpr int kGzipOnly = 15 + 16;  // zlib: the largest window, gzip wrapper required
constexpr std::size_t kChunk = 32 * 1024;

struct EndInflate {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

}  // namespace

tl::expected<std::string, InflateError> inflate_gzip(std::string_view compressed, std::size_t max_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return tl::unexpected(InflateError::malformed);
  const std::unique_ptr<z_stream, EndInflate> guard(&stream);

  std::string plain;
  std::array<char, kChunk> chunk;
  bool member_ended = false;
  while (true) {
    if (stream.avail_in == 0) {
      const auto piece = std::min<std::size_t>(compressed.size(), 1u << 30);
      // zlib's interface is not const-correct; it only reads.
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
      stream.avail_in = static_cast<uInt>(piece);
      compressed.remove_prefix(piece);
    }
    if (member_ended) {
      if (stream.avail_in == 0) return plain;
      if (inflateReset(&stream) != Z_OK)
        return tl::unexpected(InflateError::malformed);  // RFC 1952 2.2: a next member
      member_ended = false;
    }
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    const auto made = chunk.size() - stream.avail_out;
    if (made > max_bytes - plain.size()) return tl::unexpected(InflateError::too_large);
    plain.append(chunk.data(), made);
    if (status == Z_STREAM_END) {
      member_ended = true;
    } else if (status != Z_OK) {
      return tl::unexpected(InflateError::malformed);  // Z_BUF_ERROR: cut off
    }
  }
}

ContentCoding content_coding(std::string_view header_value) {
  const std::string value = boost::algorithm::trim_copy(std::string(header_value));
  if (value.empty() || boost::algorithm::iequals(value, "identity")) return ContentCoding::identity;
  if (boost::algorithm::iequals(value, "gzip") || boost::algorithm::iequals(value, "x-gzip"))
    return ContentCoding::gzip;
  return ContentCoding::other;
}

}  // namespace qrerank::proxy::rewrite

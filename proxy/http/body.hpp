// An incoming body, whatever its framing: takes its bytes out of a buffer that somebody else fills. And the
// framing of outgoing chunks. Pure.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/async.hpp"
#include "proxy/http/buffer.hpp"
#include "proxy/http/chunked.hpp"
#include "proxy/http/head.hpp"

namespace qrerank::proxy::http {

class BodyReader {
 public:
  enum class State { need_more, done, malformed };
  struct Step {
    State state = State::done;
    std::string_view data;     ///< inside the buffer
    std::size_t consumed = 0;  ///< consume this much of the buffer when `data` is used up
  };

  BodyReader() = default;
  explicit BodyReader(const MessageFacts& facts);

  /// The next bytes of the body out of those buffered. With Framing::until_close `need_more` until the reader
  /// of the socket meets its end and calls finish().
  [[nodiscard]] Step take(Buffer& buffer);

  [[nodiscard]] bool done() const { return done_; }
  void finish() { done_ = true; }
  [[nodiscard]] Framing framing() const { return framing_; }
  /// With Framing::length: bytes still to come.
  [[nodiscard]] std::uint64_t remaining() const { return remaining_; }
  [[nodiscard]] const std::vector<Field>& trailers() const;

 private:
  Framing framing_ = Framing::none;
  std::uint64_t remaining_ = 0;
  bool done_ = true;
  std::optional<ChunkedDecoder> chunked_;
};

/// The buffers of one write in the framing of an outgoing message. Nothing is copied: what is added must
/// outlive it.
class OutgoingBody {
 public:
  explicit OutgoingBody(bool chunked) : chunked_(chunked) {}

  /// Bytes that stand as they are (a head).
  void add_raw(std::string_view bytes);
  /// Body bytes: a chunk, where it is chunked; nothing when empty.
  void add(std::string_view data);
  /// The last chunk and its trailers, where it is chunked.
  void add_end(const std::vector<Field>& trailers);

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::span<asio::const_buffer> buffers() { return {buffers_, count_}; }

 private:
  static constexpr std::size_t kMaxBuffers = 8;
  void push(std::string_view bytes);

  bool chunked_;
  std::size_t count_ = 0;
  asio::const_buffer buffers_[kMaxBuffers];
  char size_line_[2][20];  // of at most two chunks in a write: held bytes and fresh ones
  std::size_t chunks_ = 0;
  std::string end_;
};

}  // namespace qrerank::proxy::http

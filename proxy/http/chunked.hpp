// The chunked transfer coding, incoming: Beast's parser does the decoding; data comes out in place. Outgoing
// chunks are framed anew by whoever writes, so extensions end here and a lenient reading cannot travel on.
// Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/http/message.hpp"

namespace qrerank::proxy::http {

class ChunkedDecoder {
 public:
  enum class State { need_more, done, malformed };
  struct Step {
    State state = State::need_more;
    std::string_view data;     ///< decoded bytes, inside the given ones
    std::size_t consumed = 0;  ///< of the given bytes; the rest must be given again, with more behind it
  };

  ChunkedDecoder();
  ChunkedDecoder(ChunkedDecoder&&) noexcept;
  ChunkedDecoder& operator=(ChunkedDecoder&&) noexcept;
  ~ChunkedDecoder();

  /// Decodes as much of bytes[0, size) as there is, moving the data of several chunks together.
  [[nodiscard]] Step decode(char* bytes, std::size_t size);

  /// After `done`: the trailer section.
  [[nodiscard]] const std::vector<Field>& trailers() const;

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace qrerank::proxy::http

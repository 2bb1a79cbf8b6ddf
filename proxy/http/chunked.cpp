#include "proxy/http/chunked.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <cstring>
#include <limits>

#include "proxy/http/head.hpp"

namespace qrerank::proxy::http {
namespace {

namespace beast_http = boost::beast::http;
using ErrorCode = boost::beast::error_code;
using BeastView = boost::beast::string_view;

// No valid rest of a chunked body is shorter than the last chunk, and Beast's parser expects as much to be
// there.
constexpr std::size_t kLastChunk = 5;  // "0\r\n\r\n"
// Of one size line with its extensions, or of the trailers.
constexpr std::size_t kMaxLine = 16 * 1024;
// Larger ones are negative numbers to some who read them.
constexpr std::uint64_t kLongestChunk = (std::numeric_limits<std::int64_t>::max)();

// Beast waits for a CR; a line that ends without one would wait for ever.
bool has_bare_lf(std::string_view text) {
  for (std::size_t lf = text.find('\n'); lf != std::string_view::npos; lf = text.find('\n', lf + 1)) {
    if (lf == 0 || text[lf - 1] != '\r') return true;
  }
  return false;
}

// Beast looks for the end of a quoted string beyond the size line's end: it would wait for bytes that belong
// to somebody else. `rest` is what it could make nothing of yet.
bool is_whole_line(std::string_view rest) {
  if (rest.starts_with("\r\n")) rest.remove_prefix(2);  // of the chunk before
  const std::size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) return false;
  const bool last = rest.starts_with('0') && rest.find_first_not_of('0') == rest.find_first_of(" \t;\r");
  return !last || rest.find("\r\n\r\n") != std::string_view::npos;
}

}  // namespace

class ChunkedDecoder::Parser final : public beast_http::basic_parser<true> {
 public:
  Parser() {
    header_limit((std::numeric_limits<std::uint32_t>::max)());
    body_limit(boost::none);
    static constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    ErrorCode error;
    put(boost::asio::const_buffer(kHead.data(), kHead.size()), error);
  }

  BeastView data;         // of the last put
  bool in_chunk = false;  // inside a chunk's data
  bool in_trailer = false;
  bool bad = false;
  std::vector<Field> trailers;

 private:
  void on_request_impl(beast_http::verb, BeastView, BeastView, int, ErrorCode&) override {}
  void on_response_impl(int, BeastView, int, ErrorCode&) override {}
  void on_field_impl(beast_http::field, BeastView name, BeastView value, ErrorCode&) override {
    if (!in_trailer) return;
    const std::string_view field_name(name.data(), name.size());
    // A folded value does not stand on the name's line; fields about framing or routing have no place here.
    const std::ptrdiff_t gap = value.data() - (name.data() + name.size());
    bad = bad || gap < 1 || gap > 64 ||
          std::memchr(name.data(), '\n', static_cast<std::size_t>(gap) + name.size());
    if (kind_of(field_name) != FieldKind::other) {
      bad = true;
      return;
    }
    trailer_bytes_ += field_name.size() + value.size() + 4;
    bad = bad || trailer_bytes_ > kMaxLine;
    trailers.push_back({std::string(field_name), std::string(value.data(), value.size())});
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(BeastView, ErrorCode&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t size, BeastView extension, ErrorCode&) override {
    bad = bad || size > kLongestChunk || extension.size() > kMaxLine;
    for (char c : extension) bad = bad || (static_cast<unsigned char>(c) < 0x20 && c != '\t');
    in_chunk = size > 0;
    in_trailer = size == 0;
  }
  std::size_t on_chunk_body_impl(std::uint64_t remain, BeastView body, ErrorCode&) override {
    data = body;
    in_chunk = body.size() < remain;
    return body.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  std::size_t trailer_bytes_ = 0;
};

ChunkedDecoder::ChunkedDecoder() : parser_(std::make_unique<Parser>()) {}
ChunkedDecoder::ChunkedDecoder(ChunkedDecoder&&) noexcept = default;
ChunkedDecoder& ChunkedDecoder::operator=(ChunkedDecoder&&) noexcept = default;
ChunkedDecoder::~ChunkedDecoder() = default;

ChunkedDecoder::Step ChunkedDecoder::decode(char* bytes, std::size_t size) {
  Step step;
  char* out = nullptr;  // end of the data so far
  bool stuck = false;
  while (step.consumed < size) {
    const std::size_t left = size - step.consumed;
    if (!parser_->in_chunk && left < kLastChunk) break;
    parser_->data = {};
    ErrorCode error;
    step.consumed += parser_->put(boost::asio::const_buffer(bytes + step.consumed, left), error);
    if (!parser_->data.empty()) {
      const std::size_t n = parser_->data.size();
      if (out == nullptr) {
        step.data = {parser_->data.data(), n};
        out = bytes + (parser_->data.data() - bytes) + n;
      } else {
        std::memmove(out, parser_->data.data(), n);
        out += n;
        step.data = {step.data.data(), step.data.size() + n};
      }
    }
    if (parser_->bad || (error && error != beast_http::error::need_more)) {
      step.state = State::malformed;
      return step;
    }
    if (parser_->is_done()) {
      step.state = State::done;
      return step;
    }
    stuck = !!error;  // need_more
    if (stuck) break;
  }
  if (!parser_->in_chunk) {
    const std::string_view line(bytes + step.consumed, size - step.consumed);
    if (line.size() > kMaxLine || has_bare_lf(line) || (stuck && is_whole_line(line)))
      step.state = State::malformed;
  }
  return step;
}

const std::vector<Field>& ChunkedDecoder::trailers() const {
  return parser_->trailers;
}

}  // namespace qrerank::proxy::http

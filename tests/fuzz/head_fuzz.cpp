// HTTP heads and chunked bodies as strangers send them. A head that is let through must be read by the next
// hop exactly as it was read here: that is what keeps requests from being smuggled past.
#include <algorithm>
#include <string>
#include <vector>

#include "proxy/http/chunked.hpp"
#include "proxy/http/forwarding.hpp"
#include "proxy/http/head.hpp"
#include "proxy/http/head_writer.hpp"
#include "tests/fuzz/chunked_reference.hpp"
#include "tests/fuzz/property.hpp"

namespace qrerank::fuzz {
namespace {

namespace http = proxy::http;

// Where a reader's pieces end; any sequence will do, as long as it is the input's own.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : state_(std::hash<std::string_view>{}(text)) {}
  std::size_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    const std::size_t drawn = (state_ >> 33) % 16;
    return drawn < 12 ? drawn + 1 : drawn * drawn;
  }

 private:
  std::uint64_t state_;
};

void scanned_in_pieces(std::string_view text, http::HeadScan::Result whole, std::size_t size) {
  http::HeadScan scan;
  Pieces pieces(text);
  std::size_t seen = 0;
  auto result = http::HeadScan::Result::need_more;
  while (result == http::HeadScan::Result::need_more && seen < text.size()) {
    seen = std::min(text.size(), seen + pieces.next());
    result = scan.scan(text.substr(0, seen));
  }
  must(result == whole, "a head ends at the same place however it arrives");
  must(result != http::HeadScan::Result::complete || scan.size() == size, "a head is as long in pieces");
}

void fields_are_sound(std::string_view head, const std::vector<http::FieldView>& fields) {
  for (const auto& field : fields) {
    must(!field.name.empty(), "a field has a name");
    must(field.name.data() >= head.data() &&
             field.value.data() + field.value.size() <= head.data() + head.size(),
         "a field lies in the head");
    must(field.name.find_first_of(" \t\r\n:\0") == std::string_view::npos, "a name is a token");
    must(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
         "a value has no line end");
  }
}

// The fields that nobody but the two ends looks at, as pairs.
std::vector<std::string> end_to_end(const std::vector<http::FieldView>& fields) {
  const auto names = http::connection_names(fields);
  std::vector<std::string> found;
  for (const auto& field : fields) {
    const auto kind = http::kind_of(field.name);
    if (kind == http::FieldKind::other && !http::is_hop_by_hop(kind, field.name, names)) {
      found.push_back(std::string(field.name) + ": " + std::string(field.value));
    }
  }
  return found;
}

// What was written must be one whole head, and nothing but it.
void is_one_head(std::string_view written) {
  http::HeadScan scan;
  must(scan.scan(written) == http::HeadScan::Result::complete && scan.size() == written.size(),
       "what is written is one head");
}

void request(std::string_view bytes) {
  http::RequestHead head;
  if (http::parse_head(bytes, head)) return;
  fields_are_sound(bytes, head.fields);
  const auto facts = http::examine(head);
  if (!facts) return;
  const proxy::config::Proxy settings;
  http::AddedLines lines;
  if (http::prepare_forwarding(head, *facts, {settings, "::1", false, "up:1"}, lines)) return;

  std::string relayed;
  http::append_relayed_request(relayed, head, *facts);
  is_one_head(relayed);
  http::RequestHead again;
  must(!http::parse_head(relayed, again), "a relayed request is well-formed");
  must(again.method == head.method && again.target == head.target, "a request line stays");
  must(end_to_end(again.fields) == end_to_end(head.fields), "end-to-end fields stay");
  const auto read = http::examine(again);
  must(read && read->framing == facts->framing && read->length == facts->length,
       "the next hop frames a relayed request alike");
  must(read->upgrade == facts->upgrade, "an upgrade is relayed as one");

  std::string held;
  http::append_held_request(held, head.method, head.target, head.fields, 7);
  is_one_head(held);
  must(!http::parse_head(held, again), "a held request is well-formed");
  const auto length = http::examine(again);
  must(length && length->framing == http::Framing::length && length->length == 7,
       "a held request has our length");
  must(!length->expect_continue && !length->upgrade, "a held request expects nothing");
}

void response(std::string_view bytes) {
  http::ResponseHead head;
  if (http::parse_head(bytes, head)) return;
  fields_are_sound(bytes, head.fields);
  const auto facts = http::examine(head, false);
  if (!facts) return;
  std::string relayed;
  http::append_relayed_response(relayed, head, {});
  is_one_head(relayed);
  http::ResponseHead again;
  must(!http::parse_head(relayed, again), "a relayed response is well-formed");
  must(again.status == head.status, "a status stays");
  must(end_to_end(again.fields) == end_to_end(head.fields), "a response's end-to-end fields stay");
  const auto read = http::examine(again, false);
  must(read && read->framing == facts->framing && read->length == facts->length,
       "a client frames a relayed response alike");
}

struct Decoded {
  http::ChunkedDecoder::State state = http::ChunkedDecoder::State::need_more;
  std::string data;
  std::size_t consumed = 0;
  std::vector<http::Field> trailers;
};

// As a connection reads: bytes arrive, what is not consumed stays in front of what arrives next.
template <class Next>
Decoded decode(std::string_view text, Next next) {
  http::ChunkedDecoder decoder;
  Decoded all;
  std::string buffer;
  std::size_t given = 0;
  while (given < text.size()) {
    const std::size_t more = std::min(text.size() - given, next());
    buffer.append(text.substr(given, more));
    given += more;
    const auto step = decoder.decode(buffer.data(), buffer.size());
    must(step.consumed <= buffer.size(), "a decoder consumes what it was given");
    all.data.append(step.data);
    all.consumed += step.consumed;
    buffer.erase(0, step.consumed);
    all.state = step.state;
    if (step.state == http::ChunkedDecoder::State::done) all.trailers = decoder.trailers();
    if (step.state != http::ChunkedDecoder::State::need_more) break;
  }
  return all;
}

void chunked(std::string_view text) {
  const Decoded whole = decode(text, [&] { return text.size(); });
  Pieces sizes(text);
  const Decoded pieces = decode(text, [&] { return sizes.next(); });
  using State = http::ChunkedDecoder::State;
  must(whole.data.size() <= text.size(), "decoding does not add bytes");
  // Malformed is final, however early it is noticed.
  must((whole.state == State::done) == (pieces.state == State::done), "chunks end alike however they arrive");
  if (whole.state == State::done) {
    must(whole.data == pieces.data && whole.consumed == pieces.consumed, "chunks decode alike");
    must(whole.trailers == pieces.trailers, "trailers are read alike");
    const auto slow = decode_slowly(text);
    must(slow && slow->data == whole.data && slow->end == whole.consumed, "chunks end where the RFC says");
  }
}

}  // namespace
}  // namespace qrerank::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qrerank::fuzz;
  const std::string_view text = text_of(data, size);
  qrerank::proxy::http::HeadScan scan;
  const auto result = scan.scan(text);
  scanned_in_pieces(text, result, scan.size());
  if (result == qrerank::proxy::http::HeadScan::Result::complete) {
    const std::string_view head = text.substr(0, scan.size());
    if (head.starts_with("HTTP/")) {
      response(head);
    } else {
      request(head);
    }
    chunked(text.substr(scan.size()));
  }
  return 0;
}

#include "proxy/http/body.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace qrerank::proxy::http {

BodyReader::BodyReader(const MessageFacts& facts)
    : framing_(facts.framing), remaining_(facts.length), done_(facts.framing == Framing::none) {
  if (framing_ == Framing::chunked) chunked_.emplace();
}

BodyReader::Step BodyReader::take(Buffer& buffer) {
  if (done_) return {State::done, {}, 0};
  switch (framing_) {
    case Framing::none:
      return {State::done, {}, 0};
    case Framing::length: {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, buffer.size()));
      remaining_ -= n;
      done_ = remaining_ == 0;
      return {done_ ? State::done : State::need_more, {buffer.data(), n}, n};
    }
    case Framing::until_close:
      return {State::need_more, buffer.view(), buffer.size()};
    case Framing::chunked:
      break;
  }
  const ChunkedDecoder::Step step = chunked_->decode(buffer.data(), buffer.size());
  if (step.state == ChunkedDecoder::State::malformed) return {State::malformed, {}, step.consumed};
  done_ = step.state == ChunkedDecoder::State::done;
  return {done_ ? State::done : State::need_more, step.data, step.consumed};
}

const std::vector<Field>& BodyReader::trailers() const {
  static const std::vector<Field> kNone;
  return chunked_ ? chunked_->trailers() : kNone;
}

void OutgoingBody::push(std::string_view bytes) {
  if (count_ == kMaxBuffers) throw std::logic_error("OutgoingBody: too many pieces in one write");
  buffers_[count_++] = asio::const_buffer(bytes.data(), bytes.size());
}

void OutgoingBody::add_raw(std::string_view bytes) {
  if (!bytes.empty()) push(bytes);
}

void OutgoingBody::add(std::string_view data) {
  if (data.empty()) return;
  if (!chunked_) {
    push(data);
    return;
  }
  if (chunks_ == 2) throw std::logic_error("OutgoingBody: more than two chunks in one write");
  char* line = size_line_[chunks_++];
  char* end = std::to_chars(line, line + 16, data.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  push({line, static_cast<std::size_t>(end - line)});
  push(data);
  push("\r\n");
}

void OutgoingBody::add_end(const std::vector<Field>& trailers) {
  if (!chunked_) return;
  end_ = "0\r\n";
  for (const Field& field : trailers) end_.append(field.name).append(": ").append(field.value).append("\r\n");
  end_ += "\r\n";
  push(end_);
}

}  // namespace qrerank::proxy::http

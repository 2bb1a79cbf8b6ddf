#include "proxy/http/head.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <cstring>
#include <limits>

namespace qrerank::proxy::http {
namespace {

namespace beast_http = boost::beast::http;
using ErrorCode = boost::beast::error_code;
using BeastView = boost::beast::string_view;

std::string_view view(BeastView text) {
  return {text.data(), text.size()};
}

/// Beast's parser with its callbacks turned into views; nothing is copied.
template <bool IsRequest, class Head>
class HeadParser final : public beast_http::basic_parser<IsRequest> {
 public:
  explicit HeadParser(Head& head) : head_(head) {
    this->header_limit((std::numeric_limits<std::uint32_t>::max)());  // the session has its own
    this->body_limit(boost::none);
    head_.fields.clear();
  }

  [[nodiscard]] bool folded() const { return folded_; }

 private:
  void on_request_impl(beast_http::verb, BeastView method, BeastView target, int version,
                       ErrorCode&) override {
    if constexpr (IsRequest) {
      head_.method = view(method);
      head_.target = view(target);
      head_.version = version;
    }
  }
  void on_response_impl(int status, BeastView reason, int version, ErrorCode&) override {
    if constexpr (!IsRequest) {
      head_.status = static_cast<unsigned>(status);
      head_.reason = view(reason);
      head_.version = version;
    }
  }
  void on_field_impl(beast_http::field, BeastView name, BeastView value, ErrorCode&) override {
    // Beast unfolds obs-fold, into its own buffer or by skipping empty lines: the value is then not on the
    // name's line.
    const char* p = name.data() + name.size() + 1;
    if (value.data() < p || static_cast<std::size_t>(value.data() - p) > kMaxGap) {
      folded_ = true;
    } else {
      for (; p != value.data(); ++p) folded_ = folded_ || *p == '\n';
    }
    head_.fields.push_back({view(name), view(value)});
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(BeastView, ErrorCode&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, BeastView, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView, ErrorCode&) override { return 0; }
  void on_finish_impl(ErrorCode&) override {}

  static constexpr std::size_t kMaxGap = 1024;  // whitespace before a value; more is nobody's honest header
  Head& head_;
  bool folded_ = false;
};

// Does the first line end in a well-formed version that is not one of ours? Else the line itself is broken.
bool names_other_version(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find('\r'));
  const std::string_view word = line.substr(line.rfind(' ') + 1);
  const auto digit = [&](std::size_t i) { return word[i] >= '0' && word[i] <= '9'; };
  return word.size() == 8 && word.starts_with("HTTP/") && digit(5) && word[6] == '.' && digit(7) &&
         word != "HTTP/1.0" && word != "HTTP/1.1";
}

// Not ending in `chunked`, the end of the body cannot be known (RFC 9112 §6.3); ending in it behind codings
// that nobody here decodes, it can.
HeadError refused_coding(std::string_view codings) {
  std::size_t elements = 1;
  for (char c : codings) elements += c == ',' ? 1u : 0u;
  std::size_t tokens = 0;
  std::size_t chunked = 0;
  std::string_view last;
  for_each_token(codings, [&](std::string_view token) {
    ++tokens;
    chunked += iequals(token, "chunked") ? 1u : 0u;
    last = token;
  });
  if (tokens != elements || chunked != 1 || !iequals(last, "chunked")) {
    return HeadError{400, "ambiguous Transfer-Encoding"};
  }
  return HeadError{501, "Transfer-Encoding other than chunked"};
}

template <bool IsRequest, class Head>
std::optional<HeadError> parse(std::string_view bytes, Head& head) {
  HeadParser<IsRequest, Head> parser(head);
  ErrorCode error;
  parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  if (error == beast_http::error::bad_version && names_other_version(bytes))
    return HeadError{505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  if (error == beast_http::error::bad_version) return HeadError{400, "malformed request line"};
  if (error == beast_http::error::bad_method) return HeadError{400, "malformed request line"};
  if (error == beast_http::error::bad_target) return HeadError{400, "malformed request target"};
  if (error == beast_http::error::bad_transfer_encoding) return HeadError{400, "ambiguous Transfer-Encoding"};
  if (error == beast_http::error::bad_content_length) return HeadError{400, "invalid Content-Length"};
  if (error == beast_http::error::multiple_content_length) return HeadError{400, "several Content-Length"};
  if (error) return HeadError{400, "malformed header"};
  if (parser.folded()) return HeadError{400, "a header folded over several lines"};
  if (!parser.is_header_done()) return HeadError{400, "malformed header"};
  if constexpr (!IsRequest) {
    // Beast takes any three digits; `000` could not be written again.
    if (head.status < 100) return HeadError{400, "malformed status line"};
  }
  return std::nullopt;
}

// Larger ones are negative numbers to some who read them.
constexpr std::uint64_t kLongestBody = (std::numeric_limits<std::int64_t>::max)();

struct RawFacts {
  MessageFacts facts;
  bool close = false;
  bool keep_alive_token = false;
  bool has_length = false;
  bool has_coding = false;
};

tl::expected<RawFacts, HeadError> collect(const std::vector<FieldView>& fields, int version) {
  RawFacts raw;
  bool upgrade_named = false;
  bool upgrade_field = false;
  for (const FieldView& field : fields) {
    switch (kind_of(field.name)) {
      case FieldKind::content_length: {
        const char* end = field.value.data() + field.value.size();
        const auto [stop, bad] = std::from_chars(field.value.data(), end, raw.facts.length);
        if (field.value.empty() || bad != std::errc{} || stop != end || raw.facts.length > kLongestBody) {
          return tl::unexpected(HeadError{400, "invalid Content-Length"});
        }
        if (raw.has_length) return tl::unexpected(HeadError{400, "several Content-Length"});
        raw.has_length = true;
        break;
      }
      case FieldKind::transfer_encoding:
        if (raw.has_coding) return tl::unexpected(HeadError{400, "several Transfer-Encoding"});
        if (!iequals(field.value, "chunked")) {
          return tl::unexpected(refused_coding(field.value));
        }
        if (version < 11) return tl::unexpected(HeadError{400, "Transfer-Encoding in an HTTP/1.0 message"});
        raw.has_coding = true;
        break;
      case FieldKind::connection:
        for_each_token(field.value, [&](std::string_view token) {
          raw.close = raw.close || iequals(token, "close");
          raw.keep_alive_token = raw.keep_alive_token || iequals(token, "keep-alive");
          upgrade_named = upgrade_named || iequals(token, "upgrade");
        });
        break;
      case FieldKind::upgrade:
        // h2c would carry requests past us that nobody looked at.
        upgrade_field = !field.value.empty();
        for_each_token(field.value, [&](std::string_view token) {
          if (iequals(token.substr(0, 3), "h2c")) upgrade_field = false;
        });
        break;
      case FieldKind::expect:
        raw.facts.expect_continue = iequals(field.value, "100-continue");
        break;
      case FieldKind::host:
        if (raw.facts.has_host) return tl::unexpected(HeadError{400, "several Host"});
        raw.facts.has_host = true;
        if (!is_host(field.value)) return tl::unexpected(HeadError{400, "invalid Host"});
        break;
      case FieldKind::hop_by_hop:
      case FieldKind::other:
        break;
    }
  }
  if (raw.has_length && raw.has_coding) {
    return tl::unexpected(HeadError{400, "both Content-Length and Transfer-Encoding"});
  }
  raw.facts.upgrade = upgrade_named && upgrade_field && version >= 11;
  raw.facts.keep_alive = !raw.close && (version >= 11 || raw.keep_alive_token);
  return raw;
}

}  // namespace

HeadScan::Result HeadScan::scan(std::string_view bytes) {
  while (scanned_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (found == nullptr) {
      scanned_ = bytes.size();
      break;
    }
    const auto lf = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    if (lf == line_ || bytes[lf - 1] != '\r') return Result::bare_lf;
    const bool empty = lf == line_ + 1;
    line_ = scanned_ = lf + 1;
    if (empty) return Result::complete;
  }
  return Result::need_more;
}

std::optional<HeadError> parse_head(std::string_view bytes, RequestHead& head) {
  return parse<true>(bytes, head);
}
std::optional<HeadError> parse_head(std::string_view bytes, ResponseHead& head) {
  return parse<false>(bytes, head);
}

tl::expected<MessageFacts, HeadError> examine(const RequestHead& head) {
  auto raw = collect(head.fields, head.version);
  if (!raw) return tl::unexpected(raw.error());
  MessageFacts& facts = raw->facts;
  if (raw->has_coding) facts.framing = Framing::chunked;
  if (raw->has_length && facts.length > 0) facts.framing = Framing::length;
  if (head.method == "CONNECT") return tl::unexpected(HeadError{501, "CONNECT is not served here"});
  if (head.version >= 11 && !facts.has_host) return tl::unexpected(HeadError{400, "no Host"});
  const auto target = parse_target(head.method, head.target);
  if (!target) return tl::unexpected(HeadError{400, "invalid request target"});
  facts.target = *target;
  return facts;
}

tl::expected<MessageFacts, HeadError> examine(const ResponseHead& head, bool to_head) {
  if (head.status > 599) return tl::unexpected(HeadError{502, "a status over 599"});
  auto raw = collect(head.fields, head.version);
  if (!raw) return tl::unexpected(raw.error());
  MessageFacts& facts = raw->facts;
  const bool bodyless = to_head || is_bodyless(head.status);
  if (bodyless || (raw->has_length && facts.length == 0)) {
    facts.framing = Framing::none;
  } else if (raw->has_coding) {
    facts.framing = Framing::chunked;
  } else if (raw->has_length) {
    facts.framing = Framing::length;
  } else {
    facts.framing = Framing::until_close;
    facts.keep_alive = false;
  }
  return facts;
}

FieldKind kind_of(std::string_view name) {
  switch (name.size()) {
    case 2:
      return iequals(name, "TE") ? FieldKind::hop_by_hop : FieldKind::other;
    case 4:
      return iequals(name, "Host") ? FieldKind::host : FieldKind::other;
    case 6:
      return iequals(name, "Expect") ? FieldKind::expect : FieldKind::other;
    case 7:
      return iequals(name, "Upgrade") ? FieldKind::upgrade : FieldKind::other;
    case 10:
      if (iequals(name, "Connection")) return FieldKind::connection;
      return iequals(name, "Keep-Alive") ? FieldKind::hop_by_hop : FieldKind::other;
    case 14:
      if (iequals(name, "Content-Length")) return FieldKind::content_length;
      return iequals(name, "HTTP2-Settings") ? FieldKind::hop_by_hop : FieldKind::other;
    case 16:
      return iequals(name, "Proxy-Connection") ? FieldKind::hop_by_hop : FieldKind::other;
    case 17:
      return iequals(name, "Transfer-Encoding") ? FieldKind::transfer_encoding : FieldKind::other;
    case 18:
      return iequals(name, "Proxy-Authenticate") ? FieldKind::hop_by_hop : FieldKind::other;
    case 19:
      return iequals(name, "Proxy-Authorization") ? FieldKind::hop_by_hop : FieldKind::other;
    default:
      return FieldKind::other;
  }
}

}  // namespace qrerank::proxy::http

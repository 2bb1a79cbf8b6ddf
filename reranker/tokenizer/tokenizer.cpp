// The C++ face of the tokenizers library: ownership and error handling around ffi.hpp.
#include "reranker/tokenizer/tokenizer.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>

#include "reranker/regular_file.hpp"
#include "reranker/tokenizer/ffi.hpp"

namespace qrerank::reranker::tokenizer {
namespace {

/// Tokens read beyond the last one wanted, so that a cut in the text cannot have changed those returned.
constexpr std::size_t kMargin = 16;
/// First guess of a token's bytes; a text with longer ones is read in growing pieces.
constexpr std::size_t kBytesPerToken = 16;

/// The largest published ones have some 20 MB.
constexpr std::uint64_t kMaxFileBytes = std::uint64_t{512} << 20U;

const std::uint8_t* bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// The library's buffer, given back to it at the end of the scope.
struct Ids {
  QrtBuffer buffer{nullptr, 0};

  Ids() = default;
  Ids(const Ids&) = delete;
  Ids& operator=(const Ids&) = delete;
  ~Ids() { qrt_free_buffer(buffer); }

  [[nodiscard]] std::span<const std::uint32_t> values() const { return {buffer.values, buffer.count}; }
};

/// The longest cut of at most `limit` bytes that ends before a whitespace, else before a whole character.
std::string_view cut_before_whitespace(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  const auto at = text.find_last_of(" \t\r\n", limit);
  if (at != std::string_view::npos && at > limit / 2) return text.substr(0, at);
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end == 0 ? limit : end);
}

}  // namespace

struct Tokenizer::Handle {
  QrtTokenizer* tokenizer;

  explicit Handle(QrtTokenizer* loaded) : tokenizer(loaded) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { qrt_free(tokenizer); }
};

Tokenizer::Tokenizer(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

tl::expected<Tokenizer, std::string> Tokenizer::load(const std::filesystem::path& file) {
  const auto json = read_regular_file(file, kMaxFileBytes);
  if (!json) return tl::unexpected(json.error());
  std::array<char, 512> error{};
  auto* loaded =
      qrt_load(bytes(*json), json->size(), reinterpret_cast<std::uint8_t*>(error.data()), error.size());
  if (loaded == nullptr) return tl::unexpected(file.string() + ": " + error.data());
  return Tokenizer(std::make_unique<Handle>(loaded));
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text) const {
  Ids ids;
  if (qrt_encode(handle_->tokenizer, bytes(text), text.size(), &ids.buffer) != 0) {
    throw std::runtime_error("the tokenizers library could not encode a text of " +
                             std::to_string(text.size()) + " bytes");
  }
  return {ids.values().begin(), ids.values().end()};
}

std::vector<std::int32_t> Tokenizer::encode_first(std::string_view text, std::size_t wanted) const {
  const std::size_t reach = wanted + kMargin;
  for (std::size_t limit = reach * kBytesPerToken;; limit *= 4) {
    const auto piece = cut_before_whitespace(text, limit);
    auto ids = encode(piece);
    if (piece.size() < text.size() && ids.size() < reach) continue;
    ids.resize(std::min(ids.size(), wanted));
    return ids;
  }
}

std::optional<std::int32_t> Tokenizer::token_to_id(std::string_view token) const {
  const auto id = qrt_token_to_id(handle_->tokenizer, bytes(token), token.size());
  if (id < 0) return std::nullopt;
  return static_cast<std::int32_t>(id);
}

std::size_t Tokenizer::vocabulary_size() const {
  return qrt_vocabulary_size(handle_->tokenizer);
}

tl::expected<PairTemplate, std::string> Tokenizer::pair_template() const {
  Ids ids;
  if (qrt_pair_template(handle_->tokenizer, &ids.buffer) != 0) {
    return tl::unexpected<std::string>("its post-processor does not take a pair of texts");
  }
  PairTemplate layout;
  const auto values = ids.values();  // [tokens, 3]: id, type, part
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i + 2 < values.size(); i += 3) {
    const auto id = static_cast<std::int32_t>(values[i]);
    const auto type = static_cast<std::int32_t>(values[i + 1]);
    const auto part = values[i + 2];
    if (part != 0) {
      if (part < seen) return tl::unexpected<std::string>("its post-processor swaps the two texts");
      seen = part;
      (part == 1 ? layout.first_type : layout.second_type) = type;
    } else {
      (seen == 0 ? layout.before : seen == 1 ? layout.between : layout.after).push_back({id, type});
    }
  }
  if (seen != 2 || layout.before.empty() || layout.between.empty()) {
    return tl::unexpected<std::string>("its post-processor adds no special tokens to a pair of texts");
  }
  return layout;
}

}  // namespace qrerank::reranker::tokenizer

#include "reranker/model/qwen3_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace qrerank::reranker::model {
namespace {

/// Control tokens that the published tokenizer does not mark as special: it would read them out of a text.
constexpr std::array<std::string_view, 2> kUnmarked{"<think>", "</think>"};

/// Bytes up to and with the `<` of the first of them; the whole text where there is none. Looks no further: a
/// text full of them is read once, not once for each.
std::size_t plain_stretch(std::string_view text) {
  for (auto at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    const auto here = text.substr(at);
    if (std::ranges::any_of(kUnmarked, [&](auto token) { return here.starts_with(token); })) return at + 1;
  }
  return text.size();
}

tl::expected<std::vector<std::int32_t>, std::string> ids_of(const tokenizer::Tokenizer& tokenizer,
                                                            std::span<const prompt::Qwen3Part> parts) {
  std::vector<std::int32_t> ids;
  for (const auto& part : parts) {
    if (!part.control) {
      const auto plain = tokenizer.encode(part.text);
      ids.insert(ids.end(), plain.begin(), plain.end());
    } else if (const auto id = tokenizer.token_to_id(part.text)) {
      ids.push_back(*id);
    } else {
      return tl::unexpected("expected the control token '" + std::string(part.text) + "', found none");
    }
  }
  return ids;
}

}  // namespace

tl::expected<Qwen3Text, std::string> Qwen3Text::load(const std::filesystem::path& file) {
  auto tokenizer = tokenizer::Tokenizer::load(file);
  if (!tokenizer) return tl::unexpected(tokenizer.error());
  auto before = ids_of(*tokenizer, prompt::qwen3_before());
  if (!before) return tl::unexpected(file.string() + ": " + before.error());
  auto after = ids_of(*tokenizer, prompt::qwen3_after());
  if (!after) return tl::unexpected(file.string() + ": " + after.error());
  Qwen3Text text(std::move(*tokenizer));
  text.layout_ = {std::move(*before), text.tokenizer_.encode(prompt::kQwen3DocumentLabel), std::move(*after)};
  return text;
}

EncodedTexts Qwen3Text::encode(std::string_view instruction, std::string_view query,
                               std::span<const std::string> texts, std::size_t max_length) const {
  const auto question = prompt::qwen3_question(instruction, query);
  const auto whole = encode_plain(question + std::string(prompt::kQwen3DocumentLabel), max_length + 1);
  // Encoded again only where it will be cut.
  const bool too_long = whole.size() > max_length - layout_.before.size() - layout_.after.size();
  const auto alone = too_long ? encode_plain(question, max_length) : std::vector<std::int32_t>{};
  auto prefix = prompt::qwen3_prefix(layout_, whole, alone, max_length);
  const auto room = prompt::qwen3_document_room(layout_, prefix, max_length);
  EncodedTexts encoded;
  encoded.prefix = prefixes_.intern(std::move(prefix));
  encoded.texts.reserve(texts.size());
  for (const auto& text : texts) {
    const auto ids = encode_plain(prompt::qwen3_document(text), room);
    encoded.texts.push_back(prompt::qwen3_body(layout_, ids));
  }
  return encoded;
}

tl::expected<std::int32_t, std::string> Qwen3Text::word(std::string_view word) const {
  const auto ids = tokenizer_.encode(word);
  const auto id = tokenizer_.token_to_id(word);
  if (ids.size() != 1 || id != ids.front()) {
    return tl::unexpected("the answer '" + std::string(word) + "': expected one token, found " +
                          std::to_string(ids.size()));
  }
  return ids.front();
}

std::vector<std::int32_t> Qwen3Text::encode_plain(std::string_view text, std::size_t wanted) const {
  std::vector<std::int32_t> ids;
  do {
    const auto stretch = plain_stretch(text);
    const auto more = tokenizer_.encode_first(text.substr(0, stretch), wanted - ids.size());
    ids.insert(ids.end(), more.begin(), more.end());
    text.remove_prefix(stretch);
  } while (!text.empty() && ids.size() < wanted);
  return ids;
}

}  // namespace qrerank::reranker::model

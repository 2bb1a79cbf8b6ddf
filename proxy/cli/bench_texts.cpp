#include "proxy/cli/bench_texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <istream>
#include <iterator>
#include <limits>
#include <numeric>
#include <random>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "reranker/utf8.hpp"

namespace qrerank::proxy::cli {
namespace {

constexpr std::size_t kMaxInput = 64u << 20;

// A word is a token or two in every published vocabulary, about 1.3 in the mean, as in running English text.
constexpr std::array<std::string_view, 64> kWords = {
    "the",          "of",         "and",         "to",         "in",         "that",          "is",
    "for",          "with",       "as",          "by",         "from",       "this",          "which",
    "when",         "between",    "image",       "server",     "network",    "measure",       "temperature",
    "library",      "government", "medical",     "patients",   "growth",     "surface",       "pressure",
    "boundary",     "protein",    "language",    "music",      "harbour",    "railway",       "winter",
    "forest",       "painting",   "economy",     "software",   "database",   "retrieval",     "document",
    "question",     "answer",     "compression", "photograph", "resolution", "thermodynamic", "observed",
    "increases",    "reduces",    "describes",   "requires",   "supports",   "compares",      "installed",
    "small",        "larger",     "early",       "different",  "several",    "public",        "important",
    "approximately"};

std::string made_up_text(std::size_t words, std::mt19937_64& random) {
  const auto count = std::max<std::size_t>(1, words / 2 + random() % (words + 1));
  std::string text;
  for (std::size_t word = 0; word < count; ++word) {
    text += kWords[random() % kWords.size()];
    text += word + 1 == count || random() % 12 == 0 ? ". " : " ";
  }
  return text;
}

}  // namespace

BenchTexts BenchTexts::made_up(std::size_t words) {
  BenchTexts texts;
  texts.words_ = std::max<std::size_t>(1, words);
  return texts;
}

tl::expected<BenchTexts, std::string> BenchTexts::lines(std::istream& in, std::size_t max_chars) {
  BenchTexts texts;
  std::unordered_set<std::string> seen;
  std::size_t bytes = 0;
  for (std::string line; std::getline(in, line);) {
    bytes += line.size() + 1;
    if (bytes > kMaxInput) return tl::unexpected<std::string>("more than 64 MiB");
    if (line.ends_with('\r')) line.pop_back();
    if (reranker::is_blank(line)) continue;
    auto text = reranker::first_code_points(line, max_chars);
    if (seen.insert(text).second) texts.lines_.push_back(std::move(text));
  }
  if (texts.lines_.empty()) return tl::unexpected<std::string>("no line that is not blank");
  return texts;
}

std::size_t BenchTexts::most() const {
  return words_ != 0 ? std::numeric_limits<std::size_t>::max() : lines_.size();
}

std::vector<std::string> BenchTexts::draw(std::size_t count, std::size_t search) const {
  std::mt19937_64 random(search + 1);
  std::vector<std::string> drawn;
  if (words_ != 0) {
    // A number before each, for short ones may be alike.
    for (std::size_t text = 0; text < count; ++text)
      drawn.push_back(fmt::format("{} {}", text + 1, made_up_text(words_, random)));
    return drawn;
  }
  std::vector<std::size_t> places(lines_.size());
  std::iota(places.begin(), places.end(), 0u);
  std::vector<std::size_t> chosen;
  std::ranges::sample(places, std::back_inserter(chosen), static_cast<std::ptrdiff_t>(count), random);
  for (const auto place : chosen) drawn.push_back(lines_[place]);
  return drawn;
}

std::string BenchTexts::described() const {
  return words_ != 0 ? fmt::format("made-up English of about {} words", words_)
                     : fmt::format("{} different lines", lines_.size());
}

}  // namespace qrerank::proxy::cli

// Texts to measure a model with: the user's own lines, or made-up English.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace qrerank::proxy::cli {

class BenchTexts {
 public:
  /// Common English words in random order, about `words` of them a text (half to one and a half times as
  /// many). Any number of texts, no two alike.
  static BenchTexts made_up(std::size_t words);
  /// The distinct lines that are not blank, each cut to `max_chars` code points; at most 64 MiB are read.
  /// The error tells what is wrong with them.
  static tl::expected<BenchTexts, std::string> lines(std::istream& in, std::size_t max_chars);

  /// How many different texts one search may ask for.
  [[nodiscard]] std::size_t most() const;
  /// `count` different texts; equal `search` numbers draw the same ones.
  [[nodiscard]] std::vector<std::string> draw(std::size_t count, std::size_t search) const;
  /// "made-up English of about 90 words", "412 lines of the file".
  [[nodiscard]] std::string described() const;

 private:
  std::size_t words_ = 0;  // 0: lines_
  std::vector<std::string> lines_;
};

}  // namespace qrerank::proxy::cli

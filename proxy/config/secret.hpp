// A text that nobody may see: keys, tokens, passphrases. Whatever prints one prints a mask; the text itself
// is had by one call only, whose name is easy to look for.
#pragma once

#include <fmt/format.h>

#include <iosfwd>
#include <string>
#include <string_view>

namespace qrerank::proxy::config {

/// What stands in a secret's place wherever it is shown.
inline constexpr std::string_view kMasked = "<secret>";

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.forget(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { forget(); }

  [[nodiscard]] bool empty() const { return text_.empty(); }

  /// The text. For the one place that needs it: never for a log, a metric, an error or a page.
  [[nodiscard]] const std::string& reveal() const { return text_; }

  /// Takes as long for a near miss as for a far one. Always false where either is empty.
  [[nodiscard]] bool matches(std::string_view offered) const;

 private:
  void forget() noexcept;  // overwrites it in memory

  std::string text_;
};

/// The mask, or nothing for an empty one.
std::ostream& operator<<(std::ostream& out, const Secret& secret);

}  // namespace qrerank::proxy::config

template <>
struct fmt::formatter<qrerank::proxy::config::Secret> : fmt::formatter<std::string_view> {
  auto format(const qrerank::proxy::config::Secret& secret, format_context& context) const {
    return fmt::formatter<std::string_view>::format(
        secret.empty() ? std::string_view() : qrerank::proxy::config::kMasked, context);
  }
};

// The one table of what a search may ask of the reranker. Body fields, headers, query parameters and
// configuration keys are all generated from it; nothing else names an option. Parsing the carriers is
// proxy/route's work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace qrerank::reranker {

enum class OnError { fallback, error };

/// rerank_timeout_ms where neither the request nor the configuration says one.
inline constexpr std::int64_t kDefaultTimeoutMs = 10'000;

/// What one place says. An absent member was not said there. Values are within the table's bounds.
struct Options {
  std::optional<bool> use_reranker;
  std::optional<std::string> query;
  std::optional<std::string> model;
  std::optional<std::int64_t> top_k;
  std::optional<std::string> instruction;
  std::optional<std::vector<std::string>> fields;
  std::optional<double> score_threshold;
  std::optional<double> weight;
  std::optional<OnError> on_error;
  std::optional<std::int64_t> timeout_ms;

  /// Takes each member from `lower` that is absent here: call from the highest precedence down.
  void fill_from(const Options& lower);

  bool operator==(const Options&) const = default;
};

enum class OptionType {
  boolean,  ///< true/false/1/0 outside JSON
  text,     ///< not empty, not white space alone; at most `max` code points where max > 0
  integer,  ///< min..max
  number,   ///< finite, min..max
  choice,   ///< one of `choices`
  paths,    ///< one path or a list of at most `max`, each not empty
};

/// Bounds that the configuration may move.
struct OptionLimits {
  std::int64_t max_top_k = 200;         ///< rerank.max_top_k
  std::int64_t max_query_chars = 8192;  ///< rerank.max_query_chars, in code points
};

struct OptionSpec {
  std::string_view name;   ///< body field and query parameter: "rerank_top_k"; the flag is "use_reranker"
  std::string_view alias;  ///< "rerank" for the flag, else empty
  OptionType type;
  double min = 0;                 ///< integer, number
  double max = 0;                 ///< integer, number; code points of a text, paths in a list
  std::string_view choices;       ///< choice: "fallback|error"
  std::string_view default_text;  ///< as documentation prints it
  std::string_view sentence;      ///< meaning, one sentence

  /// "X-Rerank" for the flag, "X-Rerank-Top-K" for the rest.
  [[nodiscard]] std::string header_name() const;
  /// "top_k": the key under `rerank:` and under a collection's rule; empty for the flag and for the query.
  [[nodiscard]] std::string config_key() const;
};

/// Every option, in the order that documentation lists them.
std::span<const OptionSpec> option_table();

/// The largest value (integer, number) or length (text, in code points; 0: unbounded) once the
/// configuration's limits are applied.
double effective_max(const OptionSpec& spec, const OptionLimits& limits);

/// What the option takes, as messages and documentation say it: "an integer from 10 to 200".
std::string expected_text(const OptionSpec& spec, const OptionLimits& limits);

/// The spec whose name or alias is `name` (exact), or null.
const OptionSpec* find_option(std::string_view name);

/// A value before it is checked, from whichever carrier.
struct RawOption {
  enum class Kind { boolean, integer, number, text, list, other } kind = Kind::other;
  bool boolean = false;
  std::int64_t integer = 0;         ///< integer; values beyond int64 arrive as number
  double number = 0;                ///< number and integer
  std::string text{};               ///< text; for `other` what a message may show, shortened
  std::vector<std::string> list{};  ///< list
};

/// Checks type and bounds and stores the value in `into`. The error names the option, the value and the
/// bounds: "rerank_top_k: 500 is out of bounds, expected an integer from 10 to 200". Of texts it tells the
/// length only, of other strings a short piece; it is always valid UTF-8 and `into` is untouched. A JSON null
/// is absence: callers do not bring it here.
tl::expected<void, std::string> set_option(Options& into, const OptionSpec& spec, const RawOption& value,
                                           const OptionLimits& limits);

/// Turns carrier text (header, query parameter, environment) into a RawOption of the spec's type, by the
/// grammar of the contract: booleans in any case, lists split at commas outside double quotes (a repeated
/// name is for the caller to append). White space around anything but a text is dropped. What does not parse
/// comes back as Kind::text, which set_option then refuses.
RawOption raw_from_text(const OptionSpec& spec, std::string_view text);

/// The known name closest to `unknown` ("rerank_topk" → "rerank_top_k"), or empty when none is near (edit
/// distance above a third of the unknown name's length; case, and `-` against `_`, do not count). Also used
/// for configuration keys.
std::string nearest_name(std::string_view unknown, std::span<const std::string_view> known);

}  // namespace qrerank::reranker

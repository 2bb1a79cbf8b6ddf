// How one typed value is checked, stored and shown: the makers of schema rows. A row is an accessor (which
// member) plus bounds; everything that is the same for all members of a type stands here. Private to this
// room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/schema.hpp"

namespace qrerank::proxy::config::values {

template <class T>
using Access = T& (*)(const Place&);

using Stored = tl::expected<void, std::string>;

/// `Get` and `Set` of a key whose text goes through `parse` (optional<T> from text) and `print`. The error is
/// "'x' is not <expected>".
template <class T, class Parse, class Print>
void bind(Key& key, Access<T> access, Parse parse, Print print) {
  key.set = [access, parse, expected = key.expected](const Place& place, const Given& given) -> Stored {
    if (given.is_list) {
      return tl::unexpected("a list is not " + expected);
    }
    auto value = parse(given.text);
    if (!value) {
      return tl::unexpected("'" + given.text + "' is not " + expected);
    }
    access(place) = T(*std::move(value));
    return {};
  };
  key.get = [access, print](const Place& place) -> std::optional<Given> {
    return Given{print(access(place)), {}, false};
  };
}

/// Unset while it has no host.
Key endpoint(std::string section, std::string name, std::string sentence, Access<Endpoint> access);
/// One address or a list of 1 to 64; each with its port.
Key endpoints(std::string section, std::string name, std::string sentence,
              Access<std::vector<Endpoint>> access);
Key url_list(std::string section, std::string name, std::string sentence,
             Access<std::vector<UpstreamUrl>> access);
Key duration(std::string section, std::string name, std::string sentence, Access<Milliseconds> access,
             Milliseconds min, Milliseconds max);
/// Unset until it is given.
Key optional_duration(std::string section, std::string name, std::string sentence,
                      Access<std::optional<Milliseconds>> access, Milliseconds min, Milliseconds max);
Key size(std::string section, std::string name, std::string sentence, Access<std::uint64_t> access,
         std::uint64_t min, std::uint64_t max);
/// One of the words in `choices`; `access` keeps the word itself.
Key word(std::string section, std::string name, std::string sentence, Access<std::string> access,
         std::vector<std::string> choices);
Key boolean(std::string section, std::string name, std::string sentence, Access<bool> access);
Key text(ValueType type, std::string section, std::string name, std::string expected, std::string sentence,
         Access<std::string> access);
/// "/readyz": goes into a request line as it is.
Key url_path(std::string section, std::string name, std::string sentence, Access<std::string> access);
/// A list of 0 to 64 names of hosts.
Key host_names(std::string section, std::string name, std::string sentence,
               Access<std::vector<std::string>> access);
/// A list of 0 to 64 names of anything: 1 to 255 visible ASCII characters each.
Key names(std::string section, std::string name, std::string sentence,
          Access<std::vector<std::string>> access);
/// A token as HTTP carries one. Neither shown nor told in an error.
Key token(std::string section, std::string name, std::string sentence, Access<Secret> access);
Key device(std::string section, std::string name, std::string sentence, Access<std::string> access);
/// A row of the options' table, kept in the Options that `access` yields.
Key option(std::string section, const reranker::OptionSpec& spec, Access<reranker::Options> access);

tl::expected<std::int64_t, std::string> bounded_integer(std::string_view text, std::int64_t min,
                                                        std::int64_t max);
std::string integer_bounds(std::int64_t min, std::int64_t max);
Key row(ValueType type, std::string section, std::string name, std::string expected, std::string sentence);
std::string joined_choices(const std::vector<std::string>& choices);

/// A whole number within bounds, for whichever integer type the member has.
template <class T>
Key integer(std::string section, std::string name, std::string sentence, Access<T> access, std::int64_t min,
            std::int64_t max) {
  Key key = row(ValueType::integer, std::move(section), std::move(name), integer_bounds(min, max),
                std::move(sentence));
  bind<T>(
      key, access, [min, max](const std::string& text) { return bounded_integer(text, min, max); },
      [](const T& value) { return std::to_string(value); });
  return key;
}

/// One of a few words, each standing for an enumerator.
template <class T>
Key choice(std::string section, std::string name, std::string sentence, Access<T> access,
           std::vector<std::pair<std::string, T>> choices) {
  std::vector<std::string> words;
  for (const auto& [word, unused] : choices) {
    words.push_back(word);
  }
  Key key =
      row(ValueType::choice, std::move(section), std::move(name), joined_choices(words), std::move(sentence));
  bind<T>(
      key, access,
      [choices](const std::string& text) -> std::optional<T> {
        for (const auto& [word, value] : choices) {
          if (word == text) {
            return value;
          }
        }
        return std::nullopt;
      },
      [choices](const T& stored) {
        for (const auto& [word, value] : choices) {
          if (value == stored) {
            return word;
          }
        }
        return std::string();
      });
  return key;
}

}  // namespace qrerank::proxy::config::values

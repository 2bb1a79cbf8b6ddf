#include "proxy/config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/config/units.hpp"

namespace qrerank::proxy::config::values {
namespace {

std::string unchanged(const std::string& text) {
  return text;
}

std::string print_number(double value) {
  return fmt::format("{}", value);
}

reranker::RawOption raw_option(const reranker::OptionSpec& spec, const Given& given) {
  if (!given.is_list) {
    return reranker::raw_from_text(spec, given.text);
  }
  reranker::RawOption raw;
  raw.kind = reranker::RawOption::Kind::list;
  raw.list = given.list;
  return raw;
}

// Which member of Options a row is kept in is the options' own knowledge: the row is read by merging into an
// empty Options what only this row can set. Names are the table's.
std::optional<Given> shown_option(const reranker::OptionSpec& spec, const reranker::Options& options) {
  const auto scalar = [](std::string text) { return Given{std::move(text), {}, false}; };
  const std::string key = spec.config_key();
  if (key == "model" && options.model) {
    return scalar(*options.model);
  }
  if (key == "top_k" && options.top_k) {
    return scalar(std::to_string(*options.top_k));
  }
  if (key == "instruction" && options.instruction) {
    return scalar(*options.instruction);
  }
  if (key == "field" && options.fields) {
    return Given{"", *options.fields, true};
  }
  if (key == "score_threshold" && options.score_threshold) {
    return scalar(print_number(*options.score_threshold));
  }
  if (key == "weight" && options.weight) {
    return scalar(print_number(*options.weight));
  }
  if (key == "on_error" && options.on_error) {
    return scalar(*options.on_error == reranker::OnError::error ? "error" : "fallback");
  }
  if (key == "timeout_ms" && options.timeout_ms) {
    return scalar(std::to_string(*options.timeout_ms));
  }
  return std::nullopt;
}

// A list as it came, or the items between a text's commas; an empty text has one empty item.
std::vector<std::string> items_of(const Given& given) {
  auto items = given.list;
  if (!given.is_list) {
    for (std::size_t from = 0; from <= given.text.size();) {
      const auto comma = std::min(given.text.find(',', from), given.text.size());
      items.push_back(given.text.substr(from, comma - from));
      from = comma + 1;
    }
  }
  return items;
}

constexpr std::size_t kMostNames = 64;

// A list whose items all fit; `fault` is what is said of one that does not.
void bind_list(Key& key, Access<std::vector<std::string>> access, bool (*fits)(std::string_view),
               std::string fault) {
  key.set = [access, fits, fault = std::move(fault), expected = key.expected](const Place& place,
                                                                              const Given& given) -> Stored {
    const bool none = !given.is_list && given.text.empty();
    auto items = none ? std::vector<std::string>() : items_of(given);
    for (const auto& item : items) {
      if (!fits(item)) return tl::unexpected("'" + item + "' is " + fault);
    }
    if (items.size() > kMostNames)
      return tl::unexpected(fmt::format("{} names are not {}", items.size(), expected));
    access(place) = std::move(items);
    return {};
  };
  key.get = [access](const Place& place) -> std::optional<Given> { return Given{"", access(place), true}; };
}

}  // namespace

Key row(ValueType type, std::string section, std::string name, std::string expected, std::string sentence) {
  Key key;
  key.type = type;
  key.section = std::move(section);
  key.name = std::move(name);
  key.expected = std::move(expected);
  key.sentence = std::move(sentence);
  return key;
}

std::string joined_choices(const std::vector<std::string>& choices) {
  std::string joined = "one of ";
  for (std::size_t i = 0; i < choices.size(); ++i) {
    joined += (i == 0 ? "" : ", ") + choices[i];
  }
  return joined;
}

std::string integer_bounds(std::int64_t min, std::int64_t max) {
  return fmt::format("a whole number from {} to {}", min, max);
}

tl::expected<std::int64_t, std::string> bounded_integer(std::string_view text, std::int64_t min,
                                                        std::int64_t max) {
  const auto value = parse_integer(text);
  if (!value || *value < min || *value > max) {
    return tl::unexpected(integer_bounds(min, max));
  }
  return *value;
}

Key endpoint(std::string section, std::string name, std::string sentence, Access<Endpoint> access) {
  Key key = row(ValueType::endpoint, std::move(section), std::move(name),
                "HOST:PORT (port 0 takes a free one)", std::move(sentence));
  bind<Endpoint>(
      key, access, [](const std::string& text) { return parse_endpoint(text); },
      [](const Endpoint& value) { return to_string(value); });
  key.get = [access](const Place& place) -> std::optional<Given> {
    const Endpoint& stored = access(place);
    return stored.host.empty() ? std::nullopt : std::optional(Given{to_string(stored), {}, false});
  };
  return key;
}

Key endpoints(std::string section, std::string name, std::string sentence,
              Access<std::vector<Endpoint>> access) {
  Key key = row(ValueType::endpoints, std::move(section), std::move(name),
                "HOST:PORT, or a list of 1 to 64 of them", std::move(sentence));
  key.set = [access, expected = key.expected](const Place& place, const Given& given) -> Stored {
    std::vector<Endpoint> parsed;
    for (const auto& text : items_of(given)) {
      auto endpoint = parse_endpoint(text);
      if (!endpoint || endpoint->port == 0) {
        return tl::unexpected("'" + text + "' is not " + expected);
      }
      if (std::ranges::find(parsed, *endpoint) != parsed.end()) {
        return tl::unexpected("'" + text + "' is there twice");
      }
      parsed.push_back(*std::move(endpoint));
    }
    if (parsed.empty() || parsed.size() > 64) {
      return tl::unexpected(fmt::format("{} addresses are not {}", parsed.size(), expected));
    }
    access(place) = std::move(parsed);
    return {};
  };
  key.get = [access](const Place& place) -> std::optional<Given> {
    Given given{"", {}, true};
    for (const auto& endpoint : access(place)) {
      given.list.push_back(to_string(endpoint));
    }
    return given.list.empty() ? std::nullopt : std::optional(std::move(given));
  };
  return key;
}

Key url_list(std::string section, std::string name, std::string sentence,
             Access<std::vector<UpstreamUrl>> access) {
  Key key =
      row(ValueType::url_list, std::move(section), std::move(name),
          "http:// or https://HOST[:PORT] without a path, or a list of 1 to 64 of them", std::move(sentence));
  key.set = [access, expected = key.expected](const Place& place, const Given& given) -> Stored {
    std::vector<UpstreamUrl> urls;
    for (const auto& text : items_of(given)) {
      auto url = parse_upstream_url(text);
      if (!url) {
        // Whoever writes user:password into the URL should not find it in a log.
        const bool has_user = text.find('@') != std::string::npos;
        return tl::unexpected((has_user ? std::string("a URL with a user name") : "'" + text + "'") +
                              " is not " + expected);
      }
      if (std::ranges::any_of(urls,
                              [&](const UpstreamUrl& other) { return other.address == url->address; })) {
        return tl::unexpected("'" + text + "' is there twice");
      }
      urls.push_back(*std::move(url));
    }
    if (urls.empty() || urls.size() > 64) {
      return tl::unexpected(fmt::format("{} URLs are not {}", urls.size(), expected));
    }
    access(place) = std::move(urls);
    return {};
  };
  key.get = [access](const Place& place) -> std::optional<Given> {
    Given given{"", {}, true};
    for (const auto& url : access(place)) {
      given.list.push_back(url.text);
    }
    return given;
  };
  return key;
}

namespace {

Key duration_row(std::string section, std::string name, std::string sentence, Milliseconds min,
                 Milliseconds max) {
  return row(
      ValueType::duration, std::move(section), std::move(name),
      fmt::format("a duration from {} to {} (units ms, s, m, h)", print_duration(min), print_duration(max)),
      std::move(sentence));
}

auto duration_within(Milliseconds min, Milliseconds max) {
  return [min, max](const std::string& text) {
    const auto value = parse_duration(text);
    return value && *value >= min && *value <= max ? value : std::nullopt;
  };
}

}  // namespace

Key duration(std::string section, std::string name, std::string sentence, Access<Milliseconds> access,
             Milliseconds min, Milliseconds max) {
  Key key = duration_row(std::move(section), std::move(name), std::move(sentence), min, max);
  bind<Milliseconds>(key, access, duration_within(min, max),
                     [](const Milliseconds& value) { return print_duration(value); });
  return key;
}

Key optional_duration(std::string section, std::string name, std::string sentence,
                      Access<std::optional<Milliseconds>> access, Milliseconds min, Milliseconds max) {
  using Stored = std::optional<Milliseconds>;
  Key key = duration_row(std::move(section), std::move(name), std::move(sentence), min, max);
  bind<Stored>(key, access, duration_within(min, max), [](const Stored&) { return std::string(); });
  key.get = [access](const Place& place) -> std::optional<Given> {
    const Stored& stored = access(place);
    return stored ? std::optional(Given{print_duration(*stored), {}, false}) : std::nullopt;
  };
  return key;
}

Key size(std::string section, std::string name, std::string sentence, Access<std::uint64_t> access,
         std::uint64_t min, std::uint64_t max) {
  Key key =
      row(ValueType::size, std::move(section), std::move(name),
          fmt::format("a size from {} to {} (units B, KiB, MiB, GiB)", print_size(min), print_size(max)),
          std::move(sentence));
  bind<std::uint64_t>(
      key, access,
      [min, max](const std::string& text) {
        const auto value = parse_size(text);
        return value && *value >= min && *value <= max ? value : std::nullopt;
      },
      [](const std::uint64_t& value) { return print_size(value); });
  return key;
}

Key word(std::string section, std::string name, std::string sentence, Access<std::string> access,
         std::vector<std::string> choices) {
  Key key = row(ValueType::choice, std::move(section), std::move(name), joined_choices(choices),
                std::move(sentence));
  bind<std::string>(
      key, access,
      [choices](const std::string& text) {
        return std::ranges::find(choices, text) == choices.end() ? std::nullopt : std::optional(text);
      },
      unchanged);
  return key;
}

Key boolean(std::string section, std::string name, std::string sentence, Access<bool> access) {
  Key key =
      row(ValueType::boolean, std::move(section), std::move(name), "true or false", std::move(sentence));
  bind<bool>(
      key, access, [](const std::string& text) { return parse_boolean(text); },
      [](const bool& value) { return std::string(value ? "true" : "false"); });
  return key;
}

Key text(ValueType type, std::string section, std::string name, std::string expected, std::string sentence,
         Access<std::string> access) {
  Key key = row(type, std::move(section), std::move(name), std::move(expected), std::move(sentence));
  bind<std::string>(
      key, access,
      [](const std::string& text) {
        const bool ok = !text.empty() && text.size() <= 4096 && text.find('\0') == std::string::npos;
        return ok ? std::optional(text) : std::nullopt;
      },
      unchanged);
  key.get = [access](const Place& place) -> std::optional<Given> {
    const auto& stored = access(place);
    return stored.empty() ? std::nullopt : std::optional(Given{stored, {}, false});
  };
  return key;
}

Key url_path(std::string section, std::string name, std::string sentence, Access<std::string> access) {
  Key key = row(ValueType::text, std::move(section), std::move(name), "a path such as /readyz",
                std::move(sentence));
  bind<std::string>(
      key, access,
      [](const std::string& text) {
        const bool fits =
            text.starts_with('/') && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
        return fits ? std::optional(text) : std::nullopt;
      },
      unchanged);
  return key;
}

Key host_names(std::string section, std::string name, std::string sentence,
               Access<std::vector<std::string>> access) {
  Key key = row(ValueType::host_names, std::move(section), std::move(name),
                fmt::format("a list of 0 to {} names of hosts", kMostNames), std::move(sentence));
  bind_list(key, access, &is_host_name, "no name of a host without its port");
  return key;
}

Key names(std::string section, std::string name, std::string sentence,
          Access<std::vector<std::string>> access) {
  Key key = row(ValueType::text, std::move(section), std::move(name),
                fmt::format("a list of 0 to {} names", kMostNames), std::move(sentence));
  const auto is_name = [](std::string_view text) {
    return !text.empty() && text.size() <= 255 &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
  };
  bind_list(key, access, is_name, "not 1 to 255 visible ASCII characters");
  return key;
}

Key token(std::string section, std::string name, std::string sentence, Access<Secret> access) {
  constexpr std::size_t kShortest = 16;  // a guess must be hopeless
  constexpr std::size_t kLongest = 512;
  Key key = row(ValueType::token, std::move(section), std::move(name),
                fmt::format("{} to {} visible ASCII characters without spaces", kShortest, kLongest),
                std::move(sentence));
  key.secret = true;
  bind<Secret>(
      key, access,
      [](const std::string& text) {
        const bool good = text.size() >= kShortest && text.size() <= kLongest &&
                          std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
        return good ? std::optional(Secret(text)) : std::nullopt;
      },
      [](const Secret& secret) { return secret.reveal(); });  // to compare with; printers mask it
  key.get = [access](const Place& place) -> std::optional<Given> {
    const Secret& secret = access(place);
    return secret.empty() ? std::nullopt : std::optional(Given{secret.reveal(), {}, false});
  };
  return key;
}

Key device(std::string section, std::string name, std::string sentence, Access<std::string> access) {
  Key key = row(ValueType::device, std::move(section), std::move(name), "one of auto, cpu, cuda, cuda:N",
                std::move(sentence));
  bind<std::string>(
      key, access,
      [](const std::string& text) -> std::optional<std::string> {
        constexpr std::string_view kNumbered = "cuda:";
        const bool plain = text == "auto" || text == "cpu" || text == "cuda";
        const bool numbered = text.starts_with(kNumbered) &&
                              bounded_integer(text.substr(kNumbered.size()), 0, 127).has_value() &&
                              text[kNumbered.size()] != '-';
        return plain || numbered ? std::optional(text) : std::nullopt;
      },
      unchanged);
  return key;
}

Key option(std::string section, const reranker::OptionSpec& spec, Access<reranker::Options> access) {
  Key key = row(ValueType::option, std::move(section), spec.config_key(),
                reranker::expected_text(spec, reranker::OptionLimits{}), std::string(spec.sentence));
  key.default_text = spec.default_text;
  key.needs_restart = false;
  key.set = [access, &spec](const Place& place, const Given& given) -> Stored {
    auto stored =
        reranker::set_option(access(place), spec, raw_option(spec, given), place.config.rerank.limits);
    if (stored) {
      return {};
    }
    // The message begins with the option's name; here the configuration's key stands before it already.
    const std::string prefix = std::string(spec.name) + ": ";
    return tl::unexpected(stored.error().starts_with(prefix) ? stored.error().substr(prefix.size())
                                                             : stored.error());
  };
  key.get = [access, &spec](const Place& place) { return shown_option(spec, access(place)); };
  return key;
}

}  // namespace qrerank::proxy::config::values

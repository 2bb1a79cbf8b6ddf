#include "proxy/route/carriers.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "proxy/rewrite/text_fields.hpp"
#include "proxy/route/endpoints.hpp"
#include "reranker/utf8.hpp"

namespace qrerank::proxy::route {
namespace {

using reranker::OptionSpec;
using reranker::OptionType;
using reranker::RawOption;
using rewrite::JsonKind;
using rewrite::JsonValue;

constexpr std::string_view kPrefix = "rerank_";
constexpr std::string_view kHeader = "x-rerank";
constexpr std::size_t kShownChars = 64;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

std::string shown(std::string_view text) {
  return reranker::first_code_points(text, kShownChars);
}

std::vector<std::string_view> body_names() {
  std::vector<std::string_view> names;
  for (const OptionSpec& spec : reranker::option_table()) {
    names.push_back(spec.name);
  }
  return names;
}

std::vector<std::string> header_names() {
  std::vector<std::string> names;
  for (const OptionSpec& spec : reranker::option_table()) {
    names.push_back(spec.header_name());
  }
  return names;
}

std::string unknown_option(std::string_view name, std::span<const std::string_view> known) {
  const std::string near = reranker::nearest_name(name, known);
  return shown(name) + ": unknown option" + (near.empty() ? "" : ", did you mean " + near + "?");
}

// Gathers what one place says, option by option: values of one name first, so that a list may be repeated.
class PlaceReader {
 public:
  PlaceReader(const Checks& checks, bool lists_repeat) : checks_(checks), lists_repeat_(lists_repeat) {}

  // `spelling`: the name used, for the two of the flag. No value is an absence that still counts as said.
  void add(const OptionSpec& spec, std::string_view spelling, std::optional<RawOption> value) {
    auto at = std::find_if(said_.begin(), said_.end(),
                           [&](const Said& said) { return said.spec == &spec && said.spelling == spelling; });
    if (at == said_.end()) {
      said_.push_back({&spec, std::string(spelling), std::move(value)});
      return;
    }
    if (spec.type != OptionType::paths || !lists_repeat_ || !value || !at->value) {
      fail(spec, std::string(spelling) + ": said twice, expected once");
      return;
    }
    append(*at->value, std::move(*value));
  }

  // Looking for the nearest name costs: done for the first error only, however many names there are.
  void add_unknown(std::string_view name, std::span<const std::string_view> known) {
    if (place_.option_error.empty()) {
      place_.option_error = unknown_option(name, known);
    }
  }

  PlaceOptions finish() {
    for (Said& said : said_) {
      if (said.value) {
        check(*said.spec, said.spelling, *said.value);
      }
    }
    return std::move(place_);
  }

 private:
  struct Said {
    const OptionSpec* spec;
    std::string spelling;
    std::optional<RawOption> value;
  };

  static bool is_flag(const OptionSpec& spec) { return spec.type == OptionType::boolean; }

  static void append(RawOption& to, RawOption more) {
    const auto make_list = [](RawOption& value) {
      if (value.kind == RawOption::Kind::text) {
        value.kind = RawOption::Kind::list;
        value.list = {std::move(value.text)};
      }
    };
    make_list(to);
    make_list(more);
    std::move(more.list.begin(), more.list.end(), std::back_inserter(to.list));
  }

  void fail(const OptionSpec& spec, std::string message) {
    if (is_flag(spec)) {
      if (place_.flag_error.empty()) {
        place_.flag_error = std::move(message);
      }
    } else {
      fail_option(std::move(message));
    }
  }

  void fail_option(std::string message) {
    if (place_.option_error.empty()) {
      place_.option_error = std::move(message);
    }
  }

  void check(const OptionSpec& spec, const std::string& spelling, const RawOption& value) {
    reranker::Options one;
    if (auto set = reranker::set_option(one, spec, value, checks_.limits); !set) {
      fail(spec, std::move(set.error()));
      return;
    }
    if (is_flag(spec)) {
      if (place_.flag && *place_.flag != *one.use_reranker) {
        fail(spec, spelling + ": both spellings of the flag are there with different values");
      }
      place_.flag = one.use_reranker;
      return;
    }
    if (one.model &&
        std::find(checks_.models.begin(), checks_.models.end(), *one.model) == checks_.models.end()) {
      fail(spec, unknown_model(*one.model));
      return;
    }
    for (const std::string& field : one.fields.value_or(std::vector<std::string>())) {
      if (const auto path = rewrite::parse_path(field); !path) {
        fail(spec, std::string(spec.name) + ": `" + shown(field) +
                       "` is not a payload path: " + shown_error(path.error()));
        return;
      }
    }
    place_.options.fill_from(one);
  }

  [[nodiscard]] std::string unknown_model(const std::string& model) const {
    const std::vector<std::string_view> known(checks_.models.begin(), checks_.models.end());
    const std::string near = reranker::nearest_name(model, known);
    std::string message = "rerank_model: `" + shown(model) + "` is not a configured model";
    if (!near.empty()) {
      return message + ", did you mean " + near + "?";
    }
    message += ", expected one of ";
    for (std::size_t i = 0; i < known.size(); ++i) {
      message.append(i == 0 ? "" : ", ").append(known[i]);
    }
    return message;
  }

  // The path stands in the parser's message as well; a long one is not for an answer.
  static std::string shown_error(const std::string& error) { return reranker::first_code_points(error, 200); }

  const Checks& checks_;
  bool lists_repeat_;
  std::vector<Said> said_;
  PlaceOptions place_;
};

// None for null, which is an absence.
std::optional<RawOption> raw_from_json(const JsonValue& value) {
  RawOption raw;
  switch (value.kind()) {
    case JsonKind::null:
      return std::nullopt;
    case JsonKind::boolean:
      raw.kind = RawOption::Kind::boolean;
      raw.boolean = value.boolean();
      return raw;
    case JsonKind::number:
      raw.kind = RawOption::Kind::number;
      raw.number = value.as_double().value();
      if (const auto integer = value.as_integer()) {
        raw.kind = RawOption::Kind::integer;
        raw.integer = *integer;
      }
      return raw;
    case JsonKind::string:
      raw.kind = RawOption::Kind::text;
      raw.text = value.text();
      return raw;
    case JsonKind::array: {
      raw.kind = RawOption::Kind::list;
      bool texts = !value.holds_numbers();
      for (const JsonValue element : value.children()) {
        texts = texts && element.is(JsonKind::string);
        if (texts) {
          raw.list.push_back(element.text());
        }
      }
      if (texts) {
        return raw;
      }
      break;
    }
    case JsonKind::object:
      break;
  }
  raw = RawOption();
  raw.text = shown(value.raw());
  return raw;
}

}  // namespace

Checks Checks::of(const config::Config& config) {
  Checks checks{config.rerank.limits, {"mock"}};
  for (const config::Model& model : config.models) {
    checks.models.push_back(model.name);
  }
  return checks;
}

PlaceOptions read_headers(std::span<const http::FieldView> fields, const Checks& checks) {
  PlaceReader reader(checks, true);
  for (const http::FieldView& field : fields) {
    if (!is_option_header(field.name)) {
      continue;
    }
    const std::string name = lower(field.name);
    const auto table = reranker::option_table();
    const auto spec = std::find_if(table.begin(), table.end(), [&](const OptionSpec& candidate) {
      return lower(candidate.header_name()) == name;
    });
    if (spec == table.end()) {
      const std::vector<std::string> names = header_names();
      const std::vector<std::string_view> known(names.begin(), names.end());
      reader.add_unknown(field.name, known);
    } else {
      reader.add(*spec, spec->header_name(),
                 reranker::raw_from_text(*spec, percent_decoded(field.value, false)));
    }
  }
  return reader.finish();
}

PlaceOptions read_parameters(std::string_view query, const Checks& checks) {
  PlaceReader reader(checks, true);
  for (const Parameter& parameter : parameters_of(query)) {
    const std::string name = percent_decoded(parameter.name, true);
    if (const OptionSpec* spec = reranker::find_option(name)) {
      reader.add(*spec, name, reranker::raw_from_text(*spec, percent_decoded(parameter.value, true)));
    } else if (name.starts_with(kPrefix)) {
      reader.add_unknown(name, body_names());
    }
  }
  return reader.finish();
}

PlaceOptions read_object(const JsonValue& object, const Checks& checks) {
  PlaceReader reader(checks, false);
  for (const JsonValue member : object.children()) {
    if (const OptionSpec* spec = reranker::find_option(member.key())) {
      reader.add(*spec, member.key(), raw_from_json(member));
    } else if (member.key().starts_with(kPrefix)) {
      reader.add_unknown(member.key(), body_names());
    }
  }
  return reader.finish();
}

bool is_option_header(std::string_view name) {
  const std::string text = lower(name);
  return text == kHeader || text.starts_with(std::string(kHeader) + "-");
}

std::string strip_target(std::string_view target) {
  const std::size_t question = target.find('?');
  if (question == std::string_view::npos) {
    return std::string(target);
  }
  std::string result(target.substr(0, question));
  bool stripped = false;
  char separator = '?';
  for (const Parameter& parameter : parameters_of(target.substr(question + 1))) {
    const std::string name = percent_decoded(parameter.name, true);
    if (reranker::find_option(name) != nullptr || name.starts_with(kPrefix)) {
      stripped = true;
    } else {
      result += separator;
      result += parameter.whole;
      separator = '&';
    }
  }
  return stripped ? result : std::string(target);
}

}  // namespace qrerank::proxy::route

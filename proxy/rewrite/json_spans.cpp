#include "proxy/rewrite/json_spans.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>

namespace qrerank::proxy::rewrite {

namespace ondemand = simdjson::ondemand;

namespace {

std::size_t digits_from(std::string_view token, std::size_t at) {
  const std::size_t end = token.find_first_not_of("0123456789", at);
  return (end == std::string_view::npos ? token.size() : end) - at;
}

// By the grammar alone. A number beyond a double is one all the same: Qdrant takes it where it does not read
// it.
bool is_number(std::string_view token) {
  std::size_t at = token.starts_with('-') ? 1 : 0;
  const std::size_t whole = digits_from(token, at);
  if (whole == 0 || (whole > 1 && token[at] == '0')) {
    return false;
  }
  at += whole;
  if (at < token.size() && token[at] == '.') {
    const std::size_t fraction = digits_from(token, at + 1);
    if (fraction == 0) {
      return false;
    }
    at += 1 + fraction;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    at += at < token.size() && (token[at] == '+' || token[at] == '-') ? 1 : 0;
    const std::size_t exponent = digits_from(token, at);
    if (exponent == 0) {
      return false;
    }
    at += exponent;
  }
  return at == token.size();
}

}  // namespace

// One walk over simdjson's tokens: it checks everything that it passes (structure, escapes; UTF-8 before the
// walk; numbers by is_number), while this class notes where each value stands. The text is parsed inside
// brackets of our own, so that a scalar at the top needs no rules of its own.
class JsonReader {
 public:
  JsonReader(JsonTree& tree, ondemand::document& document, const char* text)
      : tree_(tree), document_(document), text_(text) {}

  tl::expected<void, std::string> run() {
    ondemand::array wrapped;
    if (const Error error = document_.get_array().get(wrapped)) {
      return fail(error);
    }
    std::size_t values = 0;
    for (auto element : wrapped) {
      ondemand::value value;
      if (const Error error = element.get(value)) {
        return fail(error);
      }
      if (++values > 1) {
        return tl::unexpected(std::string(kMoreThanOne));
      }
      if (const Error error = read(value, 0, 1)) {
        return fail(error);
      }
    }
    if (values == 0) {
      return tl::unexpected(std::string("there is no value"));
    }
    if (document_.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      return tl::unexpected(std::string(kMoreThanOne));
    }
    return {};
  }

 private:
  using Error = simdjson::error_code;
  using Node = JsonNode;

  static constexpr std::string_view kMoreThanOne = "something stands behind the value";

  static tl::unexpected<std::string> fail(Error error) {
    switch (error) {
      case simdjson::DEPTH_ERROR:
        return tl::unexpected(std::string("nested too deeply"));
      case simdjson::CAPACITY:
        return tl::unexpected(std::string("too many values"));
      default:
        return tl::unexpected(std::string(simdjson::error_message(error)));
    }
  }

  [[nodiscard]] std::uint32_t offset(const char* at) const { return static_cast<std::uint32_t>(at - text_); }

  // The offset behind the token that ends before `next`, white space aside.
  [[nodiscard]] std::uint32_t end_before(const char* next) const {
    while (next[-1] == ' ' || next[-1] == '\n' || next[-1] == '\r' || next[-1] == '\t') {
      --next;
    }
    return offset(next);
  }

  Error read(ondemand::value& value, std::uint32_t parent, std::size_t depth) {
    const std::uint32_t begin = offset(value.raw_json_token().data());
    return read_node(value, Node{.begin = begin, .key_begin = begin, .parent = parent}, depth);
  }

  Error read_member(ondemand::field& field, std::uint32_t parent, std::size_t depth) {
    const char* quote = field.key().raw() - 1;
    std::string_view key;
    if (const Error error = field.unescaped_key().get(key)) {
      return error;
    }
    ondemand::value& value = field.value();
    Node node{.begin = offset(value.raw_json_token().data()),
              .key_begin = offset(quote),
              .key_size = static_cast<std::uint32_t>(key.size()),
              .parent = parent};
    if (std::string_view(quote + 1, key.size()) != key || quote[1 + key.size()] != '"') {
      node.escaped_key = true;
      node.key_index = keep(key);
    }
    return read_node(value, node, depth);
  }

  Error read_node(ondemand::value& value, const Node& start, std::size_t depth) {
    if (tree_.nodes_.size() == kMaxJsonValues) {
      return simdjson::CAPACITY;
    }
    const auto index = static_cast<std::uint32_t>(tree_.nodes_.size());
    tree_.nodes_.push_back(start);
    const std::string_view token = value.raw_json_token();
    const char* next = token.data() + token.size();
    ondemand::json_type type{};
    if (const Error error = value.type().get(type)) {
      return error;
    }
    if (type == ondemand::json_type::array || type == ondemand::json_type::object) {
      if (depth > kMaxJsonDepth) {
        return simdjson::DEPTH_ERROR;
      }
      const Error error = type == ondemand::json_type::array ? read_elements(value, index, depth)
                                                             : read_members(value, index, depth);
      if (error) {
        return error;
      }
      // What follows is at the least the bracket of our own.
      if (const Error none = document_.current_location().get(next)) {
        return none;
      }
    } else if (const Error error = read_scalar(value, type, index, end_before(next) - start.begin)) {
      return error;
    }
    Node& node = tree_.nodes_[index];
    node.end = end_before(next);
    node.after = static_cast<std::uint32_t>(tree_.nodes_.size());
    return simdjson::SUCCESS;
  }

  // `size`: of the token, quotes included.
  Error read_scalar(ondemand::value& value, ondemand::json_type type, std::uint32_t index, std::size_t size) {
    Node& node = tree_.nodes_[index];
    switch (type) {
      case ondemand::json_type::string: {
        node.kind = JsonKind::string;
        std::string_view text;
        const Error error = value.get_string().get(text);
        if (!error && text.size() + 2 != size) {  // every escape is longer than what it means
          node.escaped_text = true;
          node.text_index = keep(text);
        }
        return error;
      }
      case ondemand::json_type::number:
        node.kind = JsonKind::number;
        return check_number(value);
      case ondemand::json_type::boolean:
        node.kind = JsonKind::boolean;
        return value.get_bool().error();
      default: {
        bool null = false;
        const Error error = value.is_null().get(null);
        return error || null ? error : simdjson::N_ATOM_ERROR;
      }
    }
  }

  // Does not take the value: whoever iterates steps over it.
  static Error check_number(ondemand::value& value) {
    std::string_view token = value.raw_json_token();
    token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
    return is_number(token) ? simdjson::SUCCESS : simdjson::NUMBER_ERROR;
  }

  Error read_elements(ondemand::value& value, std::uint32_t index, std::size_t depth) {
    tree_.nodes_[index].kind = JsonKind::array;
    ondemand::array elements;
    if (const Error error = value.get_array().get(elements)) {
      return error;
    }
    for (auto element : elements) {
      ondemand::value child;
      if (const Error error = element.get(child)) {
        return error;
      }
      ondemand::json_type type{};
      if (const Error error = child.type().get(type)) {
        return error;
      }
      if (type == ondemand::json_type::number) {
        tree_.nodes_[index].holds_numbers = true;
        if (const Error error = check_number(child)) {
          return error;
        }
      } else if (const Error error = read(child, index, depth + 1)) {
        return error;
      }
    }
    return simdjson::SUCCESS;
  }

  Error read_members(ondemand::value& value, std::uint32_t index, std::size_t depth) {
    tree_.nodes_[index].kind = JsonKind::object;
    ondemand::object members;
    if (const Error error = value.get_object().get(members)) {
      return error;
    }
    for (auto member : members) {
      ondemand::field field;
      if (const Error error = std::move(member).get(field)) {
        return error;
      }
      if (const Error error = read_member(field, index, depth + 1)) {
        return error;
      }
    }
    return simdjson::SUCCESS;
  }

  std::uint32_t keep(std::string_view unescaped) {
    tree_.unescaped_.emplace_back(unescaped);
    return static_cast<std::uint32_t>(tree_.unescaped_.size() - 1);
  }

  JsonTree& tree_;
  ondemand::document& document_;
  const char* text_;  // the caller's text as it lies in the copy
};

tl::expected<JsonTree, std::string> JsonTree::parse(std::string_view text) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max() - 2) {
    return tl::unexpected(std::string("too long"));
  }
  if (text.starts_with("\xef\xbb\xbf")) {
    return tl::unexpected(std::string("begins with a byte order mark"));
  }
  simdjson::padded_string wrapped(text.size() + 2);
  if (wrapped.data() == nullptr) {
    throw std::bad_alloc();
  }
  wrapped.data()[0] = '[';
  std::copy(text.begin(), text.end(), wrapped.data() + 1);
  wrapped.data()[text.size() + 1] = ']';

  ondemand::parser parser(wrapped.size() + 1);
  ondemand::document document;
  if (const auto error = parser.iterate(wrapped).get(document)) {
    return tl::unexpected(std::string(simdjson::error_message(error)));
  }
  JsonTree tree;
  tree.text_ = text;
  if (auto read = JsonReader(tree, document, wrapped.data() + 1).run(); !read) {
    return tl::unexpected(std::move(read.error()));
  }
  return tree;
}

const JsonNode& JsonValue::node() const {
  return tree_->nodes_[index_];
}

JsonKind JsonValue::kind() const {
  return node().kind;
}

std::size_t JsonValue::begin() const {
  return node().begin;
}

std::size_t JsonValue::end() const {
  return node().end;
}

std::string_view JsonValue::raw() const {
  return tree_->text_.substr(begin(), end() - begin());
}

std::size_t JsonValue::member_begin() const {
  return node().key_begin;
}

std::string_view JsonValue::key() const {
  const JsonNode& node = this->node();
  if (node.escaped_key) {
    return tree_->unescaped_[node.key_index];
  }
  return node.key_begin == node.begin ? std::string_view()
                                      : tree_->text_.substr(node.key_begin + 1, node.key_size);
}

JsonValue::Children JsonValue::children() const {
  return {Iterator(*tree_, index_ + 1), Iterator(*tree_, node().after)};
}

JsonValue::Iterator& JsonValue::Iterator::operator++() {
  index_ = tree_->nodes_[index_].after;
  return *this;
}

JsonValue JsonValue::parent() const {
  return {*tree_, node().parent};
}

bool JsonValue::holds_numbers() const {
  return node().holds_numbers;
}

std::optional<JsonValue> JsonValue::find(std::string_view key) const {
  if (is(JsonKind::object)) {
    for (const JsonValue member : children()) {
      if (member.key() == key) {
        return member;
      }
    }
  }
  return std::nullopt;
}

std::string JsonValue::text() const {
  if (!is(JsonKind::string)) {
    throw std::logic_error("the text of a JSON value that is no string");
  }
  const JsonNode& node = this->node();
  return node.escaped_text ? tree_->unescaped_[node.text_index]
                           : std::string(raw().substr(1, raw().size() - 2));
}

bool JsonValue::boolean() const {
  if (!is(JsonKind::boolean)) {
    throw std::logic_error("the truth of a JSON value that is no boolean");
  }
  return raw() == "true";
}

namespace {

template <typename T>
std::optional<T> whole_integer(std::string_view digits) {
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::optional<std::uint64_t> JsonValue::as_count() const {
  return is(JsonKind::number) ? whole_integer<std::uint64_t>(raw()) : std::nullopt;
}

std::optional<std::int64_t> JsonValue::as_integer() const {
  return is(JsonKind::number) && raw() != "-0" ? whole_integer<std::int64_t>(raw()) : std::nullopt;
}

std::optional<double> JsonValue::as_double() const {
  if (!is(JsonKind::number)) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(raw().data(), raw().data() + raw().size(), value);
  if (error == std::errc::result_out_of_range) {
    return std::strtod(std::string(raw()).c_str(), nullptr);  // an infinity or next to nothing
  }
  return value;
}

}  // namespace qrerank::proxy::rewrite

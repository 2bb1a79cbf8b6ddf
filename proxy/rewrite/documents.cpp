#include "proxy/rewrite/documents.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>

#include "proxy/rewrite/json_splice.hpp"
#include "proxy/rewrite/request_batch.hpp"

namespace qrerank::proxy::rewrite {
namespace {

using Visit = std::function<void(const JsonValue& place, const Document& document)>;

// Calls `visit` for each Document of one search.
class Walk {
 public:
  explicit Walk(const Visit& visit) : visit_(visit) {}

  // A search, or a prefetch.
  void search(const JsonValue& holder) const {
    if (const auto query = holder.find("query")) this->query(*query);
    if (const auto prefetch = holder.find("prefetch"))
      each(*prefetch, [&](const JsonValue& inner) { search(inner); });
  }

 private:
  void query(const JsonValue& query) const {
    if (input(query) || !query.is(JsonKind::object)) return;
    for (const JsonValue member : query.children()) {
      const auto kind = member.key();
      if (kind == "nearest") input(member);
      if (kind == "recommend") examples(member);
      if (kind == "discover" || kind == "relevance_feedback") target(member);
      if (kind == "context") pairs(member);
    }
  }

  // True when it was a Document.
  bool input(const JsonValue& value) const {
    const auto text = value.find("text");
    const auto model = value.find("model");
    const bool document = text && model && text->is(JsonKind::string) && model->is(JsonKind::string);
    if (document) visit_(value, Document{model->text(), text->text()});
    return document;
  }

  void examples(const JsonValue& recommend) const {
    for (const auto* list : {"positive", "negative"}) {
      if (const auto inputs = recommend.find(list)) each(*inputs, [&](const JsonValue& one) { input(one); });
    }
  }

  void target(const JsonValue& holder) const {
    if (const auto target = holder.find("target")) input(*target);
    if (const auto context = holder.find("context")) pairs(*context);
    if (const auto feedback = holder.find("feedback")) {
      each(*feedback, [&](const JsonValue& item) {
        if (const auto example = item.find("example")) input(*example);
      });
    }
  }

  void pairs(const JsonValue& context) const {
    each(context, [&](const JsonValue& pair) {
      for (const auto* side : {"positive", "negative"}) {
        if (const auto one = pair.find(side)) input(*one);
      }
    });
  }

  // Qdrant takes a list of these, or one that stands alone.
  static void each(const JsonValue& value, const std::function<void(const JsonValue&)>& call) {
    if (!value.is(JsonKind::array)) {
      call(value);
      return;
    }
    for (const JsonValue element : value.children()) call(element);
  }

  const Visit& visit_;
};

void walk(const JsonValue& root, SearchKind kind, bool batch, const Visit& visit) {
  if (kind != SearchKind::query) return;
  const Walk walk(visit);
  if (!batch) {
    walk.search(root);
  } else if (const auto searches = searches_of(root)) {
    for (const JsonValue& search : *searches) walk.search(search);
  }
}

}  // namespace

std::vector<Document> documents_in(std::string_view body, SearchKind kind, bool batch) {
  std::vector<Document> documents;
  if (kind != SearchKind::query) return documents;
  const auto tree = JsonTree::parse(body);
  if (!tree) return documents;
  walk(tree->root(), kind, batch, [&](const JsonValue& /*place*/, const Document& document) {
    if (std::ranges::find(documents, document) == documents.end()) documents.push_back(document);
  });
  return documents;
}

std::string with_vectors(std::string body, SearchKind kind, bool batch, const DocumentVectors& vectors) {
  if (vectors.empty()) return body;
  const auto tree = JsonTree::parse(body);
  if (!tree) return body;
  JsonSplice splice;
  walk(tree->root(), kind, batch, [&](const JsonValue& place, const Document& document) {
    if (const auto vector = vectors.find(document); vector != vectors.end())
      splice.replace(place, vector->second);
  });
  return splice.apply(tree->root());
}

std::string vector_text(std::span<const float> vector) {
  std::string text = "[";
  std::array<char, 32> number{};
  for (const float value : vector) {
    const auto [end, error] = std::to_chars(number.data(), number.data() + number.size(), value);
    text += text.size() > 1 ? "," : "";
    text.append(number.data(), end);
  }
  return text + "]";
}

}  // namespace qrerank::proxy::rewrite

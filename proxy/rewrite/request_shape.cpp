#include "proxy/rewrite/request_shape.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "proxy/rewrite/text_fields.hpp"
#include "reranker/utf8.hpp"

namespace qrerank::proxy::rewrite {
namespace {

// A known member under each of its spellings; one of them may stand in an object, once.
struct KnownMember {
  std::string_view name;
  std::string_view alias = {};
};

constexpr std::array kSearchMembers = {
    KnownMember{"vector"},          KnownMember{"shard_key"},
    KnownMember{"filter"},          KnownMember{"params"},
    KnownMember{"limit", "top"},    KnownMember{"offset"},
    KnownMember{"with_payload"},    KnownMember{"with_vector", "with_vectors"},
    KnownMember{"score_threshold"},
};
constexpr std::array kQueryMembers = {
    KnownMember{"query"},        KnownMember{"prefetch"},
    KnownMember{"using"},        KnownMember{"filter"},
    KnownMember{"params"},       KnownMember{"score_threshold"},
    KnownMember{"limit"},        KnownMember{"offset"},
    KnownMember{"with_payload"}, KnownMember{"with_vector", "with_vectors"},
    KnownMember{"lookup_from"},  KnownMember{"shard_key"},
};
constexpr std::array kRecommendMembers = {
    KnownMember{"positive"},        KnownMember{"negative"}, KnownMember{"strategy"},
    KnownMember{"shard_key"},       KnownMember{"filter"},   KnownMember{"params"},
    KnownMember{"limit", "top"},    KnownMember{"offset"},   KnownMember{"with_payload"},
    KnownMember{"score_threshold"}, KnownMember{"using"},    KnownMember{"with_vector", "with_vectors"},
    KnownMember{"lookup_from"},
};
constexpr std::array kDiscoverMembers = {
    KnownMember{"target"},       KnownMember{"context"},     KnownMember{"shard_key"},
    KnownMember{"filter"},       KnownMember{"params"},      KnownMember{"limit", "top"},
    KnownMember{"offset"},       KnownMember{"using"},       KnownMember{"with_vector", "with_vectors"},
    KnownMember{"with_payload"}, KnownMember{"lookup_from"},
};
// What groups know besides; they do not know the offset, nor `top`.
constexpr std::array kGroupMembers = {KnownMember{"group_by"}, KnownMember{"group_size"},
                                      KnownMember{"with_lookup"}};
constexpr std::array kPrefetchMembers = {
    KnownMember{"prefetch"}, KnownMember{"query"},           KnownMember{"using"}, KnownMember{"filter"},
    KnownMember{"params"},   KnownMember{"score_threshold"}, KnownMember{"limit"}, KnownMember{"lookup_from"},
};
constexpr std::array kDocumentMembers = {KnownMember{"text"}, KnownMember{"model"}, KnownMember{"options"}};
constexpr std::array kMmrMembers = {KnownMember{"diversity"}, KnownMember{"candidates_limit"}};
constexpr std::array kNearestMembers = {KnownMember{"nearest"}, KnownMember{"mmr"}};

std::span<const KnownMember> list_members(SearchKind kind) {
  switch (kind) {
    case SearchKind::search:
      return kSearchMembers;
    case SearchKind::query:
      return kQueryMembers;
    case SearchKind::recommend:
      return kRecommendMembers;
    case SearchKind::discover:
      return kDiscoverMembers;
  }
  return {};
}

std::vector<KnownMember> known_members(SearchKind kind, bool groups) {
  std::vector<KnownMember> known;
  for (const KnownMember& member : list_members(kind)) {
    if (groups && member.name == "offset") {
      continue;
    }
    known.push_back(groups && member.name == "limit" ? KnownMember{"limit"} : member);
  }
  if (groups) {
    known.insert(known.end(), kGroupMembers.begin(), kGroupMembers.end());
  }
  return known;
}

std::optional<JsonValue> find_not_null(const JsonValue& object, std::string_view key) {
  auto member = object.find(key);
  return member && member->is_null() ? std::nullopt : member;
}

// The kinds of query in the order in which Qdrant tries them, the first that is there being the one.
constexpr std::array<std::string_view, 10> kQueryKinds = {
    "nearest", "recommend", "discover", "context", "order_by",
    "fusion",  "rrf",       "formula",  "sample",  "relevance_feedback"};

bool query_has_order(const JsonValue& query) {
  if (!query.is(JsonKind::object)) {
    return !query.is_null();
  }
  for (const std::string_view input : {"text", "image", "object", "indices"}) {
    if (find_not_null(query, input)) {
      return true;  // an input to search near, whatever stands beside it
    }
  }
  for (const std::string_view kind : kQueryKinds) {
    if (find_not_null(query, kind)) {
      return kind != "context" && kind != "order_by" && kind != "sample";
    }
  }
  return true;  // not a query that we know: Qdrant's to judge
}

bool is_document(const JsonValue& value) {
  const auto text = value.find("text");
  return text && text->is(JsonKind::string);
}

std::optional<JsonValue> document_at(const std::optional<JsonValue>& query) {
  if (!query) {
    return std::nullopt;
  }
  if (is_document(*query)) {
    return query;
  }
  const auto nearest = query->find("nearest");
  return nearest && is_document(*nearest) ? nearest : std::nullopt;
}

// A prefetch member holds one object or a list of them.
std::vector<JsonValue> prefetches_in(const JsonValue& object) {
  std::vector<JsonValue> found;
  if (const auto prefetch = object.find("prefetch")) {
    if (prefetch->is(JsonKind::object)) {
      found.push_back(*prefetch);
    } else if (prefetch->is(JsonKind::array)) {
      std::copy_if(prefetch->children().begin(), prefetch->children().end(), std::back_inserter(found),
                   [](const JsonValue& element) { return element.is(JsonKind::object); });
    }
  }
  return found;
}

void append_documents(std::vector<JsonValue>& documents, const JsonValue& object) {
  if (const auto document = document_at(object.find("query"))) {
    documents.push_back(*document);
  }
  for (const JsonValue& prefetch : prefetches_in(object)) {
    append_documents(documents, prefetch);
  }
}

// Reads a search until something is found that Qdrant would refuse.
class ShapeReader {
 public:
  ShapeReader(const JsonValue& search, SearchKind kind, bool groups)
      : shape_{.object = search, .kind = kind, .groups = groups} {}

  SearchShape run() {
    read();
    return std::move(shape_);
  }

 private:
  bool refuse(std::string why) {
    shape_.refused = std::move(why);
    return false;
  }

  // Counts the known members of an object and remembers nothing: each may be there once, whatever its value.
  bool check_members(const JsonValue& object, std::span<const KnownMember> known) {
    std::vector<bool> seen(known.size());
    for (const JsonValue member : object.children()) {
      const std::string_view key = member.key();
      const auto at = std::find_if(known.begin(), known.end(), [&](const KnownMember& candidate) {
        return key == candidate.name || (!candidate.alias.empty() && key == candidate.alias);
      });
      if (at == known.end()) {
        continue;
      }
      if (seen[static_cast<std::size_t>(at - known.begin())]) {
        return refuse("`" + std::string(at->name) + "` stands there twice");
      }
      seen[static_cast<std::size_t>(at - known.begin())] = true;
    }
    return true;
  }

  bool read_count(const std::optional<JsonValue>& member, std::uint64_t least, std::uint64_t& value) {
    if (!member || member->is_null()) {
      return true;
    }
    const auto count = member->as_count();
    if (!count || *count < least) {
      return refuse("`" + std::string(member->key()) + "` is not a count");
    }
    value = *count;
    return true;
  }

  bool read_query(const JsonValue& holder, QueryShape& shape) {
    const auto query = holder.find("query");
    shape.has_order = query && query_has_order(*query);
    if (!query || !query->is(JsonKind::object)) {
      return true;
    }
    shape.document = document_at(query);
    if (shape.document && !check_members(*shape.document, kDocumentMembers)) {
      return false;
    }
    if (shape.document == query || !query->find("nearest")) {
      return true;
    }
    if (!check_members(*query, kNearestMembers)) {
      return false;
    }
    shape.mmr = find_not_null(*query, "mmr");
    if (!shape.mmr) {
      return true;
    }
    if (!check_members(*shape.mmr, kMmrMembers)) {
      return false;
    }
    shape.candidates_limit = shape.mmr->find("candidates_limit");
    std::uint64_t ignored = 0;
    return read_count(shape.candidates_limit, 0, ignored);
  }

  bool read_prefetches(const JsonValue& holder) {
    const auto prefetch = find_not_null(holder, "prefetch");
    if (!prefetch) {
      return true;
    }
    const std::vector<JsonValue> objects = prefetches_in(holder);
    const auto elements = prefetch->children();
    const bool all_objects =
        prefetch->is(JsonKind::object) ||
        (prefetch->is(JsonKind::array) && !prefetch->holds_numbers() &&
         objects.size() == static_cast<std::size_t>(std::distance(elements.begin(), elements.end())));
    if (!all_objects) {
      return refuse("`prefetch` is neither a prefetch nor a list of them");
    }
    return std::all_of(objects.begin(), objects.end(),
                       [&](const JsonValue& object) { return read_prefetch(object); });
  }

  bool read_prefetch(const JsonValue& object) {
    PrefetchShape shape{.object = object, .limit = object.find("limit")};
    if (!check_members(object, kPrefetchMembers) || !read_count(shape.limit, 1, shape.limit_value) ||
        !read_query(object, shape.query)) {
      return false;
    }
    shape_.prefetches.push_back(std::move(shape));
    return read_prefetches(object);
  }

  bool read_counts(const JsonValue& search) {
    const bool has_defaults = shape_.kind == SearchKind::query;
    shape_.limit = search.find("limit");
    if (!has_defaults && !shape_.groups && !shape_.limit) {
      shape_.limit = search.find("top");
    }
    if (!has_defaults && (!shape_.limit || shape_.limit->is_null())) {
      return refuse("`limit` is missing");
    }
    if (!read_count(shape_.limit, 1, shape_.limit_value)) {
      return false;
    }
    if (!shape_.groups) {
      shape_.offset = search.find("offset");
      return read_count(shape_.offset, 0, shape_.offset_value);
    }
    shape_.group_size = search.find("group_size");
    if (!has_defaults && (!shape_.group_size || shape_.group_size->is_null())) {
      return refuse("`group_size` is missing");
    }
    return read_count(shape_.group_size, 1, shape_.group_size_value);
  }

  bool read() {
    const JsonValue& search = shape_.object;
    if (!search.is(JsonKind::object)) {
      return refuse("a search is an object");
    }
    if (!check_members(search, known_members(shape_.kind, shape_.groups)) || !read_counts(search)) {
      return false;
    }
    shape_.with_payload = search.find("with_payload");
    shape_.with_vector = search.find("with_vector");
    if (!shape_.with_vector) {
      shape_.with_vector = search.find("with_vectors");
    }
    shape_.shard_key = search.find("shard_key");
    switch (shape_.kind) {
      case SearchKind::query:
        return read_query(search, shape_.query) && read_prefetches(search);
      case SearchKind::discover:
        // Without a target only the context ranks the points, and only by region.
        shape_.query.has_order = find_not_null(search, "target").has_value();
        return true;
      case SearchKind::search:
      case SearchKind::recommend:
        return true;
    }
    return true;
  }

  SearchShape shape_;
};

}  // namespace

SearchShape read_search(const JsonValue& search, SearchKind kind, bool groups) {
  return ShapeReader(search, kind, groups).run();
}

std::vector<JsonValue> documents_of(const JsonValue& search, SearchKind kind) {
  std::vector<JsonValue> documents;
  if (kind == SearchKind::query) {
    append_documents(documents, search);
  }
  return documents;
}

std::vector<JsonValue> option_places(const JsonValue& search, SearchKind kind) {
  std::vector<JsonValue> places;
  if (!search.is(JsonKind::object)) {
    return places;
  }
  places.push_back(search);
  const auto add = [&places](const JsonValue& holder, std::string_view key) {
    for (const JsonValue member : holder.children()) {
      if (member.key() == key && member.is(JsonKind::object)) {
        places.push_back(member);
      }
    }
  };
  add(search, "params");
  for (const JsonValue& document : documents_of(search, kind)) {
    add(document, "options");
  }
  return places;
}

std::string document_text(const JsonValue& search, SearchKind kind, std::size_t max_chars) {
  for (const JsonValue& document : documents_of(search, kind)) {
    const std::string text = document.find("text")->text();
    std::string cut = reranker::first_code_points(text, max_chars);
    if (!reranker::is_blank(cut)) {
      return cut;
    }
  }
  return {};
}

std::vector<std::string> document_models(const JsonValue& search, SearchKind kind) {
  std::vector<std::string> models;
  for (const JsonValue& document : documents_of(search, kind)) {
    const auto model = document.find("model");
    if (model && model->is(JsonKind::string) && !model->text().empty()) {
      models.push_back(model->text());
    }
  }
  return models;
}

}  // namespace qrerank::proxy::rewrite

// The Documents of a request, wherever Qdrant takes a vector: found, and replaced by vectors. Which models
// are ours is config's word, making the vectors is flow's work.
#pragma once

#include <compare>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/rewrite/request_shape.hpp"

namespace qrerank::proxy::rewrite {

/// What a Document says; its `options` are not looked at.
struct Document {
  std::string model;
  std::string text;
  auto operator<=>(const Document&) const = default;
};

/// The JSON text that takes a Document's place.
using DocumentVectors = std::map<Document, std::string>;

/// Of each search in `body`, one or those of a batch, each Document once: at `query` and at `nearest`, in the
/// inputs of `recommend`, `discover`, `context` and `relevance_feedback`, and in the same places of
/// prefetches at every depth. Only of kind `query`, since no other takes Documents; none where the body is no
/// JSON.
std::vector<Document> documents_in(std::string_view body, SearchKind kind, bool batch);

/// The same bytes, with `vectors` in the places of the Documents that they know.
std::string with_vectors(std::string body, SearchKind kind, bool batch, const DocumentVectors& vectors);

/// `[0.1,-2]`: each number as the shortest text that reads back as the same float32.
std::string vector_text(std::span<const float> vector);

}  // namespace qrerank::proxy::rewrite

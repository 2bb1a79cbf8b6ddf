// Vectors through the manager: the mock model, what is kept, who may ask whom for what.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "reranker/mock_embedding.hpp"
#include "reranker/vector_cache.hpp"
#include "tests/unit/reranker/manager/world.hpp"

using namespace qrerank::reranker;
using namespace qrerank::reranker::manager;

namespace {

ModelSetup embedding(std::string name, std::string id = "1") {
  ModelSetup setup;
  setup.name = std::move(name);
  setup.kind = ModelKind::embedding;
  setup.source_id = std::move(id);
  setup.source.needs = [] { return std::vector<model::ReplicaNeed>{{"cpu", 1}}; };
  setup.source.load = [](const std::string&, model::LoadProgress&) { return make_mock_embedding(); };
  return setup;
}

struct Embedding : World {
  Embedding() {
    settings.vector_cache_bytes = 1 << 20;
    models.push_back(embedding("e"));
    models.push_back(setup("judge", 1));
    start();
  }

  EmbedResult embed(std::vector<std::string> texts, const std::string& model = "e") {
    Answer<EmbedResult> answer;
    const auto ticket = manager->embed({.model = model, .texts = std::move(texts)}, answer.completion());
    return answer.get();
  }
};

double length(const std::vector<float>& vector) {
  double squares = 0;
  for (const float value : vector) squares += double{value} * value;
  return std::sqrt(squares);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(embedding_suite, Embedding)

BOOST_AUTO_TEST_CASE(texts_become_vectors_in_their_order) {
  const auto result = embed({"a red fox", "Red  fox, a!", "", "the sea"});
  BOOST_TEST_REQUIRE(result.has_value());
  BOOST_TEST_REQUIRE(result->vectors.size() == 4U);
  for (const auto& vector : result->vectors) {
    BOOST_TEST(vector.size() == kMockEmbeddingWidth);
    BOOST_TEST(std::abs(length(vector) - 1) < 1e-6);
  }
  BOOST_TEST(result->vectors[0] == result->vectors[1], boost::test_tools::per_element());
  BOOST_TEST((result->vectors[0] != result->vectors[3]));
  BOOST_TEST(result->vectors[2][0] == 1);
  BOOST_TEST(result->tokens == 12U);
}

BOOST_AUTO_TEST_CASE(equal_texts_are_computed_once_and_known_ones_not_at_all) {
  const auto first = embed({"one", "two", "one"});
  BOOST_TEST(witness.items == 2U);
  BOOST_TEST(first->cached == 0U);
  const auto second = embed({"two", "three", "one"});
  BOOST_TEST(witness.items == 3U);
  BOOST_TEST(second->cached == 2U);
  BOOST_TEST(second->vectors[0] == first->vectors[1], boost::test_tools::per_element());
  BOOST_TEST(second->vectors[2] == first->vectors[0], boost::test_tools::per_element());
  BOOST_TEST(embed({"one", "two"})->cached == 2U);
  BOOST_TEST(witness.items == 3U);
}

BOOST_AUTO_TEST_CASE(each_kind_is_asked_for_what_it_does) {
  const auto judged = embed({"text"}, "judge");
  BOOST_TEST_REQUIRE(!judged.has_value());
  BOOST_TEST((judged.error().failure == ScoreFailure::model_unavailable));
  BOOST_TEST(judged.error().message == "judge is no embedding model");
  Answer<ScoreResult> answer;
  ScoreRequest request;
  request.model = "e";
  request.query = "q";
  request.texts = {"t"};
  const auto ticket = manager->submit(std::move(request), answer.completion());
  const auto scored = answer.get();
  BOOST_TEST_REQUIRE(!scored.has_value());
  BOOST_TEST(scored.error().message == "e is no reranker model");
  BOOST_TEST((embed({"text"}, "nobody").error().failure == ScoreFailure::model_unavailable));
  for (const auto& status : manager->status())
    BOOST_TEST((status.kind == (status.name == "e" ? ModelKind::embedding : ModelKind::reranker)),
               status.name);
}

BOOST_AUTO_TEST_CASE(the_length_of_vectors_is_told_once_it_is_known) {
  const auto width = [this](std::string_view model) {
    for (const auto& status : manager->status())
      if (status.name == model) return status.width;
    throw std::logic_error("no such model");
  };
  BOOST_TEST(width("e") == 0U);
  manager->load("e");
  manager->load("judge");
  witness.await("e", ModelState::ready);
  witness.await("judge", ModelState::ready);
  BOOST_TEST(width("e") == kMockEmbeddingWidth);
  BOOST_TEST(width("judge") == 0U);
  manager->unload("e");
  witness.await("e", ModelState::unloaded);
  BOOST_TEST(width("e") == kMockEmbeddingWidth);

  // Files that came later, and files that are there from the beginning.
  const auto known = [](std::string name, std::size_t numbers) {
    auto its = embedding(std::move(name));
    its.width = numbers;
    return its;
  };
  manager->set_models({known("e", 7), known("f", 0), known("g", 384)});
  BOOST_TEST(width("e") == kMockEmbeddingWidth);
  BOOST_TEST(width("g") == 384U);
  manager->set_models({known("f", 12), known("g", 384)});
  BOOST_TEST(width("f") == 12U);
}

BOOST_AUTO_TEST_CASE(a_time_limit_and_a_load_that_fails_are_told) {
  Answer<EmbedResult> answer;
  const auto ticket =
      manager->embed({.model = "e", .texts = {"late"}, .deadline = Clock::now()}, answer.completion());
  BOOST_TEST((answer.get().error().failure == ScoreFailure::timeout));
  auto broken = embedding("e", "2");
  broken.source.load = [](const std::string&, model::LoadProgress&) {
    return tl::make_unexpected(model::LoadError{.message = "no such file"});
  };
  std::vector<ModelSetup> now;
  now.push_back(std::move(broken));
  manager->set_models(std::move(now));
  const auto result = embed({"one"});
  BOOST_TEST_REQUIRE(!result.has_value());
  BOOST_TEST(result.error().message == "no such file");
}

BOOST_AUTO_TEST_CASE(vectors_are_kept_within_their_bytes) {
  VectorCache cache(3 * (VectorCache::kEntryBytes + 4 * sizeof(float)));
  const auto key = [](std::uint8_t n) { return ScoreKey{n}; };
  const std::vector<float> vector(4, 1.0F);
  for (const std::uint8_t n : {1, 2, 3}) cache.insert(key(n), vector);
  BOOST_TEST(cache.find(key(1)).has_value());  // the most recent now
  cache.insert(key(4), vector);
  BOOST_TEST(!cache.find(key(2)).has_value());
  BOOST_TEST(cache.find(key(1)).has_value());
  BOOST_TEST(cache.find(key(4)).has_value());
  VectorCache none(0);
  none.insert(key(1), vector);
  BOOST_TEST(!none.find(key(1)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

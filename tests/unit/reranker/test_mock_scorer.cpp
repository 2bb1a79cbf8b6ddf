#include <boost/test/unit_test.hpp>
#include <cmath>
#include <optional>

#include "reranker/mock_scorer.hpp"
#include "reranker/scorer_registry.hpp"

namespace qrerank::reranker {
namespace {

ScoreResult score(Scorer& scorer, ScoreRequest request) {
  std::optional<ScoreResult> result;
  int calls = 0;
  const ScoreTicket ticket = scorer.submit(std::move(request), [&](ScoreResult r) {
    result = std::move(r);
    ++calls;
  });
  BOOST_REQUIRE_EQUAL(calls, 1);
  return *result;
}

std::vector<double> logits(const std::string& query, std::vector<std::string> texts) {
  MockScorer mock;
  ScoreRequest request;
  request.model = "mock";
  request.query = query;
  request.texts = std::move(texts);
  const ScoreResult result = score(mock, request);
  BOOST_REQUIRE(result.has_value());
  return result->logits;
}

ScoreRequest request_for(std::string model) {
  ScoreRequest request;
  request.model = std::move(model);
  request.query = "q";
  request.texts = {"q"};
  return request;
}

BOOST_AUTO_TEST_SUITE(mock_scorer)

BOOST_AUTO_TEST_CASE(more_distinct_query_words_win_at_any_length) {
  const std::string filler(100000, 'x');
  const auto got = logits("shrink photos quickly", {"shrink photos quickly " + filler, "shrink photos",
                                                    "photos photos photos", "nothing here"});
  BOOST_TEST(got[0] > got[1]);
  BOOST_TEST(got[1] > got[2]);
  BOOST_TEST(got[2] > got[3]);
}

BOOST_AUTO_TEST_CASE(a_shorter_text_breaks_ties) {
  const auto got = logits("photo", {"photo", "photo and more", "photo"});
  BOOST_TEST(got[0] > got[1]);
  BOOST_TEST(got[0] == got[2]);
}

BOOST_AUTO_TEST_CASE(words_know_case_and_punctuation) {
  struct Row {
    const char* query;
    const char* text;
    bool found;
  };
  const Row rows[] = {
      {"Photo", "PHOTO!", true},  {"ÄRGER", "ärger", true}, {"Привет", "ПРИВЕТ", true}, {"ΑΒΓ", "αβγ", true},
      {"Ёж", "ёж", true},         {"a.b", "b-a", true},     {"photo", "photos", false}, {"7", "7", true},
      {"東京", "「東京」", true}, {"don’t", "t don", true}, {"x\xFFy", "y x", true},    {"…", "…", false},
  };
  for (const Row& row : rows) {
    const auto got = logits(row.query, {row.text, ""});
    BOOST_TEST((got[0] > 0) == row.found, row.query << " / " << row.text);
    BOOST_TEST(std::isfinite(got[0]));
  }
}

BOOST_AUTO_TEST_CASE(refusals) {
  MockScorer mock;
  BOOST_TEST((score(mock, request_for("other")).error().failure == ScoreFailure::model_unavailable));
  ScoreRequest late = request_for("mock");
  late.deadline = Clock::time_point::min();
  BOOST_TEST((score(mock, late).error().failure == ScoreFailure::timeout));
}

BOOST_AUTO_TEST_CASE(counts_words_and_tells_its_name) {
  MockScorer mock;
  ScoreRequest request = request_for("mock");
  request.texts = {"one two", "three"};
  BOOST_TEST(score(mock, request)->tokens == 3U);
  request.texts.clear();
  BOOST_TEST(score(mock, request)->logits.empty());
  BOOST_REQUIRE_EQUAL(mock.status().size(), 1U);
  BOOST_TEST(mock.status()[0].name == "mock");
  BOOST_TEST((mock.status()[0].state == ModelState::ready));
}

BOOST_AUTO_TEST_SUITE_END()

// Knows one name and answers with one logit.
class OneScorer : public Scorer {
 public:
  OneScorer(std::string name, double logit) : name_(std::move(name)), logit_(logit) {}
  ScoreTicket submit(ScoreRequest, ScoreCompletion done) override {
    ScoreSet set;
    set.logits = {logit_};
    done(std::move(set));
    return {};
  }
  bool knows(const std::string& model) const override { return model == name_; }
  std::vector<ModelStatus> status() const override {
    ModelStatus status;
    status.name = name_;
    return {status};
  }

 private:
  std::string name_;
  double logit_;
};

BOOST_AUTO_TEST_CASE(registry_dispatches_by_model_name) {
  std::vector<std::unique_ptr<Scorer>> scorers;
  scorers.push_back(std::make_unique<OneScorer>("a", 1));
  scorers.push_back(std::make_unique<OneScorer>("b", 2));
  scorers.push_back(std::make_unique<OneScorer>("a", 3));
  ScorerRegistry registry(std::move(scorers));
  BOOST_TEST(score(registry, request_for("a"))->logits.at(0) == 1);
  BOOST_TEST(score(registry, request_for("b"))->logits.at(0) == 2);
  BOOST_TEST((score(registry, request_for("c")).error().failure == ScoreFailure::model_unavailable));
  BOOST_TEST(registry.knows("b"));
  BOOST_TEST(!registry.knows("c"));
  BOOST_TEST(registry.status().size() == 3U);
  ScorerRegistry empty({});
  BOOST_TEST((score(empty, request_for("a")).error().failure == ScoreFailure::model_unavailable));
}

BOOST_AUTO_TEST_CASE(states_have_names) {
  BOOST_TEST(to_string(ModelState::unloaded) == "unloaded");
  BOOST_TEST(to_string(ModelState::loading) == "loading");
  BOOST_TEST(to_string(ModelState::ready) == "ready");
  BOOST_TEST(to_string(ModelState::draining) == "draining");
  BOOST_TEST(to_string(ModelState::failed) == "failed");
}

}  // namespace
}  // namespace qrerank::reranker

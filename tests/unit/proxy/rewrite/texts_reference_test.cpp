// Texts of generated payloads against those that a DOM gives.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "one_result.hpp"
#include "random_answers.hpp"
#include "reranker/utf8.hpp"

using namespace random_answers;

BOOST_AUTO_TEST_SUITE(texts_reference_suite)

BOOST_AUTO_TEST_CASE(texts_are_those_of_the_reference) {
  for (unsigned seed = 0; seed < kRounds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Answers answers(seed + kRounds);
      Answers::Point point = answers.point();
      const auto set = extract_one(answers.answer({point}, HitLayout::list), HitLayout::list, fields(), 50);
      BOOST_REQUIRE(set.has_value());
      // The first member of a name counts; the reference keeps the last.
      std::vector<std::pair<std::string, Json>> members;
      for (const auto& [key, value] : point.payload_members) {
        members.emplace_back(Json::parse(key).get<std::string>(), Json::parse(value));
      }
      std::string expected;
      const auto take = [&](const Json& value, const std::string& spelled) {
        const std::string line = value.is_string()   ? value.get<std::string>()
                                 : value.is_number() ? spelled
                                                     : "";
        if (!qrerank::reranker::is_blank(line)) {
          expected += (expected.empty() ? "" : "\n") + line;
        }
      };
      for (const char* name : {"text", "a", "d.k"}) {
        for (std::size_t i = 0; i < members.size(); ++i) {
          if (members[i].first != name) {
            continue;
          }
          if (members[i].second.is_array()) {
            // Numbers in lists keep their spelling too: the reference knows it for scalars only, so compare
            // as strings.
            for (const Json& element : members[i].second) {
              take(element, element.dump());
            }
          } else {
            take(members[i].second, point.payload_members[i].second);
          }
          break;
        }
      }
      const bool lists_of_numbers = std::any_of(members.begin(), members.end(), [](const auto& member) {
        return member.second.is_array() && std::any_of(member.second.begin(), member.second.end(),
                                                       [](const Json& e) { return e.is_number_float(); });
      });
      const bool nested = std::any_of(members.begin(), members.end(), [](const auto& member) {
        return member.first == "text" && member.second.is_array();
      });
      if (!lists_of_numbers && !nested) {
        BOOST_TEST(set->sets.at(0).candidates.at(0).text == expected);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

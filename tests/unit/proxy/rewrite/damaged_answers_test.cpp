// Answers cut off anywhere, which must be refused, and damaged ones, which must not crash.
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

#include "one_result.hpp"
#include "proxy/rewrite/response.hpp"
#include "random_answers.hpp"

using namespace random_answers;

BOOST_AUTO_TEST_SUITE(damaged_answers_suite)

BOOST_AUTO_TEST_CASE(every_cut_off_answer_is_refused) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    Answers answers(seed);
    answers.with_spaces(seed % 2 == 1);
    const HitLayout layout = seed % 3 == 0 ? HitLayout::points : HitLayout::list;
    const std::string body = answers.answer({answers.point(), answers.point()}, layout);
    for (std::size_t size = 0; size < body.size(); ++size) {
      const std::string cut = body.substr(0, size);
      BOOST_TEST(!extract_one(cut, layout, fields(), 50).has_value(), "seed " << seed << ": " << cut);
      BOOST_TEST(!annotate(cut, Report{}).has_value(), "seed " << seed << ": " << cut);
      BOOST_TEST(!parse_reread(cut).has_value(), "seed " << seed << ": " << cut);
    }
  }
}

BOOST_AUTO_TEST_CASE(damaged_answers_never_crash) {
  constexpr std::string_view kDamage = "{}[],:\"\\x0-\n";
  for (unsigned seed = 0; seed < 40; ++seed) {
    Answers answers(seed);
    const HitLayout layout = seed % 3 == 0 ? HitLayout::points : HitLayout::list;
    const std::string body = answers.answer({answers.point(), answers.point()}, layout);
    Projection by;
    by.payload = Projection::Payload::drop;
    by.members = {"a"};
    for (std::size_t at = 0; at < body.size(); ++at) {
      std::string damaged = body;
      damaged[at] = kDamage[answers.below(kDamage.size())];
      if (at % 3 == 0) {
        damaged.erase(at, 1 + answers.below(3));
      }
      if (const auto set = extract_one(damaged, layout, fields(), 50)) {
        const auto page = vector_page(set->sets.at(0).candidates.size(), 0, 10);
        BOOST_TEST(!own_one(*set, page, by, nullptr, Report{}).empty());
      }
      (void)annotate(damaged, Report{});
      (void)parse_reread(damaged);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

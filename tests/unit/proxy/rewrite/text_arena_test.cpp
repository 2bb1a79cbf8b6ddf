// Texts that stay where they are while others are written.
#include "proxy/rewrite/text_arena.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace qrerank::proxy::rewrite;

BOOST_AUTO_TEST_SUITE(text_arena_suite)

BOOST_AUTO_TEST_CASE(closed_texts_stay) {
  TextArena arena;
  std::vector<std::string_view> kept;
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < 300; ++i) {
    const std::string text(i * 37 % 5000, static_cast<char>('a' + i % 26));
    arena.append(text.substr(0, text.size() / 2));
    arena.append(text.substr(text.size() / 2));
    BOOST_TEST(arena.open() == text);
    kept.push_back(arena.close());
    expected.push_back(text);
  }
  const TextArena moved = std::move(arena);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    BOOST_TEST(kept[i] == expected[i]);
  }
}

BOOST_AUTO_TEST_CASE(an_open_text_moves_whole_and_is_cut) {
  TextArena arena;
  arena.append("beginning");
  char* const at = arena.room(1'000'000);
  BOOST_TEST(arena.open() == "beginning");
  arena.extend(std::fill_n(at, 1'000'000, 'x'));
  BOOST_TEST(arena.open().size() == 1'000'009U);
  arena.cut(9);
  BOOST_TEST(arena.close() == "beginning");
  BOOST_TEST(arena.open().empty());
  BOOST_TEST(arena.close().empty());
}

BOOST_AUTO_TEST_SUITE_END()

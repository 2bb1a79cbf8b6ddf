// Against pipes: what they hold and when somebody reads is decided here.
#include "proxy/observe/line_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using qrerank::proxy::observe::LineWriter;

namespace {

// Of one page, so that it is soon full.
class Pipe {
 public:
  Pipe() {
    BOOST_TEST_REQUIRE(::pipe(ends_.data()) == 0);
    BOOST_TEST_REQUIRE(::fcntl(ends_[1], F_SETPIPE_SZ, 4096) == 4096);
  }
  ~Pipe() {
    ::close(ends_[0]);
    finish();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int in() const { return ends_[1]; }
  void finish() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  // To its end.
  std::vector<std::string> lines() const {
    std::string text;
    std::array<char, 4096> piece;
    for (ssize_t got; (got = ::read(ends_[0], piece.data(), piece.size())) > 0;) {
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
    BOOST_TEST((text.empty() || text.back() == '\n'));
    std::vector<std::string> all;
    std::istringstream from(text);
    for (std::string line; std::getline(from, line);) all.push_back(line);
    return all;
  }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(line_writer)

BOOST_AUTO_TEST_CASE(what_waits_is_written_at_the_end_in_its_order) {
  Pipe pipe;
  std::thread writing([&] {
    {
      LineWriter writer(pipe.in());
      for (int i = 0; i < 2000; ++i) writer.write(std::to_string(i));
      BOOST_TEST(writer.dropped() == 0U);
    }
    pipe.finish();
  });
  const auto lines = pipe.lines();
  writing.join();
  BOOST_TEST_REQUIRE(lines.size() == 2000U);
  for (std::size_t i = 0; i < lines.size(); ++i) BOOST_TEST(lines[i] == std::to_string(i));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_dropped_whole_and_counted) {
  Pipe pipe;
  std::optional<LineWriter> writer(pipe.in());
  constexpr std::size_t kLines = 3000;  // of a kilobyte: more than a batch on its way and a waiting one hold
  for (std::size_t i = 0; i < kLines; ++i) writer->write(std::string(1000, 'x'));
  const auto dropped = writer->dropped();
  BOOST_TEST(dropped > 0U);
  std::thread ending([&] {
    writer.reset();
    pipe.finish();
  });
  const auto lines = pipe.lines();
  ending.join();
  BOOST_TEST(lines.size() + dropped == kLines);
  for (const auto& line : lines) BOOST_TEST_REQUIRE(line == std::string(1000, 'x'));
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_does_not_block_loses_nothing) {
  Pipe pipe;
  BOOST_TEST_REQUIRE(::fcntl(pipe.in(), F_SETFL, O_NONBLOCK) == 0);
  std::optional<LineWriter> writer(pipe.in());
  for (int i = 0; i < 500; ++i) writer->write(std::string(100, 'x'));
  std::thread ending([&] {
    BOOST_TEST(writer->dropped() == 0U);
    writer.reset();
    pipe.finish();
  });
  const auto lines = pipe.lines();
  ending.join();
  BOOST_TEST(lines.size() == 500U);
}

BOOST_AUTO_TEST_SUITE_END()

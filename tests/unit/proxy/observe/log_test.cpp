// The writing thread: standard error is a file here, read back after stop().
#include "proxy/observe/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

namespace observe = qrerank::proxy::observe;
namespace log_ = qrerank::proxy::observe::log;

namespace {

// Standard error goes to a file while this lives.
class Captured {
 public:
  Captured() : saved_(::dup(STDERR_FILENO)) {
    std::FILE* file = std::tmpfile();
    descriptor_ = ::dup(::fileno(file));
    std::fclose(file);
    ::dup2(descriptor_, STDERR_FILENO);
  }
  ~Captured() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    ::close(descriptor_);
  }
  std::vector<std::string> lines() const {
    std::ifstream file("/proc/self/fd/" + std::to_string(descriptor_));
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) {
      all.push_back(line);
    }
    return all;
  }

 private:
  int saved_;
  int descriptor_ = -1;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(log_writer)

BOOST_AUTO_TEST_CASE(stop_writes_all_lines_of_all_threads) {
  const Captured captured;
  log_::start({"info", qrerank::proxy::config::LogFormat::text, false});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) {
        log_::info("", "line", {{"thread", t}, {"i", i}});
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  log_::stop();
  BOOST_TEST(captured.lines().size() == 2000u);
}

BOOST_AUTO_TEST_CASE(the_level_decides_and_may_change) {
  const Captured captured;
  log_::start({"warn", qrerank::proxy::config::LogFormat::json, false});
  log_::info("", "no");
  log_::warn("", "yes");
  log_::set_level(log_::Level::debug);
  log_::debug("", "now");
  log_::set_level(log_::Level::error);
  log_::warn("", "not any more");
  log_::error("", "always {} %s");  // nothing in a message is a pattern
  log_::stop();
  const auto lines = captured.lines();
  BOOST_TEST_REQUIRE(lines.size() == 3u);
  BOOST_TEST(lines[0].find("\"yes\"") != std::string::npos);
  BOOST_TEST(lines[1].find("\"now\"") != std::string::npos);
  BOOST_TEST(lines[2].find("\"always {} %s\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(lines_that_cannot_be_written_hold_nobody_up) {
  const int saved = ::dup(STDERR_FILENO);
  const int full = ::open("/dev/full", O_WRONLY);
  BOOST_TEST_REQUIRE(full >= 0);
  ::dup2(full, STDERR_FILENO);
  log_::start({"info", qrerank::proxy::config::LogFormat::text, false});
  for (int i = 0; i < 1000; ++i) log_::info("", "line");
  log_::stop();
  ::dup2(saved, STDERR_FILENO);
  ::close(full);
  ::close(saved);
}

BOOST_AUTO_TEST_CASE(without_a_writer_lines_are_written_at_once) {
  const Captured captured;
  log_::set_level(log_::Level::info);
  log_::info("id", "early");
  BOOST_TEST(captured.lines().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

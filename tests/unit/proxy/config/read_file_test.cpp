#include "proxy/config/read_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace qrerank::proxy::config;

namespace {

struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "qrerank-read-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(reading_small_files)

BOOST_AUTO_TEST_CASE(up_to_a_size) {
  const Folder folder;
  const std::string file = folder.path / "file";
  std::ofstream(file) << "12345";
  BOOST_TEST(read_file(file, 5).value() == "12345");
  BOOST_TEST(read_file(file, 4).error() == "longer than 4B");
  BOOST_TEST(read_file("/dev/zero", 4096).error() == "longer than 4KiB");
  BOOST_TEST(read_file("/dev/null", 1).value() == "");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_says_why) {
  const Folder folder;
  BOOST_TEST(read_file(folder.path / "none", 5).error() == "cannot be read: No such file or directory");
  BOOST_TEST(read_file(folder.path, 5).error() == "cannot be read: Is a directory");
}

BOOST_AUTO_TEST_CASE(a_pipe_is_waited_for_but_not_for_ever) {
  const Folder folder;
  const std::string pipe = folder.path / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  BOOST_TEST(read_file(pipe, 5, std::chrono::milliseconds(10)).error() ==
             "cannot be read: a pipe that brings nothing");
  const int both = ::open(pipe.c_str(), O_RDWR);  // does not wait for the other end
  BOOST_REQUIRE(::write(both, "123", 3) == 3);
  BOOST_TEST(read_file(pipe, 2).error() == "longer than 2B");
  ::close(both);
}

BOOST_AUTO_TEST_SUITE_END()

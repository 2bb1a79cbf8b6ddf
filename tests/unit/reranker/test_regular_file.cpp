#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include "reranker/regular_file.hpp"
#include "tests/unit/reranker/model/safetensors_file.hpp"

using qrerank::reranker::read_regular_file;
using qrerank::reranker::RegularFile;

BOOST_AUTO_TEST_SUITE(regular_file)

BOOST_AUTO_TEST_CASE(a_file_is_read_whole) {
  const qrerank::tests::TemporaryFolder folder;
  const std::string bytes("a\0b\n", 4);
  folder.write("file", bytes);
  folder.write("empty", "");
  std::filesystem::create_symlink(folder.path() / "file", folder.path() / "link");
  BOOST_TEST(read_regular_file(folder.path() / "file", 4).value() == bytes);
  BOOST_TEST(read_regular_file(folder.path() / "link", 4).value() == bytes);
  BOOST_TEST(read_regular_file(folder.path() / "empty", 0).value() == "");
  BOOST_TEST(RegularFile::open(folder.path() / "file")->size() == 4U);
}

// A pipe that nobody writes to would block whoever opens it.
BOOST_AUTO_TEST_CASE(what_is_not_a_file_is_refused_at_once) {
  const qrerank::tests::TemporaryFolder folder;
  BOOST_REQUIRE_EQUAL(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  for (const auto& path : {folder.path(), folder.path() / "pipe", std::filesystem::path("/dev/zero")}) {
    const auto read = read_regular_file(path, 100);
    BOOST_REQUIRE(!read);
    BOOST_TEST(read.error() == path.string() + ": not a regular file");
  }
}

BOOST_AUTO_TEST_CASE(errors_name_the_file) {
  const qrerank::tests::TemporaryFolder folder;
  folder.write("file", "12345");
  const auto path = folder.path() / "file";
  BOOST_TEST(read_regular_file(path, 4).error() == path.string() + ": expected at most 4 bytes, found 5");
  BOOST_TEST(read_regular_file("/nonexistent/config.json", 4).error() ==
             "/nonexistent/config.json: No such file or directory");
}

BOOST_AUTO_TEST_SUITE_END()

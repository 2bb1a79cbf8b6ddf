#include <boost/test/unit_test.hpp>
#include <fstream>

#include "reranker/manager/machine_memory.hpp"
#include "tests/unit/reranker/model/safetensors_file.hpp"

namespace qrerank::reranker::manager {
namespace {

constexpr std::uint64_t kKiB = 1024;

// A machine of files.
struct Machine : tests::TemporaryFolder {
  void file(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((path() / name).parent_path());
    write(name, text);
  }
  Machine() {
    file("proc/meminfo", "MemTotal:       24000 kB\nMemFree:   10 kB\nMemAvailable:   12000 kB\n");
  }
  void check(std::uint64_t free_kib, std::uint64_t total_kib) {
    const auto memory = main_memory(path());
    BOOST_REQUIRE(memory.has_value());
    BOOST_TEST(memory->free == free_kib * kKiB);
    BOOST_TEST(memory->total == total_kib * kKiB);
  }
};

BOOST_FIXTURE_TEST_SUITE(machine_memory, Machine)

BOOST_AUTO_TEST_CASE(the_machine_decides_where_no_group_limits) {
  check(12000, 24000);
  file("proc/self/cgroup", "0::/user.slice\nnonsense\n");
  file("sys/fs/cgroup/user.slice/memory.max", "max\n");
  file("sys/fs/cgroup/user.slice/memory.current", "1024\n");
  check(12000, 24000);
}

BOOST_AUTO_TEST_CASE(a_group_of_version_2_limits_and_pages_that_can_go_are_free) {
  file("proc/self/cgroup", "0::/a/b\n");
  file("sys/fs/cgroup/a/b/memory.max", std::to_string(8000 * kKiB) + "\n");
  file("sys/fs/cgroup/a/b/memory.current", std::to_string(5000 * kKiB) + "\n");
  check(3000, 8000);
  file("sys/fs/cgroup/a/b/memory.stat", "anon 1\ninactive_file " + std::to_string(1000 * kKiB) + "\n");
  check(4000, 8000);
  // The one above is tighter.
  file("sys/fs/cgroup/a/memory.max", std::to_string(6000 * kKiB) + "\n");
  file("sys/fs/cgroup/a/memory.current", std::to_string(5900 * kKiB) + "\n");
  check(100, 6000);
  // More in use than allowed: nothing is free.
  file("sys/fs/cgroup/a/memory.current", std::to_string(7000 * kKiB) + "\n");
  check(0, 6000);
}

BOOST_AUTO_TEST_CASE(a_container_sees_its_group_at_the_mount) {
  file("proc/self/cgroup", "0::/../../docker/abc\n");
  file("sys/fs/cgroup/memory.max", std::to_string(2000 * kKiB) + "\n");
  file("sys/fs/cgroup/memory.current", std::to_string(500 * kKiB) + "\n");
  check(1500, 2000);
}

BOOST_AUTO_TEST_CASE(a_group_of_version_1_limits) {
  file("proc/self/cgroup", "9:cpu,cpuacct:/x\n7:hugetlb,memory:/x\n");
  file("sys/fs/cgroup/memory/x/memory.limit_in_bytes", std::to_string(4000 * kKiB) + "\n");
  file("sys/fs/cgroup/memory/x/memory.usage_in_bytes", std::to_string(1000 * kKiB) + "\n");
  file("sys/fs/cgroup/memory/x/memory.stat",
       "inactive_file 9\ntotal_inactive_file " + std::to_string(400 * kKiB));
  check(3400, 4000);
  file("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712\n");
  check(12000, 24000);
}

BOOST_AUTO_TEST_CASE(files_that_say_nothing_are_no_limit) {
  file("proc/self/cgroup", "0::/a\n");
  file("sys/fs/cgroup/a/memory.max", "");
  file("sys/fs/cgroup/a/memory.current", "many\n");
  check(12000, 24000);
  file("proc/meminfo", "MemTotal: lots\n");
  BOOST_TEST(!main_memory(path()).has_value());
  BOOST_TEST(!main_memory(path() / "nowhere").has_value());
}

BOOST_AUTO_TEST_CASE(this_machine_tells) {
  const auto memory = main_memory();
  BOOST_REQUIRE(memory.has_value());
  BOOST_TEST(memory->total > 0U);
  BOOST_TEST(memory->free <= memory->total);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::manager

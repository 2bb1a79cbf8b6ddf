// That no printer shows one, and that comparing does not look at where the difference is.
#include "proxy/config/secret.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "proxy/config/effective.hpp"
#include "proxy/config/load.hpp"
#include "proxy/config/print.hpp"
#include "proxy/config/secret_file.hpp"

namespace config = qrerank::proxy::config;
using config::Secret;

namespace {

const std::string kToken = "marker-token-0123456789";

// A file of its own, gone with the test.
class File {
 public:
  explicit File(const std::string& text, mode_t mode = 0600)
      : path_("/tmp/qrerank-secret-test-" + std::to_string(::getpid()) + "-" + std::to_string(++made)) {
    std::ofstream(path_, std::ios::binary) << text;
    BOOST_TEST_REQUIRE(::chmod(path_.c_str(), mode) == 0);
  }
  ~File() { ::unlink(path_.c_str()); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  static inline int made = 0;
  std::string path_;
};

std::string problems_of(const std::string& yaml) {
  const auto loaded = config::load_text(yaml, "c.yaml");
  BOOST_TEST_REQUIRE(!loaded.has_value());
  return config::to_string(loaded.error());
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(secret)

BOOST_AUTO_TEST_CASE(every_printer_masks) {
  const Secret secret(kToken);
  std::ostringstream out;
  out << secret << Secret();
  BOOST_TEST(out.str() == "<secret>");
  BOOST_TEST(fmt::format("{}|{:>10}|{}", secret, secret, Secret()) == "<secret>|  <secret>|");
  BOOST_TEST(secret.reveal() == kToken);
}

BOOST_AUTO_TEST_CASE(it_matches_itself_only) {
  const Secret secret(kToken);
  BOOST_TEST(secret.matches(kToken));
  for (const std::string& other :
       {std::string(), kToken + "0", kToken.substr(1), std::string("Marker-token-0123456789")}) {
    BOOST_TEST(!secret.matches(other));
  }
  BOOST_TEST(!Secret().matches(""));
  BOOST_TEST(!Secret().matches("x"));
}

BOOST_AUTO_TEST_CASE(moved_and_assigned) {
  Secret secret(kToken);
  Secret other = std::move(secret);
  BOOST_TEST(other.matches(kToken));
  secret = other;
  BOOST_TEST(secret.matches(kToken));
  Secret third;
  third = std::move(secret);
  BOOST_TEST(third.matches(kToken));
  const Secret& same = third;
  third = same;
  BOOST_TEST(third.matches(kToken));
  third = Secret();
  BOOST_TEST(third.empty());
}

BOOST_AUTO_TEST_CASE(the_effective_configuration_does_not_show_it) {
  const auto loaded = config::load_text("admin: {token: " + kToken + "}", "c.yaml");
  BOOST_TEST_REQUIRE(loaded.has_value());
  BOOST_TEST(loaded->admin.token.matches(kToken));
  const auto printed = config::print_effective(*loaded);
  BOOST_TEST(!holds(printed, kToken));
  BOOST_TEST(holds(printed, "token: <secret>"));
  // What was printed is no token: nobody gets in by the mask.
  BOOST_TEST(holds(problems_of(printed), "admin.token: not 16 to 512"));
}

BOOST_AUTO_TEST_CASE(errors_do_not_quote_it) {
  const std::vector<std::string> all = {"short-marker", "\"marker with spaces in it\"",
                                        "[" + kToken + ", marker]", "marker" + std::string(600, 'x'),
                                        "\"marker-\\xe4-0123456789\""};
  for (const std::string& bad : all) {
    const auto problems = problems_of("admin: {token: " + bad + "}");
    BOOST_TEST(!holds(problems, "marker"), problems);
    BOOST_TEST(holds(problems, "c.yaml:1: admin.token: not 16 to 512 visible ASCII characters"), problems);
  }
}

BOOST_AUTO_TEST_CASE(from_a_file) {
  const File file(kToken + "\r\n");
  const auto loaded = config::load({{}, {}, {"admin.listen=0.0.0.0:1", "admin.token_file=" + file.path()}});
  BOOST_TEST_REQUIRE(loaded.has_value());
  BOOST_TEST(loaded->admin.token.matches(kToken));
  BOOST_TEST(loaded->warnings.empty());
  const auto refusal = [](std::vector<std::string> sets) {
    const auto refused = config::load({{}, {}, std::move(sets)});
    BOOST_TEST_REQUIRE(!refused.has_value());
    return config::to_string(refused.error());
  };
  BOOST_TEST(
      holds(refusal({"admin.token=" + kToken, "admin.token_file=" + file.path()}), "one of them is enough"));
  BOOST_TEST(holds(refusal({"admin.token_file=/nowhere"}), "/nowhere: cannot be read"));
  BOOST_TEST(holds(refusal({"admin.token_file=/tmp"}), "/tmp: cannot be read"));
  for (const std::string& text :
       {std::string("marker"), std::string("marker-0123456789\nmarker"), std::string(5000, 'm')}) {
    const File bad(text);
    const auto problems = refusal({"admin.token_file=" + bad.path()});
    BOOST_TEST(!holds(problems, "marker"), problems);
    BOOST_TEST(holds(problems, "--set admin.token_file: admin.token_file: " + bad.path()), problems);
  }
}

BOOST_AUTO_TEST_CASE(files_that_others_read_are_warned_of) {
  const std::pair<mode_t, std::string> table[] = {{0600, ""},
                                                  {0400, ""},
                                                  {0640, "mode 0640: others than its owner can read it"},
                                                  {0604, "mode 0604: others than its owner can read it"},
                                                  {0622, "mode 0622: others than its owner can write it"}};
  for (const auto& [mode, why] : table) {
    const File file("admin:\n  token: " + kToken + "\n", mode);
    const auto loaded = config::load({file.path(), {}, {}});
    BOOST_TEST_REQUIRE(loaded.has_value());
    BOOST_TEST_REQUIRE(loaded->warnings.size() == (why.empty() ? 0u : 1u));
    if (!why.empty()) BOOST_TEST(holds(loaded->warnings[0], file.path() + " holds admin.token, " + why));
    // One that holds no secret may be read by all.
    BOOST_TEST(config::load({file.path(), {{"QRERANK_ADMIN__TOKEN", kToken + "2"}}, {}})->warnings.empty());
  }
  const File token(kToken, 0644);
  const auto loaded = config::load({{}, {}, {"admin.token_file=" + token.path()}});
  BOOST_TEST_REQUIRE(loaded->warnings.size() == 1u);
  BOOST_TEST(holds(loaded->warnings[0], token.path() + " holds the admin token, mode 0644"));
}

BOOST_AUTO_TEST_SUITE_END()

#include "proxy/admin/web.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

namespace admin = qrerank::proxy::admin;

namespace {

admin::AdminReply get(const std::string& path, const std::string& if_none_match = "",
                      const std::string& method = "GET") {
  return admin::answer_web(path, {.method = method, .target = path, .if_none_match = if_none_match});
}

std::string field(const admin::AdminReply& reply, const std::string& name) {
  for (const auto& one : reply.fields) {
    if (one.name == name) return one.value;
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(web)

BOOST_AUTO_TEST_CASE(files_are_those_of_the_tree) {
  for (const std::string name : {"index.html", "base.css", "main.js", "icon.svg"}) {
    std::ifstream file(QRERANK_SOURCE_DIR "/proxy/admin/web/" + name, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    BOOST_TEST(!content.empty());
    BOOST_TEST(get("/web/" + name).body == content, name);
  }
  BOOST_TEST(get("/").body == get("/web/index.html").body);
  BOOST_TEST(get("/web/icon.svg").content_type == "image/svg+xml; charset=utf-8");
}

BOOST_AUTO_TEST_CASE(nothing_else_is_there) {
  for (const std::string path : {"/web/", "/web/none.js", "/web/../web/main.js", "/web/main.js/"})
    BOOST_TEST(get(path).status == 404u, path);
  BOOST_TEST(get("/web/main.js", "", "POST").status == 405u);
  BOOST_TEST(admin::is_web_path("/"));
  BOOST_TEST(!admin::is_web_path("/web"));
  BOOST_TEST(!admin::is_web_path("/status"));
}

BOOST_AUTO_TEST_CASE(a_browser_asks_whether_it_is_still_the_same) {
  const auto first = get("/web/main.js");
  const auto etag = field(first, "ETag");
  BOOST_TEST(etag.size() == 18u);
  BOOST_TEST(field(first, "Cache-Control") == "no-cache");
  const auto again = get("/web/main.js", "\"other\", W/" + etag);
  BOOST_TEST(again.status == 304u);
  BOOST_TEST(again.body.empty());
  BOOST_TEST(field(again, "ETag") == etag);
  BOOST_TEST(get("/web/main.js", "\"other\"").status == 200u);
  BOOST_TEST(field(get("/web/base.css"), "ETag") != etag);
}

BOOST_AUTO_TEST_CASE(the_policy_lets_in_nothing_from_elsewhere_and_nothing_inline) {
  const auto policy = field(get("/"), "Content-Security-Policy");
  BOOST_TEST(policy.starts_with("default-src 'none';"));
  for (const std::string word : {"unsafe", "http", "*", "data:"})
    BOOST_TEST(policy.find(word) == std::string::npos, word);
  BOOST_TEST(policy.find("frame-ancestors 'none'") != std::string::npos);
  const auto page = get("/").body;
  for (const std::string word : {"style=\"", "onclick", "http:", "https:", "<script>", "<style"})
    BOOST_TEST(page.find(word) == std::string::npos, word);
}

BOOST_AUTO_TEST_SUITE_END()

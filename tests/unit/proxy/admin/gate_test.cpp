// Who is turned away: tables of requests, with and without a token.
#include "proxy/admin/gate.hpp"

#include <boost/test/unit_test.hpp>

namespace admin = qrerank::proxy::admin;
namespace config = qrerank::proxy::config;

namespace {

const std::string kToken = "0123456789abcdef";

// 0: let through.
unsigned status(const config::Admin& settings, admin::AdminRequest request) {
  if (request.method.empty()) request.method = "GET";
  const auto reply = admin::turned_away(request, settings);
  if (reply) BOOST_TEST(reply->body.find(kToken) == std::string::npos);
  return reply ? reply->status : 0;
}

unsigned status_for_host(const config::Admin& settings, const std::string& host) {
  return status(settings,
                {.method = "GET", .target = "/status", .host = host, .authorization = "", .origin = ""});
}

config::Admin with_token() {
  config::Admin settings;
  settings.token = config::Secret(kToken);
  return settings;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gate)

BOOST_AUTO_TEST_CASE(the_token_is_asked_for) {
  const auto settings = with_token();
  const std::pair<std::string, unsigned> table[] = {{"Bearer " + kToken, 0},
                                                    {"bearer  " + kToken, 0},
                                                    {"", 401},
                                                    {kToken, 401},
                                                    {"Bearer", 401},
                                                    {"Bearer ", 401},
                                                    {"Bearer   ", 401},
                                                    {"Basic " + kToken, 401},
                                                    {"Bearer " + kToken + " ", 401},
                                                    {"Bearer " + kToken.substr(1), 401},
                                                    {"(given twice)", 401}};
  for (const auto& [said, expected] : table) {
    BOOST_TEST(
        status(settings,
               {.method = "GET", .target = "/status", .host = "x", .authorization = said, .origin = ""}) ==
            expected,
        said);
  }
  const auto reply = admin::turned_away({}, settings);
  BOOST_TEST(reply->authenticate == "Bearer realm=\"qrerank\"");
}

BOOST_AUTO_TEST_CASE(with_a_token_the_name_does_not_matter) {
  // A page that was led here by a false name has no token to show.
  BOOST_TEST(status(with_token(), {.method = "POST",
                                   .target = "/status",
                                   .host = "evil.example",
                                   .authorization = "Bearer " + kToken,
                                   .origin = "http://evil.example"}) == 0u);
}

BOOST_AUTO_TEST_CASE(without_one_the_name_must_be_ours) {
  config::Admin settings;
  settings.hosts = {"qrerank.internal"};
  for (const std::string good :
       {"", "127.0.0.1:7334", "10.0.0.7", "[::1]:7334", "[fe80::1]", "localhost", "LocalHost:1",
        "localhost.:7334", "qrerank.internal:7334", "QRERANK.internal"}) {
    BOOST_TEST(status_for_host(settings, good) == 0u, good);
  }
  for (const std::string bad :
       {"evil.example", "evil.example:7334", "localhost.evil.example", "127.0.0.1.evil.example", "qrerank",
        "[::1", "[evil.example]:1", "[::1].evil.example", "[127.0.0.1]x:1", "(given twice)", ":7334",
        "127.0.0.1 "}) {
    BOOST_TEST(status_for_host(settings, bad) == 421u, bad);
  }
  settings.listen.host = "node7.internal";
  BOOST_TEST(status_for_host(settings, "node7.internal:7334") == 0u);
  settings.listen.host = "[::]";
  BOOST_TEST(status_for_host(settings, "evil.example") == 421u);
}

BOOST_AUTO_TEST_CASE(a_page_of_another_origin_changes_nothing) {
  const auto asked = [](const std::string& method, const std::string& origin) {
    return status(
        {},
        {.method = method, .target = "/x", .host = "127.0.0.1:7334", .authorization = "", .origin = origin});
  };
  BOOST_TEST(asked("POST", "") == 0u);  // no browser
  BOOST_TEST(asked("POST", "http://127.0.0.1:7334") == 0u);
  BOOST_TEST(asked("GET", "http://evil.example") == 0u);
  for (const std::string origin :
       {"http://evil.example", "null", "http://127.0.0.1:80", "http://127.0.0.1:7334.evil.example"}) {
    BOOST_TEST(asked("POST", origin) == 403u, origin);
    BOOST_TEST(asked("DELETE", origin) == 403u, origin);
  }
}

BOOST_AUTO_TEST_SUITE_END()

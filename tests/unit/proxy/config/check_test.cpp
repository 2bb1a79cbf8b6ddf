// What no single value can tell; the places that load() puts before these messages are load_test's.
#include "proxy/config/check.hpp"

#include <boost/test/unit_test.hpp>
#include <tuple>

#include "proxy/config/load.hpp"

namespace config = qrerank::proxy::config;

namespace {

config::Config with_models() {
  return *config::load_text("models: {big: {hub: BAAI/bge-reranker-large}, own: {path: /m}}", "c.yaml");
}

std::vector<std::string> messages(const config::Config& c) {
  std::vector<std::string> all;
  for (const auto& finding : config::check_together(c)) {
    BOOST_TEST(finding.message.find(finding.path) != std::string::npos, finding.path);
    all.push_back(finding.message);
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(check)

BOOST_AUTO_TEST_CASE(a_mapping_leads_to_a_model_that_is_there) {
  for (const std::string good : {"mock", "big", "own", "BAAI/bge-reranker-large"}) {
    auto c = with_models();
    c.model_mapping.push_back({"acme/*", good});
    BOOST_TEST(messages(c).empty(), good);
  }
  auto c = with_models();
  c.model_mapping = {{"acme/*", "BAAI/bge-reranker-lagre"}, {"b", "zzzzzzzz"}};
  const std::vector<std::string> expected = {
      "model_mapping.acme/*: 'BAAI/bge-reranker-lagre' is neither `mock` nor a name or hub name under "
      "`models`; "
      "did you mean BAAI/bge-reranker-large?",
      "model_mapping.b: 'zzzzzzzz' is neither `mock` nor a name or hub name under `models`"};
  BOOST_TEST(messages(c) == expected, boost::test_tools::per_element());
}

// What would be taken for protection and protects nothing is refused.
BOOST_AUTO_TEST_CASE(tls_settings_that_miss_their_other_half) {
  using Change = void (*)(config::Config&);
  const std::pair<Change, std::string> table[] = {
      {[](auto& c) { c.proxy.tls.certificate = "c"; }, "proxy.tls.certificate needs proxy.tls.key beside it"},
      {[](auto& c) { c.proxy.tls.key = "k"; }, "proxy.tls.key needs proxy.tls.certificate beside it"},
      {[](auto& c) {
         c.proxy.tls.certificate = c.proxy.tls.key = "f";
         c.proxy.tls.client_certificates = config::ClientCertificates::required;
       },
       "proxy.tls.client_certificates needs proxy.tls.client_ca beside it"},
      {[](auto& c) { c.proxy.tls.certificate = c.proxy.tls.key = c.proxy.tls.client_ca = "f"; },
       "proxy.tls.client_ca is of no use while proxy.tls.client_certificates is off"},
      {[](auto& c) {
         c.proxy.tls.client_ca = "f";
         c.proxy.tls.client_certificates = config::ClientCertificates::optional;
       },
       "proxy.tls.client_certificates is of no use without proxy.tls.certificate"},
      {[](auto& c) { c.upstream.tls.ca = "f"; },
       "upstream.tls is of no use while no upstream.url begins with https://"},
      {[](auto& c) {
         c.upstream.urls.front().tls = true;
         c.upstream.tls.key = "f";
       },
       "upstream.tls.key needs upstream.tls.certificate beside it"},
      {[](auto& c) {
         c.upstream.urls.front().tls = true;
         c.upstream.tls.ca = "f";
         c.upstream.tls.verify = false;
       },
       "upstream.tls.ca is of no use while upstream.tls.verify is false"},
  };
  for (const auto& [change, message] : table) {
    config::Config c;
    change(c);
    BOOST_TEST(messages(c) == std::vector<std::string>{message}, boost::test_tools::per_element());
  }
  config::Config whole;
  whole.proxy.tls.certificate = whole.proxy.tls.key = whole.proxy.tls.client_ca = "f";
  whole.proxy.tls.client_certificates = config::ClientCertificates::optional;
  whole.upstream.urls.front().tls = true;
  whole.upstream.tls.certificate = whole.upstream.tls.key = whole.upstream.tls.ca = "f";
  BOOST_TEST(messages(whole).empty());
}

BOOST_AUTO_TEST_CASE(all_findings_at_once) {
  auto c = with_models();
  c.rerank.default_model = "bgi";
  c.rerank.defaults.model = "x";
  c.collections.emplace_back();
  c.collections.back().options.model = "y";
  c.admin.listen = c.proxy.listen;
  BOOST_TEST(messages(c).size() == 4u);
  c.admin.listen.port = c.proxy.listen.port = 0;  // two free ports are two addresses
  BOOST_TEST(messages(c).size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_stand_in_has_no_files) {
  config::Config c;
  c.models.emplace_back();
  c.models.back().name = "broken";
  c.models.back().stand_in = qrerank::reranker::StandIn::throws;
  BOOST_TEST(messages(c).empty());
  c.models.back().hub = "a/b";
  BOOST_TEST(messages(c) == std::vector<std::string>{"models.broken: a stand_in takes neither path nor hub"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(relays_have_both_ends_and_an_address_of_their_own) {
  config::Config c;
  c.relays.push_back({.name = "a", .listen = {"h", 0}, .to = {{"q", 1}}});
  c.relays.push_back({.name = "b", .listen = {"h", 0}, .to = {{"q", 1}}});
  BOOST_TEST(messages(c).empty());  // two free ports are two addresses
  c.relays[0].listen = c.relays[1].listen = c.proxy.listen;
  c.relays[1].to = {};
  const std::vector<std::string> told{"relays.a.listen and proxy.listen are the same address, 127.0.0.1:7333",
                                      "relays.b needs `listen` and `to`"};
  BOOST_TEST(messages(c) == told, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(listeners_that_take_the_same_connections) {
  const std::tuple<std::string, std::string, bool> table[] = {
      {"127.0.0.1", "127.0.0.2", true},  {"127.0.0.1", "0.0.0.0", false}, {"0.0.0.0", "127.0.0.1", false},
      {"127.0.0.1", "[::]", false},      {"[::1]", "[::]", false},        {"[::1]", "[0::1]", false},
      {"[::1]", "0.0.0.0", true},        {"[::1]", "127.0.0.1", true},    {"localhost", "127.0.0.1", true},
      {"localhost", "localhost", false}, {"[::]", "0.0.0.0", false},      {"host", "[::]", true}};
  for (const auto& [admin, proxy, fine] : table) {
    config::Config c;
    c.admin.open = true;
    c.admin.listen = {admin, 7000};
    c.proxy.listen = {proxy, 7000};
    BOOST_TEST(messages(c).empty() == fine, admin << " beside " << proxy);
    c.proxy.listen.port = 7001;
    BOOST_TEST(messages(c).empty(), admin << " beside another port of " << proxy);
    c.relays.push_back({.name = "a", .listen = c.admin.listen, .to = {{"q", 1}}});
    c.admin.listen.port = 7002;
    c.proxy.listen.port = 7000;
    BOOST_TEST(messages(c).empty() == fine, "a relay at " << admin << " beside " << proxy);
  }
  config::Config c;
  c.proxy.listen.host = "0.0.0.0";
  c.admin.listen.port = 7333;
  BOOST_TEST(messages(c) == std::vector<std::string>{"admin.listen, 127.0.0.1:7333, and proxy.listen, "
                                                     "0.0.0.0:7333, take the same connections"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_admin_listener_that_others_reach_needs_a_token) {
  const std::pair<std::string, bool> table[] = {
      {"127.0.0.1", true},          {"127.8.9.1", true}, {"[::1]", true},     {"localhost", true},
      {"0.0.0.0", false},           {"[::]", false},     {"10.0.0.1", false}, {"host", false},
      {"127.0.0.1.example", false}, {"1.127.0.0", false}};
  for (const auto& [host, fine] : table) {
    config::Config c;
    c.admin.listen.host = host;
    BOOST_TEST((messages(c).empty()) == fine, host);
    c.admin.open = true;
    BOOST_TEST(messages(c).empty(), host);
    c.admin.open = false;
    c.admin.token = config::Secret("0123456789abcdef");
    BOOST_TEST(messages(c).empty(), host);
  }
}

BOOST_AUTO_TEST_SUITE_END()

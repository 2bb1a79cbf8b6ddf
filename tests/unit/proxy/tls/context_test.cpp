// Files that cannot be used: the error says which setting, which file and why, and nothing of what is in it.
#include "proxy/tls/context.hpp"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include "tests/unit/proxy/tls/certificates.hpp"

namespace config = qrerank::proxy::config;
namespace tls = qrerank::proxy::tls;
using qrerank::test::Certificates;

namespace {

config::ListenerTls pair_of(const Certificates& files, const std::string& certificate,
                            const std::string& key) {
  config::ListenerTls settings;
  settings.certificate = files.file(certificate);
  settings.key = files.file(key);
  return settings;
}

std::string problem(const config::ListenerTls& settings) {
  const auto made = tls::Context::for_clients(settings, "proxy.tls");
  return made ? "" : made.error();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(contexts)

BOOST_AUTO_TEST_CASE(a_good_pair_and_none) {
  const Certificates files;
  files.make("a");
  files.make("r", "DNS:q.test", true);
  BOOST_TEST(problem(pair_of(files, "a.pem", "a.key")) == "");
  BOOST_TEST(problem(pair_of(files, "r.pem", "r.key")) == "");
  BOOST_CHECK(*tls::Context::for_clients({}, "proxy.tls") == nullptr);
  BOOST_CHECK(*tls::Context::for_upstreams({}) == nullptr);
  config::Upstream upstream;
  upstream.urls.front().tls = true;
  BOOST_CHECK(*tls::Context::for_upstreams(upstream) != nullptr);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said) {
  const Certificates files;
  files.make("a");
  files.make("b");
  files.make("r", "DNS:q.test", true);
  files.make("locked", "DNS:q.test", false, "passphrase");
  files.write("empty", "");
  files.write("text", "no certificate");
  const std::string folder = files.file("");
  const auto check = [&](const std::string& certificate, const std::string& key,
                         const std::string& expected) {
    std::string said = problem(pair_of(files, certificate, key));
    for (std::size_t at = 0; (at = said.find(folder)) != std::string::npos;) said.erase(at, folder.size());
    BOOST_TEST(said == expected);
  };
  check("none", "a.key", "proxy.tls.certificate: none cannot be read: No such file or directory");
  check("a.pem", "none", "proxy.tls.key: none cannot be read: No such file or directory");
  check("empty", "a.key", "proxy.tls.certificate: empty cannot be read: the file is empty");
  check("text", "a.key", "proxy.tls.certificate: text is not a PEM certificate, or its chain: no start line");
  check("a.key", "a.key",
        "proxy.tls.certificate: a.key is not a PEM certificate, or its chain: no start line");
  check("a.pem", "b.key", "proxy.tls.key: b.key is not the key of the certificate a.pem");
  check("a.pem", "r.key", "proxy.tls.key: r.key is not the key of the certificate a.pem");
  check("r.pem", "a.key", "proxy.tls.key: a.key is not the key of the certificate r.pem");
  check("locked.pem", "locked.key",
        "proxy.tls.key: locked.key is encrypted: store it decrypted, readable by this program alone");
  const std::string no_key = problem(pair_of(files, "a.pem", "text"));
  BOOST_TEST(no_key.starts_with("proxy.tls.key: " + files.file("text") + " is not a PEM private key: "));
}

BOOST_AUTO_TEST_CASE(a_directory_is_no_file) {
  const Certificates files;
  files.make("a");
  BOOST_TEST(problem(pair_of(files, "", "a.key")).find("cannot be read: Is a directory") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(authorities) {
  const Certificates files;
  files.make("a");
  files.write("text", "no certificate");
  auto settings = pair_of(files, "a.pem", "a.key");
  settings.client_certificates = config::ClientCertificates::required;
  settings.client_ca = files.file("a.pem");
  BOOST_TEST(problem(settings) == "");
  settings.client_ca = files.file("text");
  BOOST_TEST(problem(settings).starts_with("proxy.tls.client_ca: " + files.file("text") +
                                           " holds no PEM certificates: "));
  config::Upstream upstream;
  upstream.urls.front().tls = true;
  upstream.tls.ca = files.file("none");
  BOOST_TEST(tls::Context::for_upstreams(upstream).error().starts_with("upstream.tls.ca: "));
  upstream.tls.ca = files.file("a.pem");
  upstream.tls.certificate = files.file("none");
  BOOST_TEST(tls::Context::for_upstreams(upstream).error().starts_with("upstream.tls.certificate: "));
  config::Config both;
  both.proxy.tls.certificate = both.proxy.tls.key = files.file("none");
  BOOST_TEST(tls::read_contexts(both).error().starts_with("proxy.tls.certificate: "));
}

BOOST_AUTO_TEST_SUITE_END()

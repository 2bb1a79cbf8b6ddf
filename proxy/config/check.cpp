#include "proxy/config/check.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace qrerank::proxy::config {
namespace {

// Only this machine itself can reach it. A name but localhost may lead anywhere.
bool is_loopback(std::string_view listen) {
  if (listen == "localhost") return true;
  const std::string host(bare_host(listen));
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == IN_LOOPBACKNET;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

// As an IPv6 address, IPv4 mapped into it. None of a name.
std::optional<in6_addr> literal(std::string_view listen) {
  const std::string host(bare_host(listen));
  in6_addr address{};
  if (::inet_pton(AF_INET6, host.c_str(), &address) == 1) return address;
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) != 1) return std::nullopt;
  address = {};
  address.s6_addr16[5] = 0xffff;
  address.s6_addr32[3] = v4.s_addr;
  return address;
}

// "::" takes all of both families, "0.0.0.0" those of IPv4.
bool covers(const in6_addr& one, const in6_addr& other) {
  if (IN6_IS_ADDR_UNSPECIFIED(&one) || IN6_ARE_ADDR_EQUAL(&one, &other)) return true;
  const bool any_v4 = IN6_IS_ADDR_V4MAPPED(&one) && one.s6_addr32[3] == htonl(INADDR_ANY);
  return any_v4 && IN6_IS_ADDR_V4MAPPED(&other);
}

// Is there a connection that both would take? Names are not looked up: what they mean is found out when the
// second one is opened.
bool collide(const Endpoint& one, const Endpoint& other) {
  if (one.port == 0 || one.port != other.port) return false;
  if (one.host == other.host) return true;
  const auto first = literal(one.host);
  const auto second = literal(other.host);
  return first && second && (covers(*first, *second) || covers(*second, *first));
}

class Checking {
 public:
  explicit Checking(const Config& config) : config_(config) {}

  std::vector<Finding> run() {
    check_listeners();
    check_relays();
    check_listener_tls();
    check_upstream_tls();
    check_models();
    check_embedding_models();
    check_model("rerank.default_model", config_.rerank.default_model);
    check_model("rerank.model", config_.rerank.defaults.model);
    for (const auto& rule : config_.collections) {
      check_model("collections." + rule.pattern + ".model", rule.options.model);
    }
    for (const auto& mapped : config_.model_mapping) {
      check_mapped(mapped);
    }
    return std::move(findings_);
  }

 private:
  void check_listeners() {
    check_place("admin.listen", config_.admin.listen, "proxy.listen", config_.proxy.listen);
    if (auto why = too_open(config_.admin, config_.admin.listen); !why.empty()) {
      report("admin.listen", std::move(why));
    }
  }

  // Whether it reported that `at`, the place of `own`, is not free.
  bool check_place(const std::string& own, const Endpoint& at, const std::string& other,
                   const Endpoint& taken) {
    if (!collide(at, taken)) return false;
    report(own, at == taken ? own + " and " + other + " are the same address, " + to_string(at)
                            : own + ", " + to_string(at) + ", and " + other + ", " + to_string(taken) +
                                  ", take the same connections");
    return true;
  }

  void check_relays() {
    std::vector<std::pair<std::string, Endpoint>> taken{{"proxy.listen", config_.proxy.listen},
                                                        {"admin.listen", config_.admin.listen}};
    for (const auto& relay : config_.relays) {
      const std::string path = "relays." + relay.name;
      const std::string own = path + ".listen";
      if (relay.listen.host.empty() || relay.to.empty()) {
        report(path, path + " needs `listen` and `to`");
        continue;
      }
      for (const auto& [other, place] : taken) {
        if (check_place(own, relay.listen, other, place)) break;
      }
      if (std::ranges::find(relay.to, relay.listen) != relay.to.end()) {
        report(path + ".to", path + ".to: " + to_string(relay.listen) + " is where the relay itself listens");
      }
      taken.emplace_back(own, relay.listen);
    }
  }

  // Half of a pair, or a setting that something else makes useless, is a mistake that must not pass for
  // safety.
  void check_pair(const std::string& section, const std::string& certificate, const std::string& key) {
    if (!certificate.empty() && key.empty()) {
      report(section + ".certificate", section + ".certificate needs " + section + ".key beside it");
    } else if (certificate.empty() && !key.empty()) {
      report(section + ".key", section + ".key needs " + section + ".certificate beside it");
    }
  }

  void check_listener_tls() {
    const ListenerTls& tls = config_.proxy.tls;
    check_pair("proxy.tls", tls.certificate, tls.key);
    const bool asks = tls.client_certificates != ClientCertificates::off;
    if (asks && tls.client_ca.empty()) {
      report("proxy.tls.client_certificates",
             "proxy.tls.client_certificates needs proxy.tls.client_ca beside it");
    } else if (!asks && !tls.client_ca.empty()) {
      report("proxy.tls.client_ca",
             "proxy.tls.client_ca is of no use while proxy.tls.client_certificates is off");
    } else if (asks && tls.certificate.empty()) {
      report("proxy.tls.client_certificates",
             "proxy.tls.client_certificates is of no use without proxy.tls.certificate");
    }
  }

  void check_upstream_tls() {
    const UpstreamTls& tls = config_.upstream.tls;
    check_pair("upstream.tls", tls.certificate, tls.key);
    const bool used = std::ranges::any_of(config_.upstream.urls, &UpstreamUrl::tls);
    const bool said = !tls.ca.empty() || !tls.server_name.empty() || !tls.certificate.empty();
    if (said && !used) {
      report("upstream.tls", "upstream.tls is of no use while no upstream.url begins with https://");
    }
    if (!tls.verify && !tls.ca.empty()) {
      report("upstream.tls.ca", "upstream.tls.ca is of no use while upstream.tls.verify is false");
    }
  }

  void check_models() {
    for (const auto& model : config_.models) {
      const std::string path = "models." + model.name;
      if (model.name == "mock") {
        report(path, "models.mock: mock is built in and takes no section");
      } else if (model.stand_in != reranker::StandIn::none) {
        if (!model.path.empty() || !model.hub.empty())
          report(path, path + ": a stand_in takes neither path nor hub");
      } else if (model.path.empty() && model.hub.empty()) {
        report(path, path + " needs a path or a hub name");
      }
    }
  }

  void check_embedding_models() {
    for (const auto& model : config_.embedding_models) {
      const std::string path = "inference.models." + model.name;
      if (model.name == "mock" || find_model(config_, model.name) != nullptr) {
        report(path, path + ": a model that judges has this name already");
      } else if (model.path.empty() && model.hub.empty() && model.name != "mock-embedding") {
        report(path, path + " needs a path or a hub name");
      }
      for (const auto& name : model.names) {
        check_owner(path, model, name);
      }
      check_owner(path, model, model.name);
      check_owner(path, model, model.hub);
    }
  }

  // The first model that answers to a name gets all who say it.
  void check_owner(const std::string& path, const EmbeddingModel& model, const std::string& name) {
    const auto* owner = name.empty() ? &model : find_embedding_model(config_, name);
    if (owner != &model) {
      report(path, path + ": '" + name + "' already means inference.models." + owner->name);
    }
  }

  [[nodiscard]] std::vector<std::string_view> model_names() const {
    std::vector<std::string_view> known{"mock"};
    for (const auto& model : config_.models) {
      known.push_back(model.name);
    }
    return known;
  }

  void check_model(const std::string& path, const std::optional<std::string>& name) {
    const auto known = model_names();
    if (!name || std::ranges::find(known, *name) != known.end()) {
      return;
    }
    report(path,
           path + ": '" + *name + "' is neither `mock` nor a name under `models`" + suggestion(*name, known));
  }

  void check_mapped(const MappedModel& mapped) {
    auto known = model_names();
    for (const auto& model : config_.models) {
      if (!model.hub.empty()) {
        known.push_back(model.hub);
      }
    }
    if (std::ranges::find(known, mapped.reranker) != known.end()) {
      return;
    }
    const std::string path = "model_mapping." + mapped.embedding;
    report(path, path + ": '" + mapped.reranker +
                     "' is neither `mock` nor a name or hub name under `models`" +
                     suggestion(mapped.reranker, known));
  }

  static std::string suggestion(const std::string& name, const std::vector<std::string_view>& known) {
    const auto near = reranker::nearest_name(name, known);
    return near.empty() ? "" : "; did you mean " + near + "?";
  }

  void report(std::string path, std::string message) {
    findings_.push_back({std::move(path), std::move(message)});
  }

  const Config& config_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string too_open(const Admin& admin, const Endpoint& at) {
  const bool token = !admin.token.empty() || !admin.token_file.empty();  // a file without one is refused
  if (token || admin.open || is_loopback(at.host)) return "";
  return "admin.listen: " + to_string(at) +
         " can be reached from other machines: set admin.token_file or admin.token, or say admin.open: true";
}

std::vector<Finding> check_together(const Config& config) {
  return Checking(config).run();
}

}  // namespace qrerank::proxy::config

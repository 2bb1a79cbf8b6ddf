#include "proxy/app.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/admin/answer.hpp"
#include "proxy/admin/server.hpp"
#include "proxy/config/check.hpp"
#include "proxy/flow/failure.hpp"
#include "proxy/flow/interceptor.hpp"
#include "proxy/flow/said_once.hpp"
#include "proxy/http/observer.hpp"
#include "proxy/http/server.hpp"
#include "proxy/observe/log.hpp"
#include "proxy/observe/metrics.hpp"
#include "proxy/observe/scoring_observer.hpp"
#include "proxy/reloader.hpp"
#include "proxy/request_counter.hpp"
#include "proxy/scorers.hpp"
#include "proxy/selection/metadata_cache.hpp"
#include "proxy/service/descriptors.hpp"
#include "proxy/service/end_guard.hpp"
#include "proxy/service/handed_sockets.hpp"
#include "proxy/service/hangups.hpp"
#include "proxy/service/notifier.hpp"
#include "proxy/service/watchdog.hpp"
#include "proxy/tcp/relays.hpp"
#include "proxy/tls/context.hpp"
#include "proxy/trace/exporter.hpp"
#include "proxy/trace/tracer.hpp"
#include "proxy/upstream/health_checker.hpp"
#include "proxy/upstream/nodes.hpp"
#include "proxy/version.hpp"

namespace qrerank::proxy {
namespace {

namespace asio = boost::asio;
namespace log = observe::log;
using std::chrono::steady_clock;

// Started first, stopped last: what the others log is written out.
struct Log {
  explicit Log(const config::Log& settings) { log::start(settings); }
  ~Log() { log::stop(); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
};

// The closed sets of labels that other rooms define.
struct LabelSets {
  std::array<std::string_view, flow::kReasons.size()> reasons;
  std::array<std::string_view, http::kLimits> limits;
  // Without the last one: no healthy upstream is nobody's fault in particular.
  std::array<std::string_view, upstream::kUpstreamErrorKinds - 1> errors;

  LabelSets() {
    for (std::size_t i = 0; i < reasons.size(); ++i) reasons[i] = flow::label(flow::kReasons[i]);
    for (std::size_t i = 0; i < limits.size(); ++i) limits[i] = setting_of(static_cast<http::Limit>(i));
    for (std::size_t i = 0; i < errors.size(); ++i)
      errors[i] = to_string(static_cast<upstream::UpstreamErrorKind>(i));
  }
};

void sample(observe::metrics::Upstream& metrics, const upstream::NodeStatus& node) {
  metrics.node({.url = node.url,
                .up = node.state == upstream::NodeState::up,
                .outstanding = node.outstanding,
                .connections = node.connections,
                .idle = node.idle,
                .failures = node.failures,
                .ejections = node.ejections,
                .opened = node.opened,
                .reused = node.reused,
                .sent_again = node.sent_again,
                .errors = node.errors});
}

void sample(observe::metrics::Relays& metrics, const tcp::RelayStatus& relay) {
  metrics.relay({.name = relay.name,
                 .connections = relay.connections,
                 .opened = relay.opened,
                 .failed = relay.unconnected,
                 .turned_away = relay.turned_away,
                 .bytes_there = relay.bytes_there,
                 .bytes_back = relay.bytes_back});
}

void log_change(const std::string& url, upstream::NodeState from, upstream::NodeState to,
                const std::string& why) {
  const auto level = to == upstream::NodeState::up ? log::Level::info : log::Level::warn;
  log::write(
      level, "", "upstream changed",
      {{"upstream", url}, {"from", to_string(from)}, {"to", to_string(to)}, {"why", log::or_dash(why)}});
}

void warn_of(const std::vector<std::string>& warnings) {
  for (const auto& warning : warnings) log::warn("", warning);
}

void warn_of_unverified(const config::Upstream& upstream) {
  const auto unverified = std::ranges::find(upstream.urls, true, &config::UpstreamUrl::tls);
  if (upstream.tls.verify || unverified == upstream.urls.end()) return;
  log::warn("", "upstream.tls.verify is false: whoever stands between can read and change everything",
            {{"upstream", unverified->text}});
}

// At the end, for a batch under way. Nobody waits for its scores any more.
constexpr std::chrono::seconds kLastBatch{2};

int failed(const std::string& why) {
  std::fprintf(stderr, "qrerank: %s\n", why.c_str());
  return 1;
}

void check_descriptors(const config::Config& config) {
  const auto limit = service::raise_descriptor_limit();
  const auto needed = service::needed_descriptors(config);
  if (limit == 0 || limit >= needed) return;
  log::warn("", "the descriptor limit is lower than max_connections may need (LimitNOFILE=, ulimit -n)",
            {{"limit", limit}, {"needed", needed}, {"max_connections", config.proxy.max_connections}});
}

std::vector<std::string> relay_names(const config::Config& config) {
  std::vector<std::string> names;
  for (const auto& relay : config.relays) names.push_back(relay.name);
  return names;
}

// " relays.grpc=127.0.0.1:6334", for each.
std::string relay_addresses(const tcp::Relays& relays) {
  std::string text;
  for (const auto& relay : relays.status())
    text += " relays." + relay.name + "=" + config::to_string(relay.listen);
  return text;
}

}  // namespace

int serve(const config::Config& settings, config::ReadConfig read_config) {
  const auto started = steady_clock::now();
  config::LiveConfig live(settings);
  const auto config = live.get();  // as it is at the start: for what lasts as long as the program
  ::signal(SIGPIPE, SIG_IGN);      // a closed socket is an error code, not the end

  const Log logging(config->log);
  service::EndGuard end_guard;  // of what is built from here on
  const auto environment = config::process_environment();
  const service::Notifier notifier(environment, ::getpid());
  if (!notifier.fault().empty())
    log::warn("", "the service manager is not told", {{"why", notifier.fault()}});
  const auto handed = service::read_handed(environment, ::getpid()).and_then([&](const auto& sockets) {
    return service::take_handed(sockets, relay_names(*config));
  });
  if (!handed) return failed(handed.error());
  check_descriptors(*config);
  warn_of(config->warnings);
  const LabelSets labels;
  observe::Metrics metrics({labels.reasons, labels.limits, labels.errors},
                           {std::string(kVersion), kWithTorch});
  observe::ScoringObserver scoring_observer(metrics.scoring, metrics.models);
  const auto scorers = make_scorers(*config, scoring_observer);

  flow::SaidOnce objects_as_text;
  selection::MetadataCache metadata;
  flow::Interceptor interceptor({[&live] { return live.get(); }, scorers.all.get(), &metrics.rerank,
                                 &objects_as_text, &metadata, scorers.embedder, &metrics.inference});
  std::optional<trace::Exporter> exporter;
  std::optional<trace::Tracer> tracer;
  if (!config->tracing.endpoint.empty()) {
    exporter.emplace(config->tracing, std::string(kVersion));
    tracer.emplace(config->tracing.sample_ratio, *exporter);
  }
  RequestCounter counter(metrics.http, config->log.access);
  asio::io_context io(1);
  auto tls = tls::read_contexts(*config);
  if (!tls) return failed(tls.error());
  warn_of(tls->warnings);
  const auto nodes = std::make_shared<upstream::Nodes>(config->upstream, std::move(tls->upstreams));
  nodes->on_change(log_change);
  http::Server* serving = nullptr;
  const auto apply = [&](const config::Config& fresh, const tls::Contexts& contexts) {
    warn_of(contexts.warnings);
    serving->use_tls(contexts.clients);
    nodes->use_tls(contexts.upstreams);
    scorers.follow(fresh);
    warn_of_unverified(fresh.upstream);
    log::set_level(log::level_named(fresh.log.level));
    counter.set_access_log(fresh.log.access);
  };
  const auto prepare = [&apply](const config::Config& read) -> tl::expected<Reloader::Apply, std::string> {
    auto contexts = tls::read_contexts(read);
    if (!contexts) return tl::unexpected(std::move(contexts.error()));
    return [&apply, contexts = std::move(*contexts)](const config::Config& fresh) { apply(fresh, contexts); };
  };
  Reloader reloader(io, live, std::move(read_config), metrics.program, notifier, prepare);
  service::release_hangups();  // this thread gets them all
  auto server = http::Server::listen(
      {config->proxy, nodes, std::move(tls->clients), handed->proxy, tracer ? &*tracer : nullptr},
      interceptor, &counter);
  if (!server) return failed(server.error());
  serving = &*server;
  auto relays = tcp::Relays::listen(
      {config->relays, config->proxy.drain_timeout, config->upstream.resolve_interval, handed->relays});
  if (!relays) return failed(relays.error());
  warn_of_unverified(config->upstream);

  std::atomic<bool> draining = false;
  upstream::HealthChecker health(io, nodes);
  admin::AdminContext context;
  context.version = std::string(kVersion);
  context.uptime = [started] {
    return std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - started);
  };
  context.upstreams = [&nodes] { return nodes->status(); };
  context.models = [&scorers] { return scorers.all->status(); };
  context.load = [&scorers](const std::string& model) { return scorers.all->load(model); };
  context.unload = [&scorers](const std::string& model) { return scorers.all->unload(model); };
  context.log_level = [] { return to_string(log::level()); };
  context.set_log_level = [](std::string_view level) {
    log::set_level(log::level_named(level));
    log::write(log::level(), "", "log level changed", {{"level", level}});
  };
  context.draining = [&draining] { return draining.load(); };
  context.config = [&live] { return live.get(); };
  context.metrics = [&] {
    for (const auto& node : nodes->status()) sample(metrics.upstream, node);
    for (const auto& relay : relays->status()) sample(metrics.relays, relay);
    metrics.http.held(serving->held_bytes());
    if (scorers.cache != nullptr) {
      const auto cached = scorers.cache->counters();
      metrics.scoring.cache_size(cached.bytes, cached.entries);
    }
    if (exporter) metrics.trace.spans(exporter->counters().sent, exporter->counters().dropped);
    return metrics.text();
  };
  const auto own_proxy = std::make_shared<admin::compare::OwnProxy>(
      io, server->endpoint(), [&live] { return !live.get()->proxy.tls.certificate.empty(); });
  auto admin_server = admin::Server::start(
      io, config->admin.listen,
      [&context, own_proxy](admin::AdminRequest request) {
        return admin::answer(std::move(request), context, own_proxy);
      },
      {}, handed->admin);
  if (!admin_server) return failed(admin_server.error());
  if (const auto why = config::too_open(config->admin, (*admin_server)->address()); !why.empty())
    return failed(why);  // a socket that was handed over is where it is, whatever admin.listen says

  service::Watchdog watchdog(io, notifier.watchdog_period(), [&server, &relays, &notifier] {
    server->when_all_respond(
        [&relays, &notifier] { relays->when_responds([&notifier] { notifier.alive(); }); });
  });
  std::thread drained;
  asio::signal_set signals(io, SIGTERM, SIGINT);
  // Whoever says it twice does not want to wait: the system ends the program, as if it handled no signals.
  const auto end_at_once = [&signals](const boost::system::error_code& error, int signal) {
    if (error) return;
    signals.clear();
    ::raise(signal);
  };
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    signals.async_wait(end_at_once);
    log::info("", "draining; a second signal ends at once", {{"signal", signal}});
    notifier.stopping();
    watchdog.stop();
    draining = true;
    server->drain();
    relays->drain();
    health.stop();
    reloader.stop();
    // The admin listener answers "not ready" until the last request is done.
    drained = std::thread([&] {
      server->join();
      relays->join();
      asio::post(io, [&] {
        (*admin_server)->stop();
        io.stop();
      });
    });
  });

  server->start();
  relays->start();
  health.start();
  const std::string listening = "listening proxy=" + config::to_string(server->endpoint()) +
                                " admin=" + config::to_string((*admin_server)->address()) +
                                relay_addresses(*relays);
  std::printf("%s\n", listening.c_str());
  std::fflush(stdout);
  log::info("", "listening",
            {{"proxy", config::to_string(server->endpoint())},
             {"admin", config::to_string((*admin_server)->address())}});
  for (const auto& relay : relays->status())
    log::info("", "relaying", {{"relay", relay.name}, {"listen", config::to_string(relay.listen)}});
  notifier.ready("serving");
  io.run();
  signals.clear();          // what is left is waiting for a batch to end; a signal now ends that
  service::hold_hangups();  // but for this one, which nobody will handle any more
  if (drained.joinable()) drained.join();
  end_guard.arm(steady_clock::now() + kLastBatch, [] {
    log::warn("", "a batch does not end: stopped without it");
    log::stop();
    std::_Exit(0);  // all clients have their answers
  });
  log::info("", "stopped");
  if (reloader.reading()) {  // what its thread uses must not be taken away under it
    log::stop();
    std::_Exit(0);
  }
  return 0;
}

}  // namespace qrerank::proxy

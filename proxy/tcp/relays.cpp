#include "proxy/tcp/relays.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "proxy/tcp/relay.hpp"

namespace qrerank::proxy::tcp {

namespace asio = http::asio;
using http::Clock;

namespace {

// Limits are kept to within an eighth of the shortest one.
Clock::duration tick_for(const Relays::Options& options) {
  std::chrono::milliseconds shortest = options.drain_timeout;
  for (const auto& relay : options.relays) {
    if (relay.idle_timeout.count() > 0) shortest = std::min(shortest, relay.idle_timeout);
  }
  return std::clamp<std::chrono::milliseconds>(shortest / 8, std::chrono::milliseconds(5),
                                               std::chrono::milliseconds(200));
}

}  // namespace

struct Relays::Impl {
  explicit Impl(Options given)
      : options(std::move(given)),
        work(context.get_executor()),
        deadlines(context, tick_for(options)),
        drain_limit(deadlines, [this] { kill_all(); }) {
    for (const auto& relay : options.relays) {
      relays.push_back(std::make_unique<Relay>(context, deadlines, relay, options.resolve_interval,
                                               [this] { end_when_empty(); }));
    }
  }

  ~Impl() {
    if (!thread.joinable()) return;
    drain();
    asio::post(context, [this] { kill_all(); });
    thread.join();
  }

  void drain() {
    asio::post(context, [this] {
      if (draining) return;
      draining = true;
      for (const auto& relay : relays) relay->stop_accepting();
      drain_limit.arm(options.drain_timeout);
      work.reset();
      end_when_empty();
    });
  }

  void end_when_empty() {
    const bool all = std::ranges::all_of(relays, [](const auto& relay) { return relay->empty(); });
    if (!draining || !all) return;
    drain_limit.disarm();
    deadlines.rest();
  }

  void kill_all() {
    for (const auto& relay : relays) relay->kill_all();
  }

  const Options options;
  asio::io_context context{1};
  asio::executor_work_guard<http::Executor> work;
  http::Deadlines deadlines;
  http::Deadline drain_limit;
  std::vector<std::unique_ptr<Relay>> relays;
  bool draining = false;
  std::thread thread;
};

tl::expected<Relays, std::string> Relays::listen(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  for (std::size_t i = 0; i < impl->relays.size(); ++i) {
    const std::string& name = impl->options.relays[i].name;
    const auto handed = impl->options.handed.find(name);
    const auto socket = handed == impl->options.handed.end() ? std::nullopt : std::optional(handed->second);
    if (auto opened = impl->relays[i]->open(socket); !opened)
      return tl::unexpected("relays." + name + ".listen: " + opened.error());
  }
  return Relays(std::move(impl));
}

Relays::Relays(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Relays::Relays(Relays&&) noexcept = default;
Relays& Relays::operator=(Relays&&) noexcept = default;
Relays::~Relays() = default;

void Relays::start() {
  if (impl_->relays.empty()) return;
  for (const auto& relay : impl_->relays) relay->start();
  impl_->thread = std::thread([&context = impl_->context] { context.run(); });
}

void Relays::drain() {
  impl_->drain();
}

void Relays::join() {
  if (impl_->thread.joinable()) impl_->thread.join();
}

void Relays::when_responds(std::function<void()> done) {
  if (!impl_->thread.joinable()) {
    done();
    return;
  }
  asio::post(impl_->context, std::move(done));
}

std::vector<RelayStatus> Relays::status() const {
  std::vector<RelayStatus> all;
  all.reserve(impl_->relays.size());
  for (const auto& relay : impl_->relays) all.push_back(relay->status());
  return all;
}

}  // namespace qrerank::proxy::tcp

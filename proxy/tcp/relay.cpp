#include "proxy/tcp/relay.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "proxy/observe/log.hpp"
#include "proxy/upstream/connector.hpp"

namespace qrerank::proxy::tcp {
namespace {

namespace asio = http::asio;
namespace log = observe::log;
using http::Clock;

constexpr std::size_t kBufferBytes = 64 * 1024;  // of each direction

// Connections may be silent for hours. A peer whose machine is gone is noticed after two minutes and lets go
// of what it holds here.
void watch_for_dead_peer(http::Socket& socket) {
  constexpr int kIdleSeconds = 60;
  constexpr int kBetweenSeconds = 15;
  constexpr int kProbes = 4;
  http::ErrorCode ignored;  // then the connection lasts until somebody writes
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto set = [&socket](int option, int value) {
    static_cast<void>(::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value));
  };
  set(TCP_KEEPIDLE, kIdleSeconds);
  set(TCP_KEEPINTVL, kBetweenSeconds);
  set(TCP_KEEPCNT, kProbes);
}

// What a connection throws: it was killed, or it met a bug of ours.
void report(const std::exception_ptr& thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted)
      log::error("", "a relayed connection ended by an exception", {{"what", error.what()}});
  } catch (const std::exception& error) {
    log::error("", "a relayed connection ended by an exception", {{"what", error.what()}});
  }
}

}  // namespace

// One client's connection and the one that was made for it.
class Relay::Passage {
 public:
  Passage(Relay& relay, http::Socket client) : relay_(relay), client_(std::move(client), relay.deadlines_) {}
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

  // What was never connected must not look like an end.
  ~Passage() {
    if (!target_) client_.reset();
  }

  http::Awaitable<void> run() {
    client_.prepare();
    watch_for_dead_peer(client_.socket());
    auto socket = co_await relay_.connect();
    if (!socket) {
      relay_.unconnected_.fetch_add(1, std::memory_order_relaxed);
      log::warn("", "a relayed connection came to nothing",
                {{"relay", relay_.settings_.name}, {"why", socket.error()}});
      co_return;
    }
    http::Wire& target = target_.emplace(std::move(*socket), relay_.deadlines_);
    target.prepare();
    watch_for_dead_peer(target.socket());
    http::Buffer from_client(kBufferBytes);
    http::Buffer from_target(kBufferBytes);
    const auto& configured = relay_.settings_.idle_timeout;
    const Clock::duration limit = configured.count() > 0 ? Clock::duration(configured) : http::kNoLimit;
    static_cast<void>(
        co_await http::run_tunnel(client_, from_client, target, from_target, limit, relay_.traffic_));
  }

  void kill() { cancel_.emit(asio::cancellation_type::terminal); }
  [[nodiscard]] asio::cancellation_slot slot() { return cancel_.slot(); }

 private:
  Relay& relay_;
  http::Wire client_;
  std::optional<http::Wire> target_;
  asio::cancellation_signal cancel_;
};

Relay::Relay(asio::io_context& context, http::Deadlines& deadlines, const config::Relay& settings,
             std::chrono::milliseconds resolve_interval, std::function<void()> ended)
    : executor_(context.get_executor()),
      deadlines_(deadlines),
      settings_(settings),
      ended_(std::move(ended)),
      places_(settings.max_connections, settings.max_connections_per_address),
      reception_(context, places_,
                 {.next = [this] { return executor_; },
                  .adopt = [this](http::Socket client,
                                  const asio::ip::address& from) { adopt(std::move(client), from); },
                  .turn_away =
                      [this](http::Socket client) {
                        turned_away_.fetch_add(1, std::memory_order_relaxed);
                        client.close();
                      },
                  .full = [] {},
                  .failed =
                      [this](const std::string& why) {
                        log::error("", "cannot accept connections; trying on",
                                   {{"relay", settings_.name}, {"why", why}});
                      }}) {
  for (const auto& to : settings.to) {
    targets_.push_back(
        {to, upstream::Addresses(executor_, upstream::system_lookup(context), to, resolve_interval)});
  }
}

Relay::~Relay() = default;

tl::expected<void, std::string> Relay::open(std::optional<int> handed) {
  return reception_.open(settings_.listen, handed);
}

void Relay::adopt(http::Socket client, const asio::ip::address& from) {
  opened_.fetch_add(1, std::memory_order_relaxed);
  const auto passage = passages_.emplace(passages_.end(), *this, std::move(client));
  auto ended = [this, passage, from](const std::exception_ptr& thrown) {
    report(thrown);
    passages_.erase(passage);
    reception_.give_place(from);
    ended_();
  };
  asio::co_spawn(executor_, passage->run(), asio::bind_cancellation_slot(passage->slot(), std::move(ended)));
}

http::Awaitable<tl::expected<http::Socket, std::string>> Relay::connect() {
  std::string why;
  const std::size_t first = turn_;
  turn_ = (turn_ + 1) % targets_.size();
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    Target& target = targets_[(first + i) % targets_.size()];
    const Clock::time_point until = Clock::now() + settings_.connect_timeout;
    auto socket = co_await upstream::open_socket(executor_, target.addresses, until);
    if (socket) co_return std::move(*socket);
    const upstream::NoSocket& failed = socket.error();
    why = config::to_string(target.address) + ": " + std::string(failed.doing) + ": " +
          (failed.error == asio::error::timed_out ? "timed out" : failed.error.message());
  }
  co_return tl::unexpected(std::move(why));
}

void Relay::kill_all() {
  for (Passage& passage : passages_) passage.kill();
}

RelayStatus Relay::status() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;  // each value stands for itself
  RelayStatus now;
  now.name = settings_.name;
  now.listen = reception_.endpoint();
  now.connections = places_.taken();
  now.opened = opened_.load(kRelaxed);
  now.unconnected = unconnected_.load(kRelaxed);
  now.turned_away = turned_away_.load(kRelaxed);
  now.bytes_there = traffic_.there.load(kRelaxed);
  now.bytes_back = traffic_.back.load(kRelaxed);
  return now;
}

}  // namespace qrerank::proxy::tcp

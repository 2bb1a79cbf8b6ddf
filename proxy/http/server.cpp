#include "proxy/http/server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/intrusive/list.hpp>
#include <exception>
#include <optional>
#include <thread>
#include <vector>

#include "proxy/http/head_writer.hpp"
#include "proxy/http/reception.hpp"
#include "proxy/http/session.hpp"
#include "proxy/upstream/pooled_client.hpp"

namespace qrerank::proxy::http {
namespace {

using SessionList = boost::intrusive::list<Session, boost::intrusive::constant_time_size<false>>;

// Limits are kept to within an eighth of the shortest one, in steps that cost nothing to an idle thread.
Clock::duration tick_for(const config::Proxy& proxy, const config::Upstream& upstream) {
  const auto whole = proxy.request_timeout.count() > 0 ? proxy.request_timeout : proxy.header_timeout;
  const auto shortest =
      std::min({whole, proxy.header_timeout, proxy.idle_timeout, proxy.body_timeout, proxy.drain_timeout,
                upstream.connect_timeout, upstream.response_timeout, upstream.keep_alive_timeout});
  return std::clamp<std::chrono::milliseconds>(shortest / 8, std::chrono::milliseconds(5),
                                               std::chrono::milliseconds(200));
}

// Said to a connection that is over its address's share, as far as it fits into the socket's own buffer. No
// handshake is made for it: with TLS it is closed without a word.
void turn_away(Socket socket, bool encrypted) {
  if (encrypted) return;
  std::string out;
  const Reply answer = error_reply(503, "too many connections from this address");
  append_reply_head(out, answer, true, false);
  out.append(body_behind(answer, false));
  ErrorCode ignored;  // whoever does not wait for it does not need it
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(out), ignored);
  socket.shutdown(Socket::shutdown_send, ignored);
}

/// One I/O thread with everything that lives on it.
struct Worker {
  Worker(const Server::Options& options, Interceptor& interceptor, Observer* watcher, ByteBudget& held,
         const tls::CurrentContext& tls)
      : work(context.get_executor()),
        deadlines(context, tick_for(options.proxy, options.nodes->config())),
        pool(context, deadlines, *options.nodes),
        client(pool),
        observer(watcher),
        drain_limit(deadlines, [this] { kill_all(); }),
        session_context{options.proxy, pool, client, interceptor, watcher,
                        deadlines,     held, tls,    draining,    options.tracer} {}

  asio::io_context context{1};
  asio::executor_work_guard<Executor> work;
  Deadlines deadlines;
  upstream::Pool pool;
  upstream::PooledClient client;
  Observer* observer;
  SessionList sessions;
  bool draining = false;
  Deadline drain_limit;
  SessionContext session_context;
  std::function<void(const asio::ip::address&)> on_place;  // a connection from there ended
  std::thread thread;

  void adopt(Socket socket, const asio::ip::address& from) {
    auto session = std::make_shared<Session>(session_context, std::move(socket), from);
    sessions.push_back(*session);
    if (observer != nullptr) observer->connection_opened();
    // The handler holds the session: its cancellation slot is used until the handler has run.
    auto ended = [this, session, from](const std::exception_ptr& thrown) mutable {
      if (thrown) {
        report(thrown);
        session->account_for_killed();
      }
      session->unlink();
      session.reset();
      if (observer != nullptr) observer->connection_closed();
      if (draining) end_when_empty();
      on_place(from);
    };
    Session& running = *session;
    asio::co_spawn(context.get_executor(), running.run(),
                   asio::bind_cancellation_slot(running.slot(), std::move(ended)));
    if (draining) running.close_if_idle();
  }

  // What a session throws: it was killed, or it met a bug of ours.
  void report(const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
      if (error.code() != asio::error::operation_aborted && observer != nullptr)
        observer->connection_failed(error.what());
    } catch (const std::exception& error) {
      if (observer != nullptr) observer->connection_failed(error.what());
    }
  }

  void drain(Clock::duration limit) {
    if (draining) return;
    draining = true;
    pool.shut();
    for (Session& session : sessions) session.close_if_idle();
    drain_limit.arm(limit);
    work.reset();
    end_when_empty();
  }

  void end_when_empty() {
    if (!sessions.empty()) return;
    drain_limit.disarm();
    deadlines.rest();
  }

  void kill_all() {
    for (Session& session : sessions) session.kill();
  }
};

}  // namespace

struct Server::Impl {
  Impl(Options given, Interceptor& interceptor, Observer* observer)
      : options(std::move(given)),
        places(std::max<std::size_t>(options.proxy.max_connections, 1),
               options.proxy.max_connections_per_address),
        held(options.proxy.max_inspect_memory),
        tls(options.tls) {
    int threads = options.proxy.io_threads;
    if (threads <= 0) threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 4);
    for (int i = 0; i < threads; ++i) {
      workers.push_back(std::make_unique<Worker>(options, interceptor, observer, held, tls));
      workers.back()->on_place = [this](const asio::ip::address& from) { reception->give_place(from); };
    }
    turn = workers.size() - 1;
    Reception::Hooks hooks;
    hooks.next = [this] {
      turn = turn + 1 < workers.size() ? turn + 1 : 0;
      return workers[turn]->context.get_executor();
    };
    hooks.adopt = [this](Socket socket, const asio::ip::address& from) { adopt(std::move(socket), from); };
    hooks.turn_away = [this, observer](Socket socket) {
      turn_away(std::move(socket), tls.get() != nullptr);
      if (observer != nullptr) observer->connection_turned_away();
    };
    hooks.full = [observer] {
      if (observer != nullptr) observer->limit_tripped(Limit::max_connections);
    };
    hooks.failed = [observer](const std::string& why) {
      if (observer != nullptr) observer->accept_failed(why);
    };
    reception.emplace(workers.front()->context, places, std::move(hooks));
  }

  ~Impl() {
    if (started) {
      drain(Clock::duration::zero());
      join();
    }
  }

  // Of the worker whose turn it is.
  void adopt(Socket socket, const asio::ip::address& from) {
    Worker& worker = *workers[turn];
    if (turn == 0) {
      worker.adopt(std::move(socket), from);  // this is its thread
      return;
    }
    asio::post(worker.context.get_executor(), [&worker, from, taken = std::move(socket)]() mutable {
      worker.adopt(std::move(taken), from);
    });
  }

  void start() {
    started = true;
    reception->start();
    for (auto& worker : workers) {
      worker->thread = std::thread([&context = worker->context] { context.run(); });
    }
  }

  void drain(Clock::duration limit) {
    asio::post(workers.front()->context.get_executor(), [this] { reception->stop(); });
    for (auto& worker : workers) {
      asio::post(worker->context.get_executor(), [&worker = *worker, limit] {
        if (worker.draining && limit == Clock::duration::zero()) worker.kill_all();
        worker.drain(limit);
      });
    }
  }

  void when_all_respond(std::function<void()> done) {
    auto left = std::make_shared<std::atomic<std::size_t>>(workers.size());
    for (auto& worker : workers) {
      asio::post(worker->context.get_executor(), [left, done] {
        if (left->fetch_sub(1) == 1) done();
      });
    }
  }

  void join() {
    for (auto& worker : workers) {
      if (worker->thread.joinable()) worker->thread.join();
    }
  }

  Options options;
  Places places;
  ByteBudget held;  // by bodies that are inspected
  tls::CurrentContext tls;
  std::vector<std::unique_ptr<Worker>> workers;
  std::optional<Reception> reception;  // on the first worker's thread
  std::size_t turn = 0;                // whose the next connection is
  bool started = false;
};

tl::expected<Server, std::string> Server::listen(Options options, Interceptor& interceptor,
                                                 Observer* observer) {
  if (options.nodes->size() == 0) return tl::unexpected(std::string("no upstream is configured"));
  auto impl = std::make_unique<Impl>(std::move(options), interceptor, observer);
  const auto opened = impl->reception->open(impl->options.proxy.listen, impl->options.handed);
  if (!opened) return tl::unexpected(opened.error());
  return Server(std::move(impl));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

const config::Endpoint& Server::endpoint() const {
  return impl_->reception->endpoint();
}
void Server::use_tls(tls::ContextPtr context) {
  impl_->tls.set(std::move(context));
}
void Server::start() {
  impl_->start();
}
void Server::drain() {
  impl_->drain(impl_->options.proxy.drain_timeout);
}
void Server::when_all_respond(std::function<void()> done) {
  impl_->when_all_respond(std::move(done));
}
void Server::join() {
  impl_->join();
}
std::uint64_t Server::held_bytes() const {
  return impl_->held.taken();
}
std::size_t Server::connections() const {
  return impl_->places.taken();
}

}  // namespace qrerank::proxy::http

#include "proxy/admin/server.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <exception>
#include <optional>
#include <set>
#include <variant>

#include "proxy/http/listening.hpp"
#include "proxy/observe/log.hpp"

namespace qrerank::proxy::admin {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

// Read at a time from a client that waits for its answer.
constexpr std::size_t kWatchedBytes = 4096;

struct Connection {
  beast::tcp_stream& stream;
  // For the client to send its request, or to take its answer; none: its answer is being made.
  std::optional<asio::steady_timer::time_point> waiting_since;
};

}  // namespace

struct Server::Impl {
  Impl(asio::io_context& io, Handler h, ServerLimits l)
      : executor(io.get_executor()), acceptor(executor), retry(io), handler(std::move(h)), limits(l) {}

  const proxy::http::Executor executor;
  proxy::http::Acceptor acceptor;
  config::Endpoint endpoint;
  asio::steady_timer retry;
  Handler handler;
  ServerLimits limits;
  std::set<Connection*> connections;
  bool stopped = false;

  // A place for one more. Who sends its request slowly, or none, or reads its answer slowly must not keep a
  // probe out: the one that has been waited for longest goes. False when answers are made for all of them.
  bool make_place() {
    if (connections.size() < limits.max_connections) return true;
    Connection* longest = nullptr;
    for (Connection* one : connections) {
      if (!one->waiting_since) continue;
      if (longest == nullptr || *one->waiting_since < *longest->waiting_since) longest = one;
    }
    if (longest == nullptr) return false;
    connections.erase(longest);
    longest->stream.close();
    return true;
  }
};

// Coroutines of the server; named functions that take values, so that nothing they use can go away.
struct ServerLoops {
  using Impl = std::shared_ptr<Server::Impl>;

  // Membership in the set of open connections, for stop() and make_place().
  struct Registered : Connection {
    Registered(Impl i, beast::tcp_stream& s) : Connection{s, {}}, impl(std::move(i)) {
      impl->connections.insert(this);
    }
    ~Registered() { impl->connections.erase(this); }
    Registered(const Registered&) = delete;
    Registered& operator=(const Registered&) = delete;
    Impl impl;
  };

  using Request = http::request<http::string_body>;

  // The field's value. One that comes twice has none that can be trusted: a value that nothing matches.
  static std::string only(const Request& request, auto name) {
    return request.count(name) > 1 ? "(given twice)" : std::string(request[name]);
  }

  // What is behind the `?` may be anything that somebody typed.
  static std::string path_of(const Request& request) {
    return std::string(request.target().substr(0, request.target().find('?')));
  }

  static proxy::http::Awaitable<http::response<http::string_body>> answer(Impl impl, Request request) {
    AdminRequest asked{.method = std::string(request.method_string()),
                       .target = std::string(request.target()),
                       .host = only(request, http::field::host),
                       .authorization = only(request, http::field::authorization),
                       .origin = only(request, http::field::origin),
                       .api_key = only(request, "api-key"),
                       .if_none_match = std::string(request[http::field::if_none_match]),
                       .body = std::move(request.body())};
    AdminReply reply;
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    try {
      reply = co_await impl->handler(std::move(asked));
    } catch (const std::exception& bug) {
      // A handler that is cancelled may throw; nobody waits for its answer.
      if (cancelled.cancelled() == asio::cancellation_type::none)
        observe::log::error("", "an admin page failed", {{"path", path_of(request)}, {"why", bug.what()}});
      reply = {500, "application/json", "{\"error\":\"internal\"}\n", ""};
    }
    http::response<http::string_body> response(static_cast<http::status>(reply.status), request.version());
    response.set(http::field::content_type, reply.content_type);
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    if (!reply.allow.empty()) {
      response.set(http::field::allow, reply.allow);
    }
    if (!reply.authenticate.empty()) {
      response.set(http::field::www_authenticate, reply.authenticate);
    }
    for (const auto& field : reply.fields) response.set(field.name, field.value);
    response.keep_alive(request.keep_alive());
    if (reply.status != 304) response.content_length(reply.body.size());
    if (request.method() != http::verb::head) {
      response.body() = std::move(reply.body);
    }
    co_return response;
  }

  // Returns when the client is gone. What it sends meanwhile is its next request and stays in the buffer.
  static proxy::http::Awaitable<void> watch(Impl impl, beast::tcp_stream& stream,
                                            beast::flat_buffer& buffer) {
    error_code gone;
    while (!gone && buffer.size() < buffer.max_size()) {
      const auto room = buffer.prepare(std::min(buffer.max_size() - buffer.size(), kWatchedBytes));
      const std::size_t read = co_await stream.socket().async_read_some(
          room, asio::redirect_error(proxy::http::use_awaitable, gone));
      buffer.commit(read);
    }
    if (gone) co_return;
    // A client that sends this much ahead is not watched any further; only cancellation ends the wait.
    asio::steady_timer forever(impl->executor, asio::steady_timer::time_point::max());
    co_await forever.async_wait(asio::redirect_error(proxy::http::use_awaitable, gone));
  }

  static http::response<http::string_body> refusal(const error_code& error, const ServerLimits& limits) {
    const bool header = error == http::error::header_limit;
    const bool body = error == http::error::body_limit;
    http::response<http::string_body> response(
        header ? http::status::request_header_fields_too_large
               : (body ? http::status::payload_too_large : http::status::bad_request),
        11);
    response.set(http::field::content_type, "application/json");
    response.keep_alive(false);
    const auto larger = [](std::string_view part, std::size_t limit) {
      return "the request's " + std::string(part) + " is larger than " + std::to_string(limit) + " bytes";
    };
    const std::string why = header ? larger("head", limits.max_header_bytes)
                            : body ? larger("body", limits.max_body_bytes)
                                   : "not a request that is answered here";
    response.body() = "{\"error\":\"" + why + "\"}\n";
    response.prepare_payload();
    return response;
  }

  static proxy::http::Awaitable<void> converse(Impl impl, Tcp::socket socket) {
    using namespace asio::experimental::awaitable_operators;
    beast::tcp_stream stream(std::move(socket));
    Registered registered(impl, stream);
    beast::flat_buffer buffer(impl->limits.max_header_bytes + impl->limits.max_body_bytes);
    for (bool more = true; more;) {
      http::request_parser<http::string_body> parser;
      parser.header_limit(static_cast<std::uint32_t>(impl->limits.max_header_bytes));
      parser.body_limit(impl->limits.max_body_bytes);
      stream.expires_after(impl->limits.read_timeout);
      registered.waiting_since = asio::steady_timer::clock_type::now();
      error_code read_error;
      co_await http::async_read(stream, buffer, parser,
                                asio::redirect_error(proxy::http::use_awaitable, read_error));
      registered.waiting_since.reset();
      // Errors of the parser mean bytes that are no request; all others, that nobody is there to answer.
      const bool malformed =
          read_error && read_error.category() == http::make_error_code(http::error{}).category() &&
          read_error != http::error::end_of_stream && read_error != http::error::partial_message;
      if (read_error && !malformed) {
        break;
      }
      http::response<http::string_body> response;
      if (malformed) {
        response = refusal(read_error, impl->limits);
      } else {
        auto answering = answer(impl, parser.release());
        auto watching = watch(impl, stream, buffer);
        auto first = co_await (std::move(answering) || std::move(watching));
        if (first.index() == 1) break;  // whatever the answer waited for was cancelled
        response = std::get<0>(std::move(first));
      }
      more = response.keep_alive() && !impl->stopped;
      stream.expires_after(impl->limits.write_timeout);
      registered.waiting_since = asio::steady_timer::clock_type::now();
      error_code write_error;
      http::response_serializer<http::string_body> serializer(response);
      co_await http::async_write(stream, serializer,
                                 asio::redirect_error(proxy::http::use_awaitable, write_error));
      more = more && !write_error;
    }
    error_code ignored;  // the peer may be gone already
    stream.socket().shutdown(Tcp::socket::shutdown_send, ignored);
  }

  static proxy::http::Awaitable<void> accept_all(Impl impl) {
    while (!impl->stopped) {
      error_code error;
      const asio::any_io_executor any = impl->executor;
      Tcp::socket socket =
          co_await impl->acceptor.async_accept(any, asio::redirect_error(proxy::http::use_awaitable, error));
      if (impl->stopped) {
        break;
      }
      if (error) {
        // Out of descriptors or the like: it passes, but not by asking again at once.
        observe::log::warn("", "the admin listener cannot accept", {{"why", error.message()}});
        impl->retry.expires_after(std::chrono::milliseconds(100));
        error_code waited;
        co_await impl->retry.async_wait(asio::redirect_error(proxy::http::use_awaitable, waited));
        continue;
      }
      if (impl->make_place()) {
        asio::co_spawn(impl->executor, converse(impl, std::move(socket)), asio::detached);
      }
    }
  }
};

tl::expected<std::unique_ptr<Server>, std::string> Server::start(asio::io_context& io,
                                                                 const config::Endpoint& listen,
                                                                 Handler handler, ServerLimits limits,
                                                                 std::optional<int> handed) {
  auto impl = std::make_shared<Impl>(io, std::move(handler), limits);
  auto opened = proxy::http::open_listener(impl->acceptor, listen, handed);
  if (!opened) return tl::unexpected("admin.listen: " + opened.error());
  impl->endpoint = std::move(*opened);
  asio::co_spawn(io, ServerLoops::accept_all(impl), asio::detached);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  stop();
}

config::Endpoint Server::address() const {
  return impl_->endpoint;
}

void Server::stop() {
  impl_->stopped = true;
  error_code ignored;  // closing what is closed already is no failure
  impl_->acceptor.close(ignored);
  impl_->retry.cancel();
  for (auto* connection : impl_->connections) {
    connection->stream.close();
  }
}

}  // namespace qrerank::proxy::admin

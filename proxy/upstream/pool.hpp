// Connections to the upstreams of one I/O thread, kept alive between requests and handed out as leases, and
// the order in which a request tries the nodes. No locks: each thread has its own pool; what they share is
// nodes.hpp's. What is said over a connection is pooled_client.hpp's and the relay's.
#pragma once

#include <memory>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/http/deadline.hpp"
#include "proxy/upstream/client.hpp"
#include "proxy/upstream/connection.hpp"
#include "proxy/upstream/connector.hpp"

namespace qrerank::proxy::upstream {

class Pool;

/// The right to use a connection. Dropped, it closes the connection, unless keep() said that the exchange
/// ended cleanly: then the connection returns to its pool.
class Lease {
 public:
  Lease() = default;
  Lease(Pool& pool, std::unique_ptr<Connection> connection);
  Lease(Lease&&) = default;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { end(); }

  Connection& operator*() const { return *connection_; }
  Connection* operator->() const { return connection_.get(); }
  explicit operator bool() const { return connection_ != nullptr; }

  void keep() { keep_ = true; }
  void end();

 private:
  Pool* pool_ = nullptr;
  std::unique_ptr<Connection> connection_;
  bool keep_ = false;
};

using LeaseResult = tl::expected<Lease, UpstreamError>;

/// The nodes that one request has been to, and the one that it goes to next.
struct Visit {
  std::optional<std::size_t> node;
  NodeSet tried;
};

class Pool {
 public:
  Pool(http::asio::io_context& context, http::Deadlines& deadlines, Nodes& nodes);

  /// Picks a node for a new request. An idle connection to it that is still quiet, if there is one; never
  /// waits.
  [[nodiscard]] Lease take_idle(Visit& visit);

  /// A new connection to the node that was picked; where it refuses or does not answer within
  /// upstream.connect_timeout, to another one, all of it until `until`.
  [[nodiscard]] http::Awaitable<LeaseResult> connect(Visit& visit, TimePoint until = TimePoint::max());

  /// A request that may be repeated was cut off before a byte of its response came. True after a kept-alive
  /// connection, which may have been stale: the visit goes to another fit node then, or to the same one where
  /// there is none, and the request is to be sent on a new connection. Thus once at most.
  [[nodiscard]] bool try_again(Visit& visit, const Connection& cut_off);

  /// Tells how a request ended on that connection, as far as it says something about the node.
  void passed(const Connection& connection) { nodes_.passed(connection.node); }
  void failed(const Connection& connection, const UpstreamError& error);

  /// Closes the idle ones and keeps no more.
  void shut();

  [[nodiscard]] const config::Upstream& config() const { return nodes_.config(); }
  [[nodiscard]] std::size_t idle() const;
  /// Host for a request whose client sent none: the first upstream's address.
  [[nodiscard]] const std::string& host() const { return host_; }

 private:
  friend class Lease;

  [[nodiscard]] Lease idle_connection(std::size_t node);
  [[nodiscard]] std::optional<std::size_t> next_node(NodeSet tried, Nodes::Need need);
  [[nodiscard]] bool worn_out(const Connection& connection, TimePoint now) const;
  void put_back(std::unique_ptr<Connection> connection);
  void expire();

  Nodes& nodes_;
  Connector connector_;
  std::string host_;
  std::vector<std::vector<std::unique_ptr<Connection>>> idle_;  // per node, the longest idle first
  http::Deadline expiry_;
  std::size_t last_ = 0;  // the node picked last
  bool shut_ = false;
};

}  // namespace qrerank::proxy::upstream

// The upstream's nodes as all I/O threads share them: which are fit, how much each has to do, and whose turn
// it is. What a request costs here are atomics; the lock is taken only when a node's health changes. The
// rules of health are health.hpp's; connections are pool.hpp's.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/tls/context.hpp"
#include "proxy/upstream/error.hpp"
#include "proxy/upstream/health.hpp"

namespace qrerank::proxy::upstream {

/// One node as people see it.
struct NodeStatus {
  std::string url;
  NodeState state = NodeState::up;
  /// As the checks say by health_rise and health_fall; false before the first one, true where none are made.
  bool reachable = false;
  std::string detail;                                       ///< why the last check failed, or empty
  std::uint64_t outstanding = 0;                            ///< requests on it now
  std::uint64_t connections = 0;                            ///< open now, the idle ones included
  std::uint64_t failures = 0;                               ///< requests that failed by its fault, ever
  std::uint64_t ejections = 0;                              ///< ever
  std::uint64_t idle = 0;                                   ///< of the connections
  std::uint64_t opened = 0;                                 ///< connections, ever
  std::uint64_t reused = 0;                                 ///< requests that found an idle connection, ever
  std::uint64_t sent_again = 0;                             ///< requests that were cut off and repeated, ever
  std::array<std::uint64_t, kUpstreamErrorKinds> errors{};  ///< ever, by kind
};

/// Nodes by their places in upstream.url; there are 64 at most.
class NodeSet {
 public:
  [[nodiscard]] bool has(std::size_t node) const { return (bits_ >> node & 1) != 0; }
  void add(std::size_t node) { bits_ |= std::uint64_t{1} << node; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }

 private:
  std::uint64_t bits_ = 0;
};

class Nodes {
 public:
  /// `tls` is needed where a URL is https.
  explicit Nodes(config::Upstream config, tls::ContextPtr tls = nullptr);
  ~Nodes();
  Nodes(const Nodes&) = delete;
  Nodes& operator=(const Nodes&) = delete;

  [[nodiscard]] const config::Upstream& config() const { return config_; }
  [[nodiscard]] std::size_t size() const { return config_.urls.size(); }
  [[nodiscard]] const config::UpstreamUrl& url(std::size_t node) const { return config_.urls[node]; }

  /// For connections made from now on. Thread-safe.
  void use_tls(tls::ContextPtr context) { tls_.set(std::move(context)); }
  [[nodiscard]] tls::ContextPtr tls() const { return tls_.get(); }

  /// Called, on the thread where it happened, when a node's state changed; `why` its check failed, empty
  /// where none did. Set before the threads start.
  using Changed =
      std::function<void(const std::string& url, NodeState from, NodeState to, const std::string& why)>;
  void on_change(Changed changed) { changed_ = std::move(changed); }

  enum class Need { fit, any };
  /// The node for a request that was at `tried` already, after `last` in turn; nothing where none is left.
  /// Fit ones by upstream.balance; with Need::any, where no fit one is left, an ejected one, for requests
  /// alone never leave nothing to try; never one that is down. A single node is always fit.
  [[nodiscard]] std::optional<std::size_t> pick(std::size_t last, NodeSet tried, Need need,
                                                TimePoint now = std::chrono::steady_clock::now()) const;

  /// How requests ended; the rules are those of Health.
  void passed(std::size_t node, TimePoint now = std::chrono::steady_clock::now());
  void failed(std::size_t node, TimePoint now = std::chrono::steady_clock::now());
  /// How a check ended; `detail` says why it failed.
  void checked(std::size_t node, bool passed, std::string detail);

  // Counted by their owners: a lease or a connection attempt, a connection.
  void begin(std::size_t node);
  void end(std::size_t node);
  void opened(std::size_t node);
  void closed(std::size_t node);
  void rests(std::size_t node);                              ///< a connection waits for a request
  void rests_no_more(std::size_t node, bool for_a_request);  ///< or it was closed
  void sent_again(std::size_t node);
  void erred(std::size_t node, UpstreamErrorKind kind);

  [[nodiscard]] std::vector<NodeStatus> status() const;

 private:
  struct Node;
  enum class Fitness { fit, last_resort, none };
  [[nodiscard]] Fitness fitness(const Node& node, TimePoint now) const;
  void update(Node& node, std::size_t which, const std::function<void(Health&)>& event,
              const std::string& why = {});

  const config::Upstream config_;
  tls::CurrentContext tls_;
  Changed changed_;
  std::unique_ptr<Node[]> nodes_;
  mutable std::mutex mutex_;  // guards what Node says
};

}  // namespace qrerank::proxy::upstream

#include "proxy/upstream/pool.hpp"

#include <algorithm>
#include <optional>

namespace qrerank::proxy::upstream {
namespace {

// Counts a connection attempt at its node for as long as it lives.
class Attempt {
 public:
  Attempt(Nodes& nodes, std::size_t node) : nodes_(nodes), node_(node) { nodes_.begin(node_); }
  ~Attempt() { nodes_.end(node_); }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

 private:
  Nodes& nodes_;
  std::size_t node_;
};

}  // namespace

Lease::Lease(Pool& pool, std::unique_ptr<Connection> connection)
    : pool_(&pool), connection_(std::move(connection)) {
  ++connection_->requests;
  connection_->answered = false;
  connection_->nodes.begin(connection_->node);
}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    end();
    pool_ = other.pool_;
    connection_ = std::move(other.connection_);
    keep_ = other.keep_;
  }
  return *this;
}

void Lease::end() {
  if (!connection_) return;
  connection_->nodes.end(connection_->node);
  if (keep_) pool_->put_back(std::move(connection_));
  connection_.reset();
  keep_ = false;
}

Pool::Pool(http::asio::io_context& context, http::Deadlines& deadlines, Nodes& nodes)
    : nodes_(nodes),
      connector_(context, deadlines, nodes),
      host_(nodes.size() == 0 ? std::string() : config::to_string(nodes.url(0).address)),
      idle_(nodes.size()),
      expiry_(deadlines, [this] { expire(); }) {}

std::optional<std::size_t> Pool::next_node(NodeSet tried, Nodes::Need need) {
  const auto node = nodes_.pick(last_, tried, need);
  if (node) last_ = *node;
  return node;
}

Lease Pool::take_idle(Visit& visit) {
  visit.node = next_node(visit.tried, Nodes::Need::any);
  return visit.node ? idle_connection(*visit.node) : Lease();
}

Lease Pool::idle_connection(std::size_t node) {
  auto& stack = idle_[node];
  while (!stack.empty()) {
    std::unique_ptr<Connection> connection = std::move(stack.back());
    stack.pop_back();
    // Closed by the upstream meanwhile, or talking out of turn: not one to send a request on.
    if (!connection->wire.quiet()) continue;
    connection->wake();
    return Lease(*this, std::move(connection));
  }
  return {};
}

http::Awaitable<LeaseResult> Pool::connect(Visit& visit, TimePoint until) {
  UpstreamError why{UpstreamErrorKind::no_healthy_upstream, "no healthy upstream"};
  while (visit.node) {
    const std::size_t node = *visit.node;
    const Attempt counted(nodes_, node);
    const http::Clock::duration left = until - http::Clock::now();
    const http::Clock::duration limit = std::min<http::Clock::duration>(config().connect_timeout, left);
    ConnectResult connection = co_await connector_.connect(node, limit);
    if (connection) co_return Lease(*this, std::move(*connection));
    why = std::move(connection.error());
    nodes_.erred(node, why.kind);
    nodes_.failed(node);
    if (http::Clock::now() >= until) break;
    visit.tried.add(node);
    visit.node = next_node(visit.tried, Nodes::Need::any);
  }
  co_return tl::unexpected(std::move(why));
}

bool Pool::try_again(Visit& visit, const Connection& cut_off) {
  if (!cut_off.reused) return false;
  NodeSet rather_not;
  rather_not.add(cut_off.node);
  visit.node = next_node(rather_not, Nodes::Need::fit).value_or(cut_off.node);
  nodes_.sent_again(cut_off.node);
  return true;
}

void Pool::failed(const Connection& connection, const UpstreamError& error) {
  // A kept-alive connection that ended is nothing unusual.
  if (error.kind == UpstreamErrorKind::cut_off && connection.reused && !connection.answered) return;
  nodes_.erred(connection.node, error.kind);
  switch (error.kind) {
    case UpstreamErrorKind::cut_off:
    case UpstreamErrorKind::timeout:
    case UpstreamErrorKind::malformed:
      break;
    case UpstreamErrorKind::too_large:  // the request's fault
      nodes_.passed(connection.node);
      return;
    case UpstreamErrorKind::connect_refused:  // told where they happen, and not about a connection
    case UpstreamErrorKind::connect_timeout:
    case UpstreamErrorKind::tls_failed:
    case UpstreamErrorKind::no_healthy_upstream:
      return;
  }
  nodes_.failed(connection.node);
}

// Not for ever on one connection: a name may come to mean another address, and load is to spread anew.
bool Pool::worn_out(const Connection& connection, TimePoint now) const {
  const config::Upstream& limits = config();
  const bool old = limits.keep_alive_time.count() > 0 && now - connection.opened >= limits.keep_alive_time;
  return old || (limits.keep_alive_requests > 0 && connection.requests >= limits.keep_alive_requests);
}

void Pool::put_back(std::unique_ptr<Connection> connection) {
  connection->idle = true;
  auto& stack = idle_[connection->node];
  if (shut_ || stack.size() >= config().max_idle_connections || !connection->buffer.empty()) return;
  const TimePoint now = http::Clock::now();
  if (worn_out(*connection, now)) return;
  connection->buffer.reset(Connection::kBufferBytes);
  connection->idle_since = now;
  const bool first = idle() == 0;
  connection->rest();
  stack.push_back(std::move(connection));
  if (first) expiry_.arm(config().keep_alive_timeout);
}

void Pool::expire() {
  const http::Clock::time_point limit = http::Clock::now() - config().keep_alive_timeout;
  std::optional<http::Clock::time_point> oldest;
  for (auto& stack : idle_) {
    std::size_t dead = 0;
    while (dead < stack.size() && stack[dead]->idle_since <= limit) ++dead;
    stack.erase(stack.begin(), stack.begin() + static_cast<std::ptrdiff_t>(dead));
    if (!stack.empty() && (!oldest || stack.front()->idle_since < *oldest))
      oldest = stack.front()->idle_since;
  }
  if (oldest) expiry_.arm_at(*oldest + config().keep_alive_timeout);
}

void Pool::shut() {
  shut_ = true;
  expiry_.disarm();
  for (auto& stack : idle_) stack.clear();
}

std::size_t Pool::idle() const {
  std::size_t sum = 0;
  for (const auto& stack : idle_) sum += stack.size();
  return sum;
}

}  // namespace qrerank::proxy::upstream

#include "proxy/upstream/nodes.hpp"

#include <utility>

namespace qrerank::proxy::upstream {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr auto kRelaxed = std::memory_order_relaxed;  // each value stands for itself

}  // namespace

struct alignas(kCacheLine) Nodes::Node {
  // Read by every request, written when health changes:
  std::atomic<NodeState> state{NodeState::up};
  std::atomic<TimePoint::rep> ejected_until{0};
  std::atomic<bool> failing{false};
  // Written by every request:
  alignas(kCacheLine) std::atomic<std::uint64_t> outstanding{0};
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> idle{0};
  std::atomic<std::uint64_t> reused{0};
  std::atomic<std::uint64_t> opened{0};
  std::atomic<std::uint64_t> sent_again{0};
  std::array<std::atomic<std::uint64_t>, kUpstreamErrorKinds> errors{};
  // Guarded by mutex_:
  std::optional<Health> health;
  bool checked = false;
  std::string detail{"not checked yet"};
  std::uint64_t failures = 0;
};

Nodes::Nodes(config::Upstream config, tls::ContextPtr tls)
    : config_(std::move(config)),
      tls_(std::move(tls)),
      nodes_(std::make_unique<Node[]>(config_.urls.size())) {
  for (std::size_t i = 0; i < size(); ++i) nodes_[i].health.emplace(config_);
}

Nodes::~Nodes() = default;

Nodes::Fitness Nodes::fitness(const Node& node, TimePoint now) const {
  switch (node.state.load(kRelaxed)) {
    case NodeState::up:
      return Fitness::fit;
    case NodeState::down:
      return Fitness::none;
    case NodeState::ejected:
      break;
  }
  // On trial one request at a time: should the node hang, only that one waits.
  const bool over = now.time_since_epoch().count() >= node.ejected_until.load(kRelaxed);
  return over && node.outstanding.load(kRelaxed) == 0 ? Fitness::fit : Fitness::last_resort;
}

std::optional<std::size_t> Nodes::pick(std::size_t last, NodeSet tried, Need need, TimePoint now) const {
  if (size() == 1) return tried.empty() ? std::optional<std::size_t>(0) : std::nullopt;
  std::optional<std::size_t> best;
  std::optional<std::size_t> last_resort;
  std::uint64_t fewest = 0;
  for (std::size_t i = 1; i <= size(); ++i) {
    const std::size_t which = (last + i) % size();
    if (tried.has(which)) continue;
    const Fitness fit = fitness(nodes_[which], now);
    if (fit == Fitness::last_resort && !last_resort) last_resort = which;
    if (fit != Fitness::fit) continue;
    if (config_.balance == config::Balance::round_robin) return which;
    const std::uint64_t has = nodes_[which].outstanding.load(kRelaxed);
    if (!best || has < fewest) {
      best = which;
      fewest = has;
    }
  }
  return best || need == Need::fit ? best : last_resort;
}

void Nodes::update(Node& node, std::size_t which, const std::function<void(Health&)>& event,
                   const std::string& why) {
  const NodeState before = node.state.load(kRelaxed);
  event(*node.health);
  const NodeState after = node.health->state();
  node.ejected_until.store(node.health->ejected_until().time_since_epoch().count(), kRelaxed);
  node.failing.store(node.health->failing(), kRelaxed);
  node.state.store(after, kRelaxed);
  if (before != after && changed_) changed_(url(which).text, before, after, why);
}

void Nodes::passed(std::size_t which, TimePoint now) {
  Node& node = nodes_[which];
  if (!node.failing.load(kRelaxed)) return;
  const std::lock_guard lock(mutex_);
  update(node, which, [now](Health& health) { health.passed(now); });
}

void Nodes::failed(std::size_t which, TimePoint now) {
  Node& node = nodes_[which];
  const std::lock_guard lock(mutex_);
  ++node.failures;
  if (size() == 1) return;  // always tried: nothing to eject it in favour of
  update(node, which, [now](Health& health) { health.failed(now); });
}

void Nodes::checked(std::size_t which, bool passed, std::string detail) {
  Node& node = nodes_[which];
  const std::lock_guard lock(mutex_);
  node.checked = true;
  node.detail = std::move(detail);
  update(node, which, [passed](Health& health) { health.checked(passed); }, node.detail);
}

void Nodes::begin(std::size_t node) {
  nodes_[node].outstanding.fetch_add(1, kRelaxed);
}
void Nodes::end(std::size_t node) {
  nodes_[node].outstanding.fetch_sub(1, kRelaxed);
}
void Nodes::opened(std::size_t node) {
  nodes_[node].opened.fetch_add(1, kRelaxed);
  nodes_[node].connections.fetch_add(1, kRelaxed);
}
void Nodes::closed(std::size_t node) {
  nodes_[node].connections.fetch_sub(1, kRelaxed);
}

void Nodes::rests(std::size_t node) {
  nodes_[node].idle.fetch_add(1, kRelaxed);
}
void Nodes::rests_no_more(std::size_t node, bool for_a_request) {
  nodes_[node].idle.fetch_sub(1, kRelaxed);
  if (for_a_request) nodes_[node].reused.fetch_add(1, kRelaxed);
}
void Nodes::sent_again(std::size_t node) {
  nodes_[node].sent_again.fetch_add(1, kRelaxed);
}
void Nodes::erred(std::size_t node, UpstreamErrorKind kind) {
  nodes_[node].errors[static_cast<std::size_t>(kind)].fetch_add(1, kRelaxed);
}

std::vector<NodeStatus> Nodes::status() const {
  std::vector<NodeStatus> all;
  all.reserve(size());
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < size(); ++i) {
    const Node& node = nodes_[i];
    NodeStatus& status = all.emplace_back();
    status.url = url(i).text;
    status.state = node.health->state();
    const bool unchecked = config_.health_interval.count() == 0;
    status.reachable = unchecked || (node.checked && status.state != NodeState::down);
    if (!unchecked) status.detail = node.detail;
    status.outstanding = node.outstanding.load(kRelaxed);
    status.connections = node.connections.load(kRelaxed);
    status.failures = node.failures;
    status.ejections = node.health->ejections();
    status.idle = node.idle.load(kRelaxed);
    status.opened = node.opened.load(kRelaxed);
    status.reused = node.reused.load(kRelaxed);
    status.sent_again = node.sent_again.load(kRelaxed);
    for (std::size_t kind = 0; kind < kUpstreamErrorKinds; ++kind)
      status.errors[kind] = node.errors[kind].load(kRelaxed);
  }
  return all;
}

}  // namespace qrerank::proxy::upstream

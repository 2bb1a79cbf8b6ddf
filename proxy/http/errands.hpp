// Work that blocks and cannot be interrupted (a name server or a file server that says nothing), away from
// the event loop's thread.
#pragma once

#include <functional>
#include <memory>

#include "proxy/http/async.hpp"

namespace qrerank::proxy::http {

/// Of one context; copies are the same.
class Errands {
 public:
  using Outcome = std::function<void()>;

  explicit Errands(asio::io_context& context);

  /// Runs `errand` on a thread of its own that nobody waits for, and its outcome on the context's thread; it
  /// is dropped when the context has ended by then. Throws std::system_error when there is no thread.
  void send(std::function<Outcome()> errand) const;

  /// Runs `outcome` on the context's thread, from wherever it is called.
  void tell(Outcome outcome) const;

 private:
  class WayBack;
  class Service;
  std::shared_ptr<WayBack> way_;
};

}  // namespace qrerank::proxy::http

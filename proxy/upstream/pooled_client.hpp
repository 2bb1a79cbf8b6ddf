// Client over the pool: whole exchanges for the flow.
#pragma once

#include "proxy/upstream/client.hpp"
#include "proxy/upstream/pool.hpp"

namespace qrerank::proxy::upstream {

class PooledClient final : public Client {
 public:
  explicit PooledClient(Pool& pool) : pool_(pool) {}

  http::Awaitable<ExchangeResult> exchange(Request request,
                                           std::chrono::steady_clock::time_point deadline) override;

 private:
  http::Awaitable<ExchangeResult> exchange_on(Connection& connection, const Request& request,
                                              const std::string& head, http::Clock::time_point deadline,
                                              bool& clean);

  Pool& pool_;
};

}  // namespace qrerank::proxy::upstream

#include "proxy/upstream/lookup.hpp"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace qrerank::proxy::upstream {
namespace {

namespace asio = http::asio;
using http::ErrorCode;

// Back to the context that asked, while it is there.
class WayBack {
 public:
  explicit WayBack(asio::io_context& context) : context_(&context) {}

  void close() {
    const std::scoped_lock lock(guard_);
    context_ = nullptr;
  }
  void tell(FoundAddresses found, const ErrorCode& error, Endpoints endpoints) {
    const std::scoped_lock lock(guard_);
    if (context_ == nullptr) return;
    asio::post(*context_, [found = std::move(found), error, endpoints = std::move(endpoints)]() mutable {
      found(error, std::move(endpoints));
    });
  }

 private:
  std::mutex guard_;
  asio::io_context* context_;  // null: it ends or has ended
};

// A service of the context, so that the way is closed before anything of the context goes.
class WayBackService final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit WayBackService(asio::io_context& context)
      : service(context), way(std::make_shared<WayBack>(context)) {}

  const std::shared_ptr<WayBack> way;

 private:
  void shutdown() override { way->close(); }
};

void look_up(const std::string& host, std::uint16_t port, FoundAddresses found, WayBack& way) {
  asio::io_context unused;  // a resolver wants one, also where it blocks
  ErrorCode error;
  Endpoints endpoints;
  for (const auto& entry : asio::ip::tcp::resolver(unused).resolve(host, std::to_string(port), error))
    endpoints.push_back(entry.endpoint());
  way.tell(std::move(found), error, std::move(endpoints));
}

}  // namespace

LookUp system_lookup(asio::io_context& context) {
  const auto way = asio::use_service<WayBackService>(context).way;
  return [way](const std::string& host, std::uint16_t port, FoundAddresses found) {
    try {
      std::thread([way, host, port, found] { look_up(host, port, found, *way); }).detach();
    } catch (const std::system_error& no_thread) {
      way->tell(std::move(found), no_thread.code(), {});
    }
  };
}

}  // namespace qrerank::proxy::upstream

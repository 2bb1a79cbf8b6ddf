#include "proxy/http/errands.hpp"

#include <signal.h>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <mutex>
#include <thread>
#include <utility>

namespace qrerank::proxy::http {
namespace {

// A thread that is made while this lives gets no signals: they are for threads that wait for them, and would
// interrupt what the errand waits for.
class WithoutSignals {
 public:
  WithoutSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~WithoutSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  WithoutSignals(const WithoutSignals&) = delete;
  WithoutSignals& operator=(const WithoutSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

// To the context that asked, while it is there.
class Errands::WayBack {
 public:
  explicit WayBack(asio::io_context& context) : context_(&context) {}

  void close() {
    const std::scoped_lock lock(guard_);
    context_ = nullptr;
  }
  void tell(Outcome outcome) {
    const std::scoped_lock lock(guard_);
    if (context_ != nullptr) asio::post(*context_, std::move(outcome));
  }

 private:
  std::mutex guard_;
  asio::io_context* context_;  // null: it ends or has ended
};

// A service of the context, so that the way is closed before anything of the context goes.
class Errands::Service final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit Service(asio::io_context& context) : service(context), way(std::make_shared<WayBack>(context)) {}

  const std::shared_ptr<WayBack> way;

 private:
  void shutdown() override { way->close(); }
};

Errands::Errands(asio::io_context& context) : way_(asio::use_service<Service>(context).way) {}

void Errands::send(std::function<Outcome()> errand) const {
  const WithoutSignals around;
  std::thread([way = way_, errand = std::move(errand)] { way->tell(errand()); }).detach();
}

void Errands::tell(Outcome outcome) const {
  way_->tell(std::move(outcome));
}

}  // namespace qrerank::proxy::http

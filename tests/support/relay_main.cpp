// A proxy that only relays: the listener and its sessions with an interceptor that never intercepts, or with
// one that inspects what a test asks for. For tests of proxy/http and for measuring pass-through; no part of
// the product.
#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "proxy/http/interceptor.hpp"
#include "proxy/http/server.hpp"
#include "proxy/upstream/client.hpp"
#include "proxy/upstream/nodes.hpp"

namespace {

using namespace qrerank::proxy;

/// Paths below /inspect/ are held: `echo` answers the body itself, `ask` asks the upstream for /inspected and
/// answers with that, `pass` gives the body back, `throw` throws, `wait` never answers. Bodies over 1000
/// bytes go uninspected.
class TestInterceptor final : public http::Interceptor {
 public:
  http::HeadVerdict judge(const http::RequestHead& head) override {
    http::HeadVerdict verdict;
    if (!head.target.starts_with("/inspect/")) return verdict;
    verdict.action = http::HeadVerdict::Action::inspect;
    verdict.max_body = 1000;
    verdict.headers_if_uninspected.push_back({"X-Uninspected", "yes"});
    return verdict;
  }

  http::Awaitable<http::Outcome> handle(http::InspectedRequest request) override {
    const std::string_view what = request.head.target.substr(9);
    if (what == "throw") throw std::runtime_error("asked to");
    if (what == "pass") {
      http::PassAsItCame pass;
      pass.body = std::move(request.body);
      pass.response_headers.push_back({"X-Reranking-Used", "false"});
      co_return http::Outcome(std::move(pass));
    }
    http::Reply reply;
    if (what == "ask") {
      upstream::Request question;
      question.method = "POST";
      question.target = "/inspected";
      for (const auto& field : request.head.fields) {
        question.fields.push_back({std::string(field.name), std::string(field.value)});
      }
      question.body = std::move(request.body);
      auto answer = co_await request.upstream.exchange(
          std::move(question), std::chrono::steady_clock::now() + std::chrono::seconds(60));
      if (!answer) co_return http::Outcome(upstream::reply_for(answer.error()));
      reply.status = answer->status;
      reply.fields = std::move(answer->fields);
      reply.body = std::move(answer->body);
      co_return http::Outcome(std::move(reply));
    }
    if (what == "wait") {
      struct Count {
        explicit Count(std::atomic<int>& n) : n_(n) { ++n_; }
        ~Count() {
          std::printf("handle left\n");
          std::fflush(stdout);
          --n_;
        }
        std::atomic<int>& n_;
      } count(waiting_);
      auto executor = co_await http::asio::this_coro::executor;
      using Clock = std::chrono::steady_clock;
      http::asio::basic_waitable_timer<Clock, http::asio::wait_traits<Clock>, http::Executor> timer(executor);
      timer.expires_after(std::chrono::hours(1));
      co_await timer.async_wait(http::use_awaitable);
    }
    reply.body = std::move(request.body);
    co_return http::Outcome(std::move(reply));
  }

 private:
  std::atomic<int> waiting_{0};
};

}  // namespace

int main(int argc, char** argv) {
  config::Proxy proxy;
  config::Upstream upstream_settings;
  proxy.listen.port = 0;
  upstream_settings.urls.clear();
  const std::map<std::string_view, config::Milliseconds*> limits{
      {"header-timeout", &proxy.header_timeout},
      {"idle-timeout", &proxy.idle_timeout},
      {"body-timeout", &proxy.body_timeout},
      {"drain-timeout", &proxy.drain_timeout},
      {"connect-timeout", &upstream_settings.connect_timeout},
      {"response-timeout", &upstream_settings.response_timeout},
      {"keep-alive-timeout", &upstream_settings.keep_alive_timeout}};
  for (int i = 1; i < argc; ++i) {  // name=value
    const std::string_view argument(argv[i]);
    const std::size_t equals = argument.find('=');
    if (equals == std::string_view::npos) return 2;
    const std::string_view name = argument.substr(0, equals);
    const std::string_view value = argument.substr(equals + 1);
    long number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    if (const auto limit = limits.find(name); limit != limits.end()) {
      *limit->second = config::Milliseconds(number);
    } else if (name == "listen") {
      proxy.listen.port = static_cast<std::uint16_t>(number);
    } else if (name == "upstream") {
      const auto port = static_cast<std::uint16_t>(number);
      upstream_settings.urls.push_back({"http://127.0.0.1:" + std::string(value), {"127.0.0.1", port}});
    } else if (name == "io-threads") {
      proxy.io_threads = static_cast<int>(number);
    } else if (name == "max-header-bytes") {
      proxy.max_header_bytes = static_cast<std::uint64_t>(number);
    } else if (name == "max-connections") {
      proxy.max_connections = static_cast<std::uint32_t>(number);
    } else {
      std::fprintf(stderr, "unknown argument %s\n", argv[i]);
      return 2;
    }
  }

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  TestInterceptor interceptor;
  auto server = http::Server::listen({proxy, std::make_shared<upstream::Nodes>(upstream_settings), nullptr},
                                     interceptor, nullptr);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().c_str());
    return 1;
  }
  server->start();
  std::printf("listening proxy=127.0.0.1:%u\n", server->endpoint().port);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  server->drain();
  server->join();
  return 0;
}

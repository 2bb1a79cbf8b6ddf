// One session on the test's own thread, where the order of events is the test's. All else of it:
// tests/integration/test_http_*.py.
#include "proxy/http/session.hpp"

#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include "proxy/upstream/pooled_client.hpp"
#include "tests/unit/proxy/upstream/loopback_bench.hpp"

using namespace qrerank::proxy;
using namespace qrerank::proxy::http;

namespace {

struct Relaying final : Interceptor {
  HeadVerdict judge(const RequestHead&) override { return {}; }
  Awaitable<Outcome> handle(InspectedRequest) override { co_return Reply(); }
};

// Answered without an upstream.
constexpr std::string_view kRequest = "OPTIONS / HTTP/1.1\r\nHost: q\r\nMax-Forwards: 0\r\n\r\n";

struct SessionBench : upstream::LoopbackBench {
  SessionBench() {
    client.connect(listen("127.0.0.1"));
    session.emplace(shared, listeners.front().accept(), client.remote_endpoint().address());
  }

  Awaitable<bool> whole_session() {
    co_await session->run();
    co_return true;
  }
  std::string received() {
    std::string bytes(1000, '\0');
    ErrorCode error;
    bytes.resize(client.read_some(asio::buffer(bytes), error));
    return error ? error.message() : bytes;
  }
  // As the drain does it.
  void drain() {
    draining = true;
    session->close_if_idle();
  }

  config::Proxy settings;
  config::Upstream servers;
  Deadlines deadlines{context, std::chrono::milliseconds(5)};
  upstream::Nodes nodes{servers};
  upstream::Pool pool{context, deadlines, nodes};
  upstream::PooledClient asking{pool};
  Relaying interceptor;
  ByteBudget held{1'000'000};
  tls::CurrentContext plain{nullptr};
  bool draining = false;
  SessionContext shared{settings,  pool, asking, interceptor, nullptr,
                        deadlines, held, plain,  draining,    nullptr};
  Socket client{context.get_executor()};
  std::optional<Session> session;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(session, SessionBench)

BOOST_AUTO_TEST_CASE(an_idle_connection_ends_with_the_drain) {
  auto running = begin(whole_session());
  settle();
  BOOST_REQUIRE(!done(running));
  drain();
  finish(std::move(running));
  BOOST_TEST(received() == "End of file");
}

// It was sent to a connection that was open, and nothing told its client not to.
BOOST_AUTO_TEST_CASE(a_request_that_lies_in_the_kernel_when_the_drain_begins_is_answered) {
  auto running = begin(whole_session());
  settle();
  asio::write(client, asio::buffer(kRequest));
  drain();  // before the event loop has seen it
  finish(std::move(running));
  const std::string answer = received();
  BOOST_TEST(answer.starts_with("HTTP/1.1 200 OK\r\n"), answer);
  BOOST_TEST(answer.find("connection: close\r\n") != std::string::npos, answer);
  BOOST_TEST(received() == "End of file");
}

// As above, but the connection was just going to wait.
BOOST_AUTO_TEST_CASE(a_request_behind_a_finished_one_is_answered_in_the_drain) {
  auto running = begin(whole_session());
  settle();
  asio::write(client, asio::buffer(kRequest));
  context.restart();
  while (client.available() == 0) context.run_one();
  asio::write(client, asio::buffer(kRequest));
  drain();
  finish(std::move(running));
  std::string answers = received();
  if (answers.find("connection: close\r\n") == std::string::npos) answers += received();
  BOOST_TEST(answers.find("connection: close\r\n") != std::string::npos, answers);
  BOOST_TEST(received() == "End of file");
}

BOOST_AUTO_TEST_SUITE_END()

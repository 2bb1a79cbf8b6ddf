// Waits on one connection, and what ends them. The bytes themselves: tests/integration/test_http_*.py.
#include "proxy/http/wire.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/proxy/upstream/loopback_bench.hpp"

using namespace qrerank::proxy::http;

namespace {

struct WireBench : qrerank::proxy::upstream::LoopbackBench {
  WireBench() : deadlines(context, std::chrono::milliseconds(5)) {
    wire.socket().connect(listen("127.0.0.1"));
    peer = listeners.front().accept();
    wire.prepare();
  }

  // The peer's bytes are here when the first of them is.
  void arrive(const std::string& bytes) {
    asio::write(peer, asio::buffer(bytes));
    wire.socket().wait(Socket::wait_read);
  }
  Awaitable<ReadResult> read_one() { return wire.read(&byte, 1, std::chrono::seconds(20)); }

  Deadlines deadlines;
  Wire wire{Socket(context.get_executor()), deadlines};
  Socket peer{context.get_executor()};
  char byte = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(wire, WireBench)

// The owner of a connection cancels whatever another of its coroutines waits for. That one may have given its
// turn away, and nothing of the kernel's is there to be cancelled.
BOOST_AUTO_TEST_CASE(a_cancel_while_others_go_first_is_told) {
  auto waiting = begin(wire.let_others());
  context.run_one();  // it has begun, and stands behind the others
  BOOST_REQUIRE(!done(waiting));
  wire.cancel();
  BOOST_TEST(finish(std::move(waiting)) == asio::error::operation_aborted);
  BOOST_TEST(!run(wire.let_others()));  // it was told once
}

BOOST_AUTO_TEST_CASE(a_cancel_ends_a_read_that_lets_others_go_first) {
  arrive(std::string(1000, 'x'));
  for (int reads = 0; reads < 100; ++reads) {
    auto reading = begin(read_one());
    context.run_one();  // it has its byte; only one of several stands behind the others now
    wire.cancel();
    const ErrorCode ended = finish(std::move(reading)).error;
    if (ended == asio::error::operation_aborted) return;
    BOOST_TEST(!ended);
  }
  BOOST_ERROR("no read of a hundred was ended");
}

BOOST_AUTO_TEST_CASE(a_cancel_ends_a_read_that_waits) {
  auto reading = begin(read_one());
  settle();
  BOOST_REQUIRE(!done(reading));
  wire.cancel();
  BOOST_TEST(finish(std::move(reading)).error == asio::error::operation_aborted);
  arrive("y");
  BOOST_TEST(run(read_one()).bytes == 1u);
  BOOST_TEST(byte == 'y');
}

BOOST_AUTO_TEST_SUITE_END()

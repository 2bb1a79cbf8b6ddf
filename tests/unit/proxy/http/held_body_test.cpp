// What held bodies take of the memory that they share, while they arrive.
#include "proxy/http/held_body.hpp"

#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/proxy/upstream/loopback_bench.hpp"

using namespace qrerank::proxy::http;

namespace {

constexpr std::uint64_t kMemory = 1000;

struct HeldBodyBench : qrerank::proxy::upstream::LoopbackBench {
  Deadlines deadlines{context, std::chrono::milliseconds(5)};
  ByteBudget memory{kMemory};
};

// A client, and the body that it announced.
struct Sender {
  Sender(HeldBodyBench& on, Framing framing, std::uint64_t announced)
      : bench(on), facts{.framing = framing, .length = announced} {
    wire.socket().connect(bench.listen("127.0.0.1"));
    client = bench.listeners.back().accept();
    wire.prepare();
    held = bench.begin(hold_body(wire, buffer, body, how, share));
    bench.settle();
  }

  void send(const std::string& bytes) {
    asio::write(client, asio::buffer(bytes));
    bench.settle();
  }
  HeldBody end() { return bench.finish(std::move(held)); }

  HeldBodyBench& bench;
  const MessageFacts facts;
  Socket client{bench.context.get_executor()};
  Wire wire{Socket(bench.context.get_executor()), bench.deadlines};
  Buffer buffer{16 * 1024};
  BodyReader body{facts};
  ByteShare share{bench.memory};
  Deadline whole{bench.deadlines, [] {}};
  const Holding how{facts, 11, 1'000'000, std::chrono::seconds(20), whole};
  HeldBodyBench::Running<HeldBody> held;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(held_body, HeldBodyBench)

BOOST_AUTO_TEST_CASE(what_is_announced_takes_nothing) {
  Sender idle(*this, Framing::length, kMemory);
  Sender other(*this, Framing::length, kMemory);
  BOOST_TEST(memory.taken() == 0u);
  BOOST_TEST((!done(idle.held) && !done(other.held)));
  other.send(std::string(kMemory, 'x'));
  BOOST_TEST(memory.taken() == kMemory);
  const HeldBody whole = other.end();
  BOOST_TEST((whole.state == HeldBody::State::whole));
  BOOST_TEST(whole.body == std::string(kMemory, 'x'));
}

BOOST_AUTO_TEST_CASE(it_takes_what_has_arrived) {
  Sender sender(*this, Framing::length, 500);
  for (const std::uint64_t arrived : {100u, 200u, 300u, 400u}) {
    sender.send(std::string(100, 'x'));
    BOOST_TEST(memory.taken() == arrived);
  }
  sender.send(std::string(100, 'x'));
  BOOST_TEST((sender.end().state == HeldBody::State::whole));
}

// It is told with what came of it, so that the rest can follow it upstream.
BOOST_AUTO_TEST_CASE(one_that_outgrows_the_memory_is_left_midway) {
  for (const Framing framing : {Framing::length, Framing::chunked}) {
    Sender first(*this, framing, 1'000);
    Sender second(*this, framing, 1'000);
    const std::string piece(600, 'x');
    const std::string sent = framing == Framing::length ? piece : "258\r\n" + piece + "\r\n";
    first.send(sent);
    BOOST_TEST(!done(first.held));
    second.send(sent);
    BOOST_REQUIRE(done(second.held));
    const HeldBody left = second.end();
    BOOST_TEST((left.state == HeldBody::State::too_large));
    BOOST_TEST((left.limit == Limit::max_inspect_memory));
    BOOST_TEST(left.body == piece);
    BOOST_TEST(!second.body.done());
    BOOST_TEST(memory.taken() == 600u);
    first.client.close();
    BOOST_TEST((first.end().state == HeldBody::State::gone));
  }
  BOOST_TEST(memory.taken() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

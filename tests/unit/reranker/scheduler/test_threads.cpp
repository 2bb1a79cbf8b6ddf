#include <atomic>
#include <boost/test/unit_test.hpp>
#include <memory>

#include "reranker/scheduler/deadline_timer.hpp"
#include "reranker/scheduler/worker_pool.hpp"
#include "tests/unit/reranker/fake_model.hpp"

namespace qrerank::reranker::scheduler {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

BOOST_AUTO_TEST_SUITE(deadline_timer)

BOOST_AUTO_TEST_CASE(rings_in_order_of_time_and_not_before) {
  DeadlineTimer timer;
  std::mutex mutex;
  std::vector<int> rung;
  Answer<int> last;
  const auto begin = Clock::now();
  const auto ring = [&](int number) {
    return [&, number] {
      const std::lock_guard lock(mutex);
      rung.push_back(number);
    };
  };
  timer.schedule(begin + milliseconds(20), [done = last.completion()] { done(0); });
  timer.schedule(begin + milliseconds(10), ring(2));
  timer.schedule(begin + milliseconds(5), ring(1));
  timer.schedule(Clock::time_point::max(), ring(9));
  timer.schedule(begin + hours(1), ring(8));
  (void)last.get();
  BOOST_TEST((Clock::now() >= begin + milliseconds(20)));
  const std::lock_guard lock(mutex);
  BOOST_TEST(rung == (std::vector<int>{1, 2}));
}

BOOST_AUTO_TEST_CASE(the_past_rings_at_once) {
  DeadlineTimer timer;
  Answer<int> rang;
  timer.schedule(Clock::time_point::min(), [done = rang.completion()] { done(1); });
  BOOST_TEST(rang.get() == 1);
}

BOOST_AUTO_TEST_CASE(forgotten_alarms_release_what_they_hold_and_never_ring) {
  DeadlineTimer timer;
  const auto held = std::make_shared<int>(0);
  const auto alarm = timer.schedule(Clock::now() + hours(1), [held] { ++*held; });
  BOOST_TEST(held.use_count() == 2);
  timer.cancel(alarm);
  BOOST_TEST(held.use_count() == 1);
  timer.cancel(alarm);
  timer.cancel({});
  timer.schedule(Clock::now() + hours(1), [held] { ++*held; });
  timer.stop();
  BOOST_TEST(held.use_count() == 1);
  timer.schedule(Clock::time_point::min(), [held] { ++*held; });
  timer.stop();
  BOOST_TEST(*held == 0);
}

BOOST_AUTO_TEST_CASE(an_alarm_may_schedule_and_cancel) {
  DeadlineTimer timer;
  Answer<int> second;
  timer.schedule(Clock::time_point::min(), [&timer, done = second.completion()] {
    timer.cancel({});
    timer.schedule(Clock::time_point::min(), [done] { done(2); });
  });
  BOOST_TEST(second.get() == 2);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(worker_pool)

BOOST_AUTO_TEST_CASE(threads_work_side_by_side) {
  Gate gate;  // outlives the threads that pass it
  WorkerPool pool(3);
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(pool.post([&] { gate.pass(); }));
  }
  gate.arrived(3);  // hangs when there are fewer threads
  gate.open();
}

BOOST_AUTO_TEST_CASE(stopping_drops_what_has_not_begun_and_waits_for_what_has) {
  const auto held = std::make_shared<int>(0);
  std::atomic<bool> finished = false;
  Gate gate;
  WorkerPool pool(0);  // still one thread
  pool.post([&] {
    gate.pass();
    finished = true;
  });
  pool.post([held] { ++*held; });
  gate.arrived();
  std::thread stopper([&] { pool.stop(); });
  while (held.use_count() > 1) {  // dropped while the first is still at work
    std::this_thread::yield();
  }
  gate.open();
  stopper.join();
  BOOST_TEST(finished.load());
  BOOST_TEST(*held == 0);
  BOOST_TEST(!pool.post([held] { ++*held; }));
  BOOST_TEST(held.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::scheduler

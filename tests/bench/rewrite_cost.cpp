// What the rewrite of an answer costs: 50 hits taken apart, ordered and put together, without the model.
// Counts allocations, too: the difference between 50 and 200 hits tells those that each hit costs.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "proxy/rewrite/response.hpp"

namespace {

std::atomic<std::size_t> allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const made = std::malloc(size)) return made;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size);
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept {
  return operator new(size, tag);
}
void operator delete(void* made) noexcept {
  std::free(made);
}
void operator delete(void* made, std::size_t /*size*/) noexcept {
  std::free(made);
}
void operator delete[](void* made) noexcept {
  std::free(made);
}
void operator delete[](void* made, std::size_t /*size*/) noexcept {
  std::free(made);
}

namespace {

using namespace qrerank::proxy::rewrite;

// About `size` bytes: a text as web pages have it, beside members that are not text.
std::string payload(std::size_t hit, std::size_t size, bool escaped) {
  std::string text;
  while (text.size() + 200 < size) {
    text += escaped ? "A line with \\\"quotes\\\" and an end.\\n"
                    : "The quick brown fox jumps over the lazy dog. ";
  }
  return R"({"title":"Document )" + std::to_string(hit) + R"(","text":")" + text +
         R"(","tags":["a","b","c"],"meta":{"page":)" + std::to_string(hit) +
         R"(,"score":0.25,"lang":"en"},"url":"https://example.org/)" + std::to_string(hit) + R"("})";
}

std::string answer(std::size_t hits, std::size_t size, bool escaped) {
  std::string body = R"({"result":{"points":[)";
  for (std::size_t hit = 0; hit < hits; ++hit) {
    body += std::string(hit > 0 ? "," : "") + R"({"id":)" + std::to_string(hit) + R"(,"version":1,"score":)" +
            std::to_string(1.0 - 0.001 * static_cast<double>(hit)) + R"(,"payload":)" +
            payload(hit, size, escaped) + "}";
  }
  body += R"(]},"status":"ok","time":0.001})";
  body.reserve(body.size() + kAnswerPadding);
  return body;
}

enum Shape { plain, with_escapes, payload_cut };

std::size_t rewrite_once(std::string body, std::size_t hits, Shape shape, const TextFields& fields) {
  const std::vector<ResultReading> readings = {
      {.layout = HitLayout::points, .fields = &fields, .top_k = hits}};
  const auto taken = extract(std::move(body), false, readings);
  const CandidateSet& set = taken->sets.front();
  std::vector<double> logits(scorable(set, hits).size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    logits[i] = static_cast<double>(i * 7919 % 101) / 10 - 5;
  }
  const Page page = {.hits = rank(judge(set, hits, logits), {.top_k = hits, .limit = hits}), .groups = {}};
  Projection projection;
  projection.payload = shape == payload_cut ? Projection::Payload::drop : Projection::Payload::whole;
  projection.members = {"meta"};
  const std::vector<ResultPart> parts = {
      {.as_it_is = {}, .set = &set, .page = &page, .projection = &projection, .mode = ScoreMode::reranked}};
  Report report;
  report.used = true;
  report.model = "m";
  report.candidates = hits;
  return compose(*taken, parts, report).size();
}

// Arguments: hits, payload bytes, shape.
void rewrite_answer(benchmark::State& state) {
  const auto hits = static_cast<std::size_t>(state.range(0));
  const auto shape = static_cast<Shape>(state.range(2));
  const std::string body = answer(hits, static_cast<std::size_t>(state.range(1)), shape == with_escapes);
  const auto fields = TextFields::parse(std::vector<std::string>{"text"}, true).value();
  std::size_t made = 0;
  for (auto _ : state) {
    // The body that the upstream's answer was read into is not the rewrite's work.
    state.PauseTiming();
    std::string given;
    given.reserve(body.capacity());
    given = body;
    const std::size_t before = allocations.load(std::memory_order_relaxed);
    state.ResumeTiming();
    benchmark::DoNotOptimize(rewrite_once(std::move(given), hits, shape, fields));
    state.PauseTiming();
    made += allocations.load(std::memory_order_relaxed) - before;
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(body.size()) * state.iterations());
  state.counters["allocations"] = static_cast<double>(made) / static_cast<double>(state.iterations());
  state.counters["bytes"] = static_cast<double>(body.size());
}

BENCHMARK(rewrite_answer)
    ->ArgNames({"hits", "payload", "shape"})
    ->ArgsProduct({{50, 200}, {2 * 1024, 64 * 1024}, {plain, with_escapes, payload_cut}})
    ->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();

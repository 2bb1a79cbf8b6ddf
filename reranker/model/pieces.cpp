#include "reranker/model/pieces.hpp"

#include <ATen/Parallel.h>
#include <c10/core/DeviceType.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <string_view>
#include <thread>

#include "reranker/model/model.hpp"
#if __has_include(<torch/headeronly/version.h>)  // 2.9 or later
#include <c10/core/CachingDeviceAllocator.h>
#endif

namespace qrerank::reranker::model {
namespace {

constexpr std::size_t kLeastPieceTokens = 128;  ///< fewer rows leave the multipliers idle
constexpr std::size_t kShareBelow = 2;  ///< operators are shared below one piece per this many threads

}  // namespace

std::size_t piece_tokens(std::size_t tokens, int threads, std::size_t largest) {
  const auto workers = static_cast<std::size_t>(std::max(threads, 1));
  const auto rounds = std::max<std::size_t>(1, (tokens + workers * largest - 1) / (workers * largest));
  const auto even = (tokens + rounds * workers - 1) / (rounds * workers);
  return std::clamp(even, std::min(kLeastPieceTokens, largest), largest);
}

void run_pieces(std::size_t pieces, int threads, const std::function<void(std::size_t)>& run) {
  const auto run_one = [&](std::size_t piece) {
    const c10::InferenceMode inference;
    run(piece);
  };
  const auto most = static_cast<std::size_t>(threads);
  const bool shared = pieces * kShareBelow <= most;
  const auto workers = static_cast<int>(std::min(most, pieces));
  // OpenMP's thread count belongs to the calling thread, which is not the one that loaded the model.
  at::set_num_threads(shared ? threads : std::max(1, workers));
  if (shared || workers < 2) {
    for (std::size_t piece = 0; piece < pieces; ++piece) run_one(piece);
    return;
  }
  std::atomic<std::size_t> next = 0;
  at::parallel_for(0, workers, 1, [&](std::int64_t, std::int64_t) {
    for (auto piece = next++; piece < pieces; piece = next++) run_one(piece);
  });
}

void with_memory_errors(const std::function<void()>& compute) {
  try {
    compute();
  } catch (const c10::OutOfMemoryError&) {
    throw OutOfMemory{};
  } catch (const std::bad_alloc&) {
    throw OutOfMemory{};
  } catch (const c10::Error& error) {
    // The CPU allocator reports with the plain type.
    if (std::string_view(error.what()).find("DefaultCPUAllocator") != std::string_view::npos) {
      throw OutOfMemory{};
    }
    throw;
  }
}

void release_free_memory(bool on_gpu) {
  if (!on_gpu) {
    ::malloc_trim(0);
    return;
  }
#if __has_include(<torch/headeronly/version.h>)  // 2.9 or later
  c10::getDeviceAllocator(c10::kCUDA)->emptyCache();
#endif
}

int compute_threads(int asked, bool on_gpu) {
  if (on_gpu) return 1;
  return asked > 0 ? asked : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace qrerank::reranker::model

// How the packed pieces of a batch share a device's threads, and what running out of memory looks like.
#pragma once

#include <cstddef>
#include <functional>

namespace qrerank::reranker::model {

/// Tokens per piece: enough pieces for all threads, none above `largest` and none so small that the
/// multipliers idle. The number of pieces is a multiple of `threads` where they are many, so that no thread
/// waits for the last one.
[[nodiscard]] std::size_t piece_tokens(std::size_t tokens, int threads, std::size_t largest);

/// Calls `run` with 0 … pieces - 1, in inference mode. Pieces run side by side, one thread each: no barrier
/// inside a layer, which costs a scheduler's turn where other threads want the cores too. Only where most
/// threads would have no piece do they share each operator.
void run_pieces(std::size_t pieces, int threads, const std::function<void(std::size_t)>& run);

/// Calls `compute`; what ATen throws when memory runs out becomes OutOfMemory (model.hpp).
void with_memory_errors(const std::function<void()>& compute);

/// Empties the allocators: the GPU's free blocks, or the heap's on a CPU.
void release_free_memory(bool on_gpu);

/// Threads to compute with: `asked`, or the machine's cores where that is 0; 1 where a GPU computes.
[[nodiscard]] int compute_threads(int asked, bool on_gpu);

}  // namespace qrerank::reranker::model

// Which device and which arithmetic a model gets. The only place that knows how CUDA comes into the process.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace qrerank::reranker::model {

/// "auto", "cpu", "cuda", "cuda:N" to a device that works. The first call opens libtorch_cuda.so if this
/// machine has an NVIDIA driver: it must come before any other ATen call of the process, since ATen remembers
/// the absence of CUDA for good. "auto" is the CPU where no GPU works; asking for CUDA is an error then.
[[nodiscard]] tl::expected<c10::Device, std::string> choose_device(std::string_view wanted);

/// What weights are kept in: "auto", "float32", "bfloat16", "float16" (GPU only), "int8". "auto" is bfloat16
/// on a GPU and on CPUs that multiply it in hardware (AVX512_BF16, AMX), else float32. The error names what
/// was expected.
[[nodiscard]] tl::expected<c10::ScalarType, std::string> choose_dtype(std::string_view wanted,
                                                                      const c10::Device& device);

/// What weights kept in `kept` are multiplied in: themselves, but int8 as bfloat16, and bfloat16 as float32
/// on CPUs that do not multiply it in hardware (oneDNN refuses it below AVX-512, and plain loops take ten
/// times as long).
[[nodiscard]] c10::ScalarType arithmetic_dtype(c10::ScalarType kept, const c10::Device& device);

/// "float32", "bfloat16", "float16", "int8".
[[nodiscard]] std::string_view dtype_name(c10::ScalarType dtype);

}  // namespace qrerank::reranker::model

#include "reranker/model/device.hpp"

#include <ATen/Context.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <dlfcn.h>

#include <charconv>
#include <exception>

namespace qrerank::reranker::model {
namespace {

/// Opens libtorch's CUDA half once, where there is a driver for it to talk to. Empty, or why not.
std::string open_cuda() {
  if (::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) == nullptr) return "no NVIDIA driver on this machine";
  if (::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = ::dlerror();
    return std::string("libtorch's CUDA library does not load: ") + (reason ? reason : "unknown");
  }
  return {};
}

const std::string& cuda_absence() {
  static const std::string absence = open_cuda();
  return absence;
}

/// Why this GPU cannot be used; empty when it can. Counts devices, then multiplies once: a GPU too old for
/// this libtorch is listed, but has no kernels.
std::string cuda_problem(c10::DeviceIndex index) {
  if (!cuda_absence().empty()) return cuda_absence();
  try {
    if (!at::hasCUDA()) return "libtorch's CUDA library finds no usable driver";
    const auto count = at::detail::getCUDAHooks().deviceCount();
    if (index >= count) return "the machine has " + std::to_string(count) + " CUDA devices";
    const auto ones = at::ones({2, 2}, c10::TensorOptions(c10::Device(c10::kCUDA, index)));
    if (at::mm(ones, ones).sum().item<float>() != 8.0F) return "the GPU computes wrongly";
  } catch (const std::exception& error) {
    return std::string("the GPU does not run this libtorch: ") + error.what();
  }
  return {};
}

bool multiplies_bfloat16(const c10::Device& device) {
  if (device.is_cuda()) return true;
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

}  // namespace

tl::expected<c10::Device, std::string> choose_device(std::string_view wanted) {
  const bool absent = !cuda_absence().empty();
  if (wanted == "cpu") return c10::Device(c10::kCPU);
  if (wanted == "auto") {
    if (absent || !cuda_problem(0).empty()) return c10::Device(c10::kCPU);
    return c10::Device(c10::kCUDA, 0);
  }
  unsigned index = 0;
  bool known = wanted == "cuda";
  if (wanted.starts_with("cuda:")) {
    const auto digits = wanted.substr(5);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    known = error == std::errc() && end == digits.data() + digits.size() && index < 64;
  }
  if (!known) {
    return tl::unexpected("device: expected auto, cpu, cuda or cuda:N, found '" + std::string(wanted) + "'");
  }
  const auto at = static_cast<c10::DeviceIndex>(index);
  if (const auto problem = cuda_problem(at); !problem.empty()) {
    return tl::unexpected("device " + std::string(wanted) + ": " + problem);
  }
  return c10::Device(c10::kCUDA, at);
}

tl::expected<c10::ScalarType, std::string> choose_dtype(std::string_view wanted, const c10::Device& device) {
  if (wanted == "float32") return c10::kFloat;
  if (wanted == "bfloat16") return c10::kBFloat16;
  if (wanted == "int8") return c10::kChar;
  if (wanted == "float16") {
    if (device.is_cuda()) return c10::kHalf;
    return tl::unexpected<std::string>(
        "dtype float16: expected a CUDA device, found the CPU (bfloat16 is as small there)");
  }
  if (wanted != "auto") {
    return tl::unexpected("dtype: expected auto, float32, bfloat16, float16 or int8, found '" +
                          std::string(wanted) + "'");
  }
  return multiplies_bfloat16(device) ? c10::kBFloat16 : c10::kFloat;
}

c10::ScalarType arithmetic_dtype(c10::ScalarType kept, const c10::Device& device) {
  if (kept == c10::kFloat || kept == c10::kHalf) return kept;
  return multiplies_bfloat16(device) ? c10::kBFloat16 : c10::kFloat;
}

std::string_view dtype_name(c10::ScalarType dtype) {
  switch (dtype) {
    case c10::kBFloat16:
      return "bfloat16";
    case c10::kHalf:
      return "float16";
    case c10::kChar:
      return "int8";
    default:
      return "float32";
  }
}

}  // namespace qrerank::reranker::model

#include "reranker/model/placement.hpp"

#include <ATen/Context.h>
#include <c10/core/DeviceGuard.h>
#include <dlfcn.h>

#include <algorithm>
#include <exception>

#include "reranker/model/checkpoint.hpp"
#include "reranker/model/device.hpp"
#include "reranker/model/weight_bytes.hpp"

namespace qrerank::reranker::model {
namespace {

using Needs = std::vector<ReplicaNeed>;

tl::unexpected<LoadError> failed(std::string message) {
  return tl::unexpected(LoadError{.message = std::move(message)});
}

tl::expected<std::vector<std::string>, std::string> devices_of(const ModelSpec& spec, std::size_t replicas) {
  const auto first = choose_device(spec.device);
  if (!first) return tl::unexpected(first.error());
  if (first->is_cpu()) return std::vector<std::string>(replicas, "cpu");
  if (spec.device.starts_with("cuda:")) {
    if (replicas == 1) return std::vector<std::string>{first->str()};
    return tl::unexpected("replicas: there is one GPU " + spec.device + ", found " +
                          std::to_string(replicas) + " (device: cuda takes one GPU for each)");
  }
  std::vector<std::string> devices;
  for (std::size_t index = 0; index < replicas; ++index) {
    const auto device = choose_device("cuda:" + std::to_string(index));
    if (!device) return tl::unexpected("replicas: each takes a GPU of its own; " + device.error());
    devices.push_back(device->str());
  }
  return devices;
}

}  // namespace

tl::expected<Needs, LoadError> replica_needs(const ModelSpec& spec, std::size_t replicas) {
  try {
    const auto devices = devices_of(spec, std::max<std::size_t>(replicas, 1));
    if (!devices) return failed(spec.name + ": " + devices.error());
    const auto checkpoint = Checkpoint::open(spec.path);
    if (!checkpoint) return failed(checkpoint.error());
    Needs needs;
    for (const std::string& device : *devices) {
      const c10::Device chosen(device);
      std::string dtype = spec.dtype;
      if (dtype == "auto") {
        const auto automatic = choose_dtype(dtype, chosen);
        if (!automatic) return failed(spec.name + ": " + automatic.error());
        dtype = dtype_name(*automatic);
      }
      needs.push_back({device, weight_bytes(*checkpoint, dtype), dtype, read_bytes(*checkpoint)});
    }
    return needs;
  } catch (const std::exception& error) {
    return failed(spec.path + ": " + error.what());
  }
}

std::optional<DeviceMemory> gpu_memory(const std::string& device) {
  // libtorch_cuda.so, opened for all to see, brought the CUDA runtime along. ATen has no stable call for
  // this.
  using MemGetInfo = int (*)(std::size_t*, std::size_t*);
  const auto memory_info = reinterpret_cast<MemGetInfo>(::dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
  if (memory_info == nullptr || !at::hasCUDA()) return std::nullopt;
  try {
    const c10::DeviceGuard guard{c10::Device(device)};
    std::size_t free = 0;
    std::size_t total = 0;
    if (memory_info(&free, &total) != 0) return std::nullopt;
    return DeviceMemory{free, total};
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace qrerank::reranker::model

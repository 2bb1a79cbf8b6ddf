#include "proxy/observe/request_id.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace qrerank::proxy::observe {

bool is_sane_request_id(std::string_view id) {
  constexpr std::string_view kSigns = "-_.:/+=@";
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSigns.find(c) != std::string_view::npos;
  });
}

std::string new_request_id() {
  thread_local std::mt19937_64 random = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  const auto high = random();
  const auto low = random();
  return fmt::format("{:016x}{:016x}", high, low);
}

std::string request_id_from(std::string_view client_id) {
  return is_sane_request_id(client_id) ? std::string(client_id) : new_request_id();
}

}  // namespace qrerank::proxy::observe

#include "proxy/http/request_id.hpp"

#include <algorithm>
#include <array>
#include <random>

namespace qrerank::proxy::http {

bool is_sane_request_id(std::string_view id) {
  constexpr std::string_view kSigns = "-_.:/+=@";
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSigns.find(c) != std::string_view::npos;
  });
}

std::uint64_t random_bits() {
  thread_local std::mt19937_64 random = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return random();
}

void append_hex(std::string& out, std::uint64_t bits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 16> text;
  for (auto at = text.rbegin(); at != text.rend(); ++at, bits >>= 4) *at = kDigits[bits & 15];
  out.append(text.data(), text.size());
}

std::string new_request_id() {
  std::string id;
  id.reserve(32);
  append_hex(id, random_bits());
  append_hex(id, random_bits());
  return id;
}

RequestId::RequestId(std::string_view client_id) {
  if (is_sane_request_id(client_id)) text_ = client_id;
}

const std::string& RequestId::text() const {
  if (text_.empty()) text_ = new_request_id();
  return text_;
}

}  // namespace qrerank::proxy::http

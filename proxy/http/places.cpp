#include "proxy/http/places.hpp"

#include <algorithm>

namespace qrerank::proxy::http {

Places::Key Places::key_of(const boost::asio::ip::address& from) {
  if (from.is_v4())
    return boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, from.to_v4()).to_bytes();
  Key key = from.to_v6().to_bytes();
  if (!from.to_v6().is_v4_mapped()) std::fill(key.begin() + 8, key.end(), static_cast<unsigned char>(0));
  return key;
}

bool Places::take(const boost::asio::ip::address& from) {
  if (per_address_ > 0) {
    const std::scoped_lock lock(guard_);
    std::size_t& count = by_address_[key_of(from)];
    if (count >= per_address_) return false;
    ++count;
  }
  taken_.fetch_add(1);
  return true;
}

bool Places::give(const boost::asio::ip::address& from) {
  if (per_address_ > 0) {
    const std::scoped_lock lock(guard_);
    const auto found = by_address_.find(key_of(from));
    if (--found->second == 0) by_address_.erase(found);
  }
  return taken_.fetch_sub(1) >= limit_;
}

bool ByteBudget::take(std::uint64_t bytes) {
  std::uint64_t taken = taken_.load();
  do {
    if (taken > limit_ || bytes > limit_ - taken) return false;
  } while (!taken_.compare_exchange_weak(taken, taken + bytes));
  return true;
}

}  // namespace qrerank::proxy::http

// How many there may be at a time: connections over all and of one address, and bytes of what is held.
// Counted over all I/O threads; no sockets.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace qrerank::proxy::http {

/// Places for connections. Thread-safe.
class Places {
 public:
  /// `per_address` 0: no limit of its own.
  Places(std::size_t limit, std::size_t per_address) : limit_(limit), per_address_(per_address) {}

  [[nodiscard]] bool full() const { return taken_.load() >= limit_; }
  [[nodiscard]] std::size_t taken() const { return taken_.load(); }

  /// False when that address has its share already. An IPv6 address stands for its /64: whoever has one
  /// has all.
  [[nodiscard]] bool take(const boost::asio::ip::address& from);
  /// True when somebody may be waiting for this place.
  [[nodiscard]] bool give(const boost::asio::ip::address& from);

 private:
  using Key = std::array<unsigned char, 16>;
  static Key key_of(const boost::asio::ip::address& from);

  const std::size_t limit_;
  const std::size_t per_address_;
  std::atomic<std::size_t> taken_{0};
  std::mutex guard_;                       // of by_address_
  std::map<Key, std::size_t> by_address_;  // only those that are connected
};

/// A budget of bytes. Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t limit) : limit_(limit) {}

  [[nodiscard]] bool take(std::uint64_t bytes);
  /// Also beyond the limit: for what cannot be refused any more.
  void take_anyway(std::uint64_t bytes) { taken_.fetch_add(bytes); }
  void give(std::uint64_t bytes) { taken_.fetch_sub(bytes); }
  [[nodiscard]] std::uint64_t taken() const { return taken_.load(); }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> taken_{0};
};

/// What one request has of a budget; goes back when dropped.
class ByteShare {
 public:
  explicit ByteShare(ByteBudget& budget) : budget_(budget) {}
  ByteShare(const ByteShare&) = delete;
  ByteShare& operator=(const ByteShare&) = delete;
  ~ByteShare() { budget_.give(bytes_); }

  /// Makes it at least `bytes`; false when the budget has not that much left.
  [[nodiscard]] bool grow_to(std::uint64_t bytes) { return bytes <= bytes_ || add(bytes - bytes_); }
  /// False as above.
  [[nodiscard]] bool add(std::uint64_t bytes) {
    refused_ = !budget_.take(bytes);
    if (!refused_) bytes_ += bytes;
    return !refused_;
  }
  void add_anyway(std::uint64_t bytes) {
    budget_.take_anyway(bytes);
    bytes_ += bytes;
  }
  void shrink_to(std::uint64_t bytes) {
    if (bytes >= bytes_) return;
    budget_.give(bytes_ - bytes);
    bytes_ = bytes;
  }
  /// Was the last wish for more refused?
  [[nodiscard]] bool refused() const { return refused_; }

 private:
  ByteBudget& budget_;
  std::uint64_t bytes_ = 0;
  bool refused_ = false;
};

}  // namespace qrerank::proxy::http

#include "proxy/config/secret.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <ostream>
#include <stdexcept>

namespace qrerank::proxy::config {
namespace {

using Digest = std::array<unsigned char, 32>;

Digest digest_of(std::string_view text) {
  Digest digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed in the cryptographic library");
  }
  return digest;
}

}  // namespace

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    forget();
    text_ = other.text_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    forget();
    text_ = std::move(other.text_);
    other.forget();
  }
  return *this;
}

bool Secret::matches(std::string_view offered) const {
  if (empty() || offered.empty()) return false;
  // Digests are of one length, so that the secret's own length does not show either.
  const Digest mine = digest_of(text_);
  const Digest theirs = digest_of(offered);
  return CRYPTO_memcmp(mine.data(), theirs.data(), mine.size()) == 0;
}

void Secret::forget() noexcept {
  text_.resize(text_.capacity());  // also what a shorter text left behind
  OPENSSL_cleanse(text_.data(), text_.size());
  text_.clear();
}

std::ostream& operator<<(std::ostream& out, const Secret& secret) {
  return secret.empty() ? out : out << kMasked;
}

}  // namespace qrerank::proxy::config

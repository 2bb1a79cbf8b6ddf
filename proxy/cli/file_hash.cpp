#include "proxy/cli/file_hash.hpp"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <vector>

namespace qrerank::proxy::cli {
namespace {

class Digest {
 public:
  explicit Digest(const EVP_MD* kind) : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), kind, nullptr) != 1) {
      throw std::runtime_error("OpenSSL cannot make a digest");
    }
  }

  void update(const void* from, std::size_t bytes) {
    if (EVP_DigestUpdate(context_.get(), from, bytes) != 1) {
      throw std::runtime_error("OpenSSL cannot update a digest");
    }
  }

  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned length = 0;
    if (EVP_DigestFinal_ex(context_.get(), bytes.data(), &length) != 1) {
      throw std::runtime_error("OpenSSL cannot finish a digest");
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < length; ++i) {
      text += kHex[bytes[i] >> 4];
      text += kHex[bytes[i] & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

tl::expected<FileHashes, std::string> hash_file(const std::filesystem::path& path) {
  const auto refused = [&](const std::string& why) { return tl::unexpected(path.string() + ": " + why); };
  std::error_code error;
  FileHashes hashes;
  hashes.bytes = std::filesystem::file_size(path, error);
  if (error) {
    return refused(error.message());
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return refused(std::strerror(errno));
  }
  Digest sha256(EVP_sha256());
  Digest sha1(EVP_sha1());
  const std::string header = "blob " + std::to_string(hashes.bytes);
  sha1.update(header.c_str(), header.size() + 1);  // the zero byte belongs to git's header
  std::vector<char> piece(1u << 20);
  std::uint64_t read = 0;
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    const auto got = static_cast<std::size_t>(file.gcount());
    sha256.update(piece.data(), got);
    sha1.update(piece.data(), got);
    read += got;
  }
  if (file.bad() || read != hashes.bytes) {
    return refused("changed or failed while it was read");
  }
  hashes.sha256 = sha256.hex();
  hashes.git_sha1 = sha1.hex();
  return hashes;
}

}  // namespace qrerank::proxy::cli

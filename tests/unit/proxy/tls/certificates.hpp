// Self-signed certificates and keys, made for a test in a folder of its own.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

namespace qrerank::test {

template <class T, auto F>
struct Freed {
  void operator()(T* at) const { F(at); }
};
template <class T, auto F>
using Owned = std::unique_ptr<T, Freed<T, F>>;

class Certificates {
 public:
  Certificates() {
    std::string name = (std::filesystem::temp_directory_path() / "qrerank-tls-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder");
    folder_ = name;
  }
  ~Certificates() { std::filesystem::remove_all(folder_); }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return folder_ + "/" + name; }

  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }

  /// Writes NAME.pem and NAME.key, the key encrypted where a passphrase is given.
  void make(const std::string& name, const std::string& alternatives = "DNS:q.test,IP:127.0.0.1",
            bool rsa = false, const char* passphrase = nullptr) const {
    const Owned<EVP_PKEY, EVP_PKEY_free> key(rsa ? EVP_RSA_gen(2048u) : EVP_EC_gen("P-256"));
    const Owned<X509, X509_free> certificate(X509_new());
    X509* x = certificate.get();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME* subject = X509_get_subject_name(x);
    const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(x, subject);
    X509_set_pubkey(x, key.get());
    const Owned<X509_EXTENSION, X509_EXTENSION_free> names(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternatives.c_str()));
    X509_add_ext(x, names.get(), -1);
    if (X509_sign(x, key.get(), EVP_sha256()) == 0) throw std::runtime_error("not signed");
    const Owned<FILE, std::fclose> to(std::fopen(file(name + ".pem").c_str(), "w"));
    PEM_write_X509(to.get(), x);
    const Owned<FILE, std::fclose> key_to(std::fopen(file(name + ".key").c_str(), "w"));
    const EVP_CIPHER* cipher = passphrase == nullptr ? nullptr : EVP_aes_128_cbc();
    PEM_write_PrivateKey(key_to.get(), key.get(), cipher, nullptr, 0, nullptr, const_cast<char*>(passphrase));
  }

 private:
  std::string folder_;
};

}  // namespace qrerank::test

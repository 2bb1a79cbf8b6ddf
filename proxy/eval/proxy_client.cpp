#include "proxy/eval/proxy_client.hpp"

#include <curl/curl.h>

#include <chrono>
#include <new>
#include <stdexcept>

namespace qrerank::proxy::eval {
namespace {

constexpr long kConnectSeconds = 20;
constexpr long kAnswerSeconds = 180;  // longer than the longest rerank_timeout_ms and Qdrant's own search
constexpr std::size_t kMaxAnswerBytes = 256u << 20;

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& body = *static_cast<std::string*>(user);
  if (body.size() + size * count > kMaxAnswerBytes) return 0;
  body.append(bytes, size * count);
  return size * count;
}

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

struct ProxyClient::Impl {
  std::string url;
  CURL* curl = nullptr;
  std::unique_ptr<curl_slist, ListDeleter> headers;
  std::string body;

  void add_header(const std::string& line) {
    auto* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)headers.release();
    headers.reset(longer);
  }

  template <class Value>
  void set(CURLoption which, Value value) const {
    if (curl_easy_setopt(curl, which, value) != CURLE_OK)
      throw std::runtime_error("libcurl refuses an option");
  }
};

ProxyClient::ProxyClient(std::string url, const config::Secret& api_key) : impl_(std::make_unique<Impl>()) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);  // once a process
  while (url.ends_with('/')) url.pop_back();
  impl_->url = std::move(url);
  impl_->curl = curl_easy_init();
  if (started != CURLE_OK || impl_->curl == nullptr) throw std::runtime_error("libcurl does not start");
  impl_->add_header("Content-Type: application/json");
  impl_->add_header("Expect:");  // a large body need not wait for 100 Continue
  if (!api_key.empty()) impl_->add_header("api-key: " + api_key.reveal());
  impl_->set(CURLOPT_PROTOCOLS_STR, "http,https");
  impl_->set(CURLOPT_FOLLOWLOCATION, 0L);
  impl_->set(CURLOPT_USERAGENT, "qrerank eval");
  impl_->set(CURLOPT_HTTPHEADER, impl_->headers.get());
  impl_->set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  impl_->set(CURLOPT_TIMEOUT, kAnswerSeconds);
  impl_->set(CURLOPT_NOSIGNAL, 1L);
  impl_->set(CURLOPT_NOPROXY, "*");  // what is measured is this path, not an environment's proxy
  impl_->set(CURLOPT_WRITEFUNCTION, &on_body);
  impl_->set(CURLOPT_WRITEDATA, static_cast<void*>(&impl_->body));
}

ProxyClient::~ProxyClient() {
  curl_easy_cleanup(impl_->curl);
}

tl::expected<Reply, std::string> ProxyClient::post(const std::string& path, const std::string& body) {
  impl_->body.clear();
  const std::string url = impl_->url + path;
  impl_->set(CURLOPT_URL, url.c_str());
  impl_->set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  impl_->set(CURLOPT_POSTFIELDS, body.c_str());
  const auto started = std::chrono::steady_clock::now();
  const CURLcode code = curl_easy_perform(impl_->curl);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - started;
  if (code != CURLE_OK) return tl::unexpected(impl_->url + ": " + curl_easy_strerror(code));
  Reply reply;
  curl_easy_getinfo(impl_->curl, CURLINFO_RESPONSE_CODE, &reply.status);
  reply.body = std::move(impl_->body);
  reply.wall_ms = took.count();
  return reply;
}

std::string wrong_with_url(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    return "is not an address such as http://127.0.0.1:7333";
  const auto has = [&](CURLUPart which) {
    char* text = nullptr;
    const bool there = curl_url_get(parsed.get(), which, &text, 0) == CURLUE_OK;
    curl_free(text);
    return there;
  };
  if (has(CURLUPART_USER) || has(CURLUPART_PASSWORD))
    return "holds credentials; give the key in QDRANT_API_KEY or --api-key-file";
  if (has(CURLUPART_QUERY) || has(CURLUPART_FRAGMENT)) return "has a query or fragment";
  return url.starts_with("http://") || url.starts_with("https://")
             ? ""
             : "begins with neither http:// nor https://";
}

}  // namespace qrerank::proxy::eval

#include "proxy/cli/fetch.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <stdexcept>

namespace qrerank::proxy::cli {
namespace {

constexpr int kMaxRedirects = 8;
constexpr long kConnectSeconds = 20;
constexpr long kStallSeconds = 60;  // less than a byte a second for this long is a dead connection

struct UrlParts {
  std::string scheme;
  std::string host;
  std::string origin;  // scheme://host:port
};

std::optional<UrlParts> split_url(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  const auto part = [&](CURLUPart which, unsigned flags) {
    char* text = nullptr;
    std::string copy;
    if (curl_url_get(parsed.get(), which, &text, flags) == CURLUE_OK) {
      copy = text;
    }
    curl_free(text);
    return copy;
  };
  UrlParts parts{part(CURLUPART_SCHEME, 0), part(CURLUPART_HOST, 0), ""};
  if (!part(CURLUPART_USER, 0).empty() || !part(CURLUPART_PASSWORD, 0).empty()) {
    return std::nullopt;  // credentials in an address end up in messages
  }
  parts.origin = parts.scheme + "://" + parts.host + ":" + part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  return parts;
}

bool is_this_machine(const std::string& host) {
  const auto dots = std::ranges::count(host, '.');
  const bool digits = std::ranges::all_of(host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return host == "localhost" || host == "[::1]" || (host.starts_with("127.") && dots == 3 && digits);
}

struct File {
  ~File() {
    if (descriptor >= 0) {
      ::close(descriptor);
    }
  }
  int descriptor = -1;
};

// Where the body of one exchange goes, and what its header said.
struct Sink {
  CURL* curl = nullptr;
  std::string* text = nullptr;  // either this
  int file = -1;                // or this
  std::uint64_t have = 0;       // bytes of the file before this exchange, then all so far
  std::uint64_t limit = 0;      // more than this is refused
  const Fetcher::Progress* progress = nullptr;
  std::uint64_t range_from = 0;  // of Content-Range
  bool has_range = false;
  std::chrono::seconds retry_after{0};
  bool checked_status = false;
  bool keep = false;    // the status is one whose body is wanted
  std::string problem;  // why a callback gave up
};

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& sink = *static_cast<Sink*>(user);
  std::string_view line(bytes, size * count);
  const auto value_of = [&](std::string_view name) -> std::optional<std::string_view> {
    if (line.size() <= name.size() || strncasecmp(line.data(), name.data(), name.size()) != 0) {
      return std::nullopt;
    }
    auto value = line.substr(name.size());
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    return value;
  };
  if (const auto range = value_of("content-range:"); range && range->starts_with("bytes ")) {
    const auto digits = range->substr(6);
    sink.has_range =
        std::from_chars(digits.data(), digits.data() + digits.size(), sink.range_from).ec == std::errc();
  }
  if (const auto after = value_of("retry-after:")) {
    unsigned seconds = 0;
    if (std::from_chars(after->data(), after->data() + after->size(), seconds).ec == std::errc()) {
      sink.retry_after = std::chrono::seconds(std::min(seconds, 60u));
    }
  }
  return size * count;
}

// Decides at the first byte what the body is good for. False: give up.
bool check_status(Sink& sink) {
  if (sink.checked_status) {
    return true;
  }
  sink.checked_status = true;
  long status = 0;
  curl_easy_getinfo(sink.curl, CURLINFO_RESPONSE_CODE, &status);
  sink.keep = status == 200 || (status == 206 && sink.file >= 0);
  if (!sink.keep || sink.file < 0) {
    return true;
  }
  if (status == 206 && (!sink.has_range || sink.range_from != sink.have)) {
    sink.problem = "the server sent another range than was asked for";
    return false;
  }
  if (status == 200 && sink.have > 0) {  // no ranges here: from the beginning
    if (::ftruncate(sink.file, 0) != 0 || ::lseek(sink.file, 0, SEEK_SET) != 0) {
      sink.problem = std::strerror(errno);
      return false;
    }
    sink.have = 0;
  }
  return true;
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& sink = *static_cast<Sink*>(user);
  const std::size_t length = size * count;
  if (!check_status(sink)) {
    return 0;
  }
  if (!sink.keep) {
    return length;  // an error page: read past it
  }
  if (sink.have + length > sink.limit) {
    sink.problem = "the server sends more than it announced";
    return 0;
  }
  if (sink.text != nullptr) {
    sink.text->append(bytes, length);
  }
  for (std::size_t written = 0; sink.file >= 0 && written < length;) {
    const auto n = ::write(sink.file, bytes + written, length - written);
    if (n < 0 && errno != EINTR) {
      sink.problem = errno == ENOSPC || errno == EDQUOT ? "the disk is full" : std::strerror(errno);
      return 0;
    }
    written += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  sink.have += length;
  if (sink.progress != nullptr && *sink.progress) {
    (*sink.progress)(sink.have);
  }
  return length;
}

FetchError status_error(long status, std::chrono::seconds retry_after) {
  FetchError error{fmt::format("the server answered {}", status),
                   status == 408 || status == 429 || status >= 500, status, retry_after};
  if (status == 401) {
    error.message = "401: the model is private or does not exist; set HF_TOKEN to a token that may read it";
  } else if (status == 403) {
    error.message =
        "403: this token (or its absence) gives no access; the model's licence may have to be accepted "
        "on its page first";
  } else if (status == 404) {
    error.message = "404: no such model, revision or file";
  } else if (status == 429) {
    error.message = "429: the server asks to slow down";
  }
  return error;
}

}  // namespace

struct Fetcher::Impl {
  std::string origin;
  config::Secret token;
  CURL* curl = nullptr;

  // One exchange without following redirects; `next` gets a redirect's target.
  tl::expected<void, FetchError> exchange(const std::string& url, const std::string& range, Sink& sink,
                                          std::string& next) {
    const auto parts = split_url(url);
    if (!parts || !is_allowed_url(url)) {
      return tl::unexpected(
          FetchError{"an address is not https (plain http is for this machine itself only)", false, 0, {}});
    }
    curl_easy_reset(curl);
    sink.curl = curl;
    std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, &curl_slist_free_all);
    if (!token.empty() && parts->origin == origin) {
      headers.reset(curl_slist_append(nullptr, ("Authorization: Bearer " + token.reveal()).c_str()));
    }
    bool set = true;
    const auto option = [&](CURLoption which, auto value) {
      set = set && curl_easy_setopt(curl, which, value) == CURLE_OK;
    };
    option(CURLOPT_URL, url.c_str());
    option(CURLOPT_PROTOCOLS_STR, "http,https");
    option(CURLOPT_FOLLOWLOCATION, 0L);
    option(CURLOPT_USERAGENT, "qrerank");
    option(CURLOPT_HTTPHEADER, headers.get());
    option(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    option(CURLOPT_LOW_SPEED_LIMIT, 1L);
    option(CURLOPT_LOW_SPEED_TIME, kStallSeconds);
    option(CURLOPT_NOSIGNAL, 1L);
    option(CURLOPT_HEADERFUNCTION, &on_header);
    option(CURLOPT_HEADERDATA, static_cast<void*>(&sink));
    option(CURLOPT_WRITEFUNCTION, &on_body);
    option(CURLOPT_WRITEDATA, static_cast<void*>(&sink));
    if (!range.empty()) {
      option(CURLOPT_RANGE, range.c_str());
    }
    if (!set) {
      throw std::runtime_error("libcurl refuses an option");
    }
    const CURLcode code = curl_easy_perform(curl);
    if (!sink.problem.empty()) {
      return tl::unexpected(FetchError{sink.problem, false, 0, {}});
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK) {
      const bool hopeless = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
      return tl::unexpected(FetchError{curl_easy_strerror(code), !hopeless, 0, {}});
    }
    char* target = nullptr;
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &target);
    if (status >= 300 && status < 400 && target != nullptr) {
      next = target;
      return {};
    }
    if (status == 200 || status == 206) {
      return {};
    }
    return tl::unexpected(status_error(status, sink.retry_after));
  }

  tl::expected<void, FetchError> get(std::string url, const std::string& range, const Sink& fresh,
                                     Sink& sink) {
    for (int hop = 0; hop <= kMaxRedirects; ++hop) {
      sink = fresh;
      std::string next;
      auto done = exchange(url, range, sink, next);
      if (!done || next.empty()) {
        return done;
      }
      if (url.starts_with("https://") && !next.starts_with("https://")) {
        return tl::unexpected(FetchError{"a redirect leads from https to plain http", false, 0, {}});
      }
      url = next;
    }
    return tl::unexpected(FetchError{"too many redirects", false, 0, {}});
  }
};

bool is_allowed_url(const std::string& url) {
  const auto parts = split_url(url);
  return parts && !parts->host.empty() &&
         (parts->scheme == "https" || (parts->scheme == "http" && is_this_machine(parts->host)));
}

Fetcher::Fetcher(std::string origin, config::Secret token) : impl_(std::make_unique<Impl>()) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);  // once a process
  const auto parts = split_url(origin);
  impl_->origin = parts ? parts->origin : "";
  impl_->token = std::move(token);
  impl_->curl = curl_easy_init();
  if (started != CURLE_OK || impl_->curl == nullptr) {
    throw std::runtime_error("libcurl does not start");
  }
}

Fetcher::~Fetcher() {
  curl_easy_cleanup(impl_->curl);
}

tl::expected<std::string, FetchError> Fetcher::get_text(const std::string& url, std::size_t max_bytes) {
  std::string text;
  Sink fresh;
  fresh.text = &text;
  fresh.limit = max_bytes;
  Sink sink;
  if (auto done = impl_->get(url, "", fresh, sink); !done) {
    return tl::unexpected(std::move(done.error()));
  }
  return text;
}

tl::expected<void, FetchError> Fetcher::get_file(const std::string& url, const std::filesystem::path& part,
                                                 std::uint64_t total_bytes, const Progress& progress) {
  const auto system_error = [&](std::string_view step) {
    const bool full = errno == ENOSPC || errno == EDQUOT;
    return tl::unexpected(FetchError{
        fmt::format("{}: {}: {}", part.string(), step, full ? "the disk is full" : std::strerror(errno)),
        false,
        {}});
  };
  File file;
  file.descriptor = ::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (file.descriptor < 0) {
    return system_error("open");
  }
  auto have = ::lseek(file.descriptor, 0, SEEK_END);
  if (have < 0) {
    return system_error("seek");
  }
  if (static_cast<std::uint64_t>(have) > total_bytes) {
    have = 0;
    if (::ftruncate(file.descriptor, 0) != 0 || ::lseek(file.descriptor, 0, SEEK_SET) != 0) {
      return system_error("truncate");
    }
  }
  if (static_cast<std::uint64_t>(have) < total_bytes) {
    Sink fresh;
    fresh.file = file.descriptor;
    fresh.have = static_cast<std::uint64_t>(have);
    fresh.limit = total_bytes;
    fresh.progress = &progress;
    Sink sink;
    auto done = impl_->get(url, have > 0 ? fmt::format("{}-", have) : "", fresh, sink);
    if (!done && done.error().status == 416 && have > 0) {
      // The part is longer than what is there now: only the beginning helps.
      if (::ftruncate(file.descriptor, 0) != 0) {
        return system_error("truncate");
      }
      done.error().may_pass = true;
    }
    if (!done) {
      return done;
    }
    if (sink.have != total_bytes) {
      return tl::unexpected(FetchError{"the connection was cut off", true, 0, {}});
    }
  }
  if (::fsync(file.descriptor) != 0) {
    return system_error("sync");
  }
  return {};
}

}  // namespace qrerank::proxy::cli

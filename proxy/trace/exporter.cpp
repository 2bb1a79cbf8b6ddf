#include "proxy/trace/exporter.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>

#include "proxy/observe/log.hpp"
#include "proxy/trace/otlp.hpp"
#include "proxy/trace/wall_clock.hpp"

namespace qrerank::proxy::trace {
namespace {

using namespace std::chrono_literals;

// Spans that came within this go together.
constexpr auto kGather = 500ms;
// Between two tries of a batch that was refused for now.
constexpr auto kFirstPause = 500ms;
constexpr auto kLastPause = 8s;
constexpr int kTries = 4;
constexpr std::chrono::milliseconds kAnswer = 10s;
constexpr std::chrono::milliseconds kAtTheEnd = 2s;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t ignore(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

// "name=value,name=value", as OTEL_EXPORTER_OTLP_HEADERS has them; the syntax was checked with the
// configuration.
std::vector<std::string> header_lines(const std::string& said) {
  std::vector<std::string> lines{"Content-Type: application/json", "Expect:"};
  for (std::size_t from = 0; from < said.size();) {
    const auto end = std::min(said.find(',', from), said.size());
    auto line = said.substr(from, end - from);
    line.replace(line.find('='), 1, ": ");
    lines.push_back(std::move(line));
    from = end + 1;
  }
  return lines;
}

}  // namespace

struct Exporter::Impl {
  enum class Sent { yes, later, never };

  Impl(const config::Tracing& settings, std::string version)
      : service{settings.service_name, std::move(version)} {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);  // once a process
    curl = curl_easy_init();
    if (started != CURLE_OK || curl == nullptr) throw std::runtime_error("libcurl does not start");
    for (const auto& line : header_lines(settings.headers.reveal())) {
      auto* longer = curl_slist_append(headers.get(), line.c_str());
      if (longer == nullptr) throw std::bad_alloc();
      static_cast<void>(headers.release());
      headers.reset(longer);
    }
    set(CURLOPT_URL, settings.endpoint.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_USERAGENT, "qrerank");
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_WRITEFUNCTION, &ignore);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Impl::on_progress);
    set(CURLOPT_XFERINFODATA, this);
    if (!settings.ca.empty()) set(CURLOPT_CAINFO, settings.ca.c_str());
    thread = std::thread([this] { run(); });
  }

  ~Impl() {
    {
      const std::lock_guard hold(guard);
      ends = Clock::now() + kAtTheEnd;
      stopping = true;
    }
    changed.notify_all();
    thread.join();
    curl_easy_cleanup(curl);
  }

  template <class Value>
  void set(CURLoption which, Value value) const {
    if (curl_easy_setopt(curl, which, value) != CURLE_OK)
      throw std::runtime_error("libcurl refuses an option");
  }

  // Not 0: give up. Once the program ends, so does what is under way, in time.
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto& exporter = *static_cast<const Impl*>(self);
    return exporter.stopping && Clock::now() >= exporter.ends.load() ? 1 : 0;
  }

  Sent post(const std::string& body) {
    auto limit = kAnswer;
    if (stopping) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(ends.load() - Clock::now());
      if (left <= 0ms) return Sent::never;
      limit = std::min(limit, left);
    }
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
    set(CURLOPT_POSTFIELDS, body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    const CURLcode done = curl_easy_perform(curl);
    if (done != CURLE_OK) {
      complain(curl_easy_strerror(done));
      return Sent::later;
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) {
      complained = false;
      return Sent::yes;
    }
    complain("status " + std::to_string(status));
    // What OTLP/HTTP calls retryable.
    return status == 429 || (status >= 502 && status <= 504) ? Sent::later : Sent::never;
  }

  // Once for each time that the collector goes away.
  void complain(const std::string& why) {
    if (!std::exchange(complained, true)) observe::log::warn("", "spans are not taken", {{"why", why}});
  }

  // Waits for more, or for the end; true when the program ends.
  bool pause(std::chrono::milliseconds time) {
    std::unique_lock hold(guard);
    return changed.wait_for(hold, time, [this] { return stopping.load(); });
  }

  void send(const std::vector<Span>& batch) {
    const Moment now = wall_clock_now();
    const std::string body = to_otlp(batch, service, now);
    std::chrono::milliseconds wait = kFirstPause;
    for (int left = kTries;;) {
      const Sent outcome = post(body);
      if (outcome == Sent::yes) {
        sent += batch.size();
        return;
      }
      if (outcome == Sent::never || --left == 0 || stopping) break;
      if (pause(wait)) left = 1;  // once more, at the end
      wait = std::min<std::chrono::milliseconds>(2 * wait, kLastPause);
    }
    dropped += batch.size();
  }

  void run() {
    for (;;) {
      std::vector<Span> batch;
      {
        std::unique_lock hold(guard);
        changed.wait(hold, [this] { return stopping || !waiting.empty(); });
        if (waiting.empty()) return;
        changed.wait_for(hold, kGather, [this] { return stopping || waiting.size() >= kMaxBatch; });
        const auto count = static_cast<std::ptrdiff_t>(std::min(waiting.size(), kMaxBatch));
        batch.assign(std::move_iterator(waiting.begin()), std::move_iterator(waiting.begin() + count));
        waiting.erase(waiting.begin(), waiting.begin() + count);
      }
      send(batch);
    }
  }

  const Service service;
  CURL* curl = nullptr;  // this and what follows: the thread's
  std::unique_ptr<curl_slist, FreeList> headers;
  bool complained = false;

  std::mutex guard;  // of waiting
  std::condition_variable changed;
  std::deque<Span> waiting;
  std::atomic<bool> stopping{false};
  std::atomic<Clock::time_point> ends{};
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> dropped{0};
  std::thread thread;
};

Exporter::Exporter(const config::Tracing& settings, std::string version)
    : impl_(std::make_unique<Impl>(settings, std::move(version))) {}
Exporter::~Exporter() = default;

void Exporter::take(std::vector<Span> spans) {
  std::size_t before = 0;
  std::size_t after = 0;
  {
    const std::lock_guard hold(impl_->guard);
    before = impl_->waiting.size();
    const std::size_t room = kMaxWaiting - std::min(before, kMaxWaiting);
    const std::size_t taken = std::min(room, spans.size());
    impl_->waiting.insert(impl_->waiting.end(), std::move_iterator(spans.begin()),
                          std::move_iterator(spans.begin() + static_cast<std::ptrdiff_t>(taken)));
    impl_->dropped += spans.size() - taken;
    after = impl_->waiting.size();
  }
  // It sleeps while nothing waits, and while a batch may still grow.
  if (before == 0 || (before < kMaxBatch && after >= kMaxBatch)) impl_->changed.notify_one();
}

Exporter::Counters Exporter::counters() const {
  return {impl_->sent, impl_->dropped};
}

}  // namespace qrerank::proxy::trace

// From the sessions' records to metrics and the access log. Knows both rooms, so that neither knows the
// other.
#pragma once

#include <atomic>
#include <string_view>

#include "proxy/http/observer.hpp"
#include "proxy/observe/metrics/http.hpp"

namespace qrerank::proxy {

class RequestCounter : public http::Observer {
 public:
  RequestCounter(observe::metrics::Http& metrics, bool access_log)
      : metrics_(metrics), access_log_(access_log) {}

  void request_finished(const http::RequestRecord& record) override;
  void limit_tripped(http::Limit limit) override;
  void connection_opened() override;
  void connection_closed() override;
  void handshake_failed(std::string_view why) override;
  void connection_turned_away() override;
  void accept_failed(std::string_view why) override;
  void connection_failed(std::string_view what) override;

  /// May change while the program runs.
  void set_access_log(bool on) { access_log_ = on; }

 private:
  observe::metrics::Http& metrics_;
  std::atomic<bool> access_log_;
};

}  // namespace qrerank::proxy

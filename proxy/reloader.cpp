#include "proxy/reloader.hpp"

#include <signal.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/observe/log.hpp"

namespace qrerank::proxy {
namespace {

namespace log = observe::log;

std::string joined(const std::vector<std::string>& paths) {
  std::string text;
  for (const auto& path : paths) {
    text += (text.empty() ? "" : ", ") + path;
  }
  return text;
}

// What was found wrong, a line each, as one value of a log line.
std::string on_one_line(std::string_view lines) {
  while (lines.ends_with('\n')) lines.remove_suffix(1);
  std::string text;
  for (const char c : lines) {
    if (c == '\n') {
      text += "; ";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

Reloader::Reloader(boost::asio::io_context& io, config::LiveConfig& live, config::ReadConfig read,
                   observe::metrics::Program& metrics, const service::Notifier& notifier, Apply apply)
    : live_(live),
      read_(std::move(read)),
      metrics_(metrics),
      notifier_(notifier),
      apply_(std::move(apply)),
      hangups_(io, SIGHUP) {
  wait();
}

void Reloader::stop() {
  stopped_ = true;
  hangups_.cancel();
}

void Reloader::wait() {
  hangups_.async_wait([this](const boost::system::error_code& error, int) {
    if (error || stopped_) return;
    notifier_.reloading();
    reload();
    notifier_.ready("serving");
    wait();
  });
}

void Reloader::reload() {
  const auto refused = [&](const std::string& why) {
    metrics_.config_reload(false);
    log::error("", "configuration not reloaded, the old one stays", {{"reason", on_one_line(why)}});
  };
  const auto fresh = read_();
  if (!fresh) return refused(fresh.error());
  auto reloaded = config::reload(*live_.get(), *fresh);
  if (!reloaded) return refused(config::to_string(reloaded.error()));
  const auto applied = apply_(reloaded->config);
  if (!applied) return refused(applied.error());
  live_.set(std::move(reloaded->config));
  metrics_.config_reload(true);
  // At every log level: whoever sent the signal looks for this line.
  log::write(log::Level::info, "", "configuration reloaded", {{"changed", joined(reloaded->changed)}});
  for (const auto& warning : live_.get()->warnings) log::warn("", warning);
  if (!reloaded->after_restart.empty()) {
    log::warn("", "takes effect after a restart", {{"settings", joined(reloaded->after_restart)}});
  }
}

}  // namespace qrerank::proxy

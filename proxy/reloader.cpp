#include "proxy/reloader.hpp"

#include <signal.h>

#include <string>
#include <string_view>
#include <system_error>
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

struct Reloader::Read {
  config::Reloaded reloaded;
  Apply apply;
};

Reloader::Reloader(boost::asio::io_context& io, config::LiveConfig& live, config::ReadConfig read,
                   observe::metrics::Program& metrics, const service::Notifier& notifier, Prepare prepare)
    : live_(live),
      read_(std::move(read)),
      metrics_(metrics),
      notifier_(notifier),
      prepare_(std::move(prepare)),
      errands_(io),
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
    read();
  });
}

// One at a time: the next signal is looked at when this one is done with.
void Reloader::read() {
  using Result = tl::expected<Read, std::string>;
  // Nothing of this object: the thread may outlast it.
  const auto errand = [read = read_, prepare = prepare_, running = live_.get()]() -> Result {
    const auto fresh = read();
    if (!fresh) return tl::unexpected(fresh.error());
    auto reloaded = config::reload(*running, *fresh);
    if (!reloaded) return tl::unexpected(config::to_string(reloaded.error()));
    auto apply = prepare(reloaded->config);
    if (!apply) return tl::unexpected(std::move(apply.error()));
    return Read{std::move(*reloaded), std::move(*apply)};
  };
  try {
    reading_ = true;
    errands_.send([this, errand] { return [this, result = errand()] { finish(result); }; });
  } catch (const std::system_error& no_thread) {
    finish(tl::unexpected("cannot be read: " + std::string(no_thread.what())));
  }
}

void Reloader::finish(const tl::expected<Read, std::string>& read) {
  reading_ = false;
  if (stopped_) return;
  if (read) {
    put_in_force(*read);
  } else {
    metrics_.config_reload(false);
    log::error("", "configuration not reloaded, the old one stays", {{"reason", on_one_line(read.error())}});
  }
  notifier_.ready("serving");
  wait();
}

void Reloader::put_in_force(const Read& read) {
  const config::Reloaded& reloaded = read.reloaded;
  read.apply(reloaded.config);
  live_.set(reloaded.config);
  metrics_.config_reload(true);
  // At every log level: whoever sent the signal looks for this line.
  log::write(log::Level::info, "", "configuration reloaded", {{"changed", joined(reloaded.changed)}});
  for (const auto& warning : live_.get()->warnings) log::warn("", warning);
  if (!reloaded.after_restart.empty()) {
    log::warn("", "takes effect after a restart", {{"settings", joined(reloaded.after_restart)}});
  }
}

}  // namespace qrerank::proxy

// The program's log: lines to standard error, written by a thread of their own. Callers never wait for the
// terminal or pipe: when a mebibyte is waiting, new lines are dropped and counted. Thread-safe throughout.
// No query text, document text or credential is ever given to it.
//
//   log::info(request_id, "reranked", {{"collection", name}, {"candidates", 50}});
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "proxy/config/config.hpp"
#include "proxy/observe/log_line.hpp"

namespace qrerank::proxy::observe::log {

/// Starts the writing thread. Before it, and after stop, lines are written at once by their caller.
void start(const config::Log& settings);

/// Writes what waits and ends the thread; what cannot be written within two seconds is dropped. Call it once
/// nothing logs any more.
void stop();

/// May change while the program runs.
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);
[[nodiscard]] Level level();

/// Lines dropped since the start: the reader of standard error was too slow, or standard error took none.
[[nodiscard]] std::uint64_t dropped_lines();

using Fields = std::initializer_list<Field>;

/// `request_id` may be empty: the line belongs to no request.
void write(Level level, std::string_view request_id, std::string_view message, Fields fields);

inline void debug(std::string_view request_id, std::string_view message, Fields fields = {}) {
  if (enabled(Level::debug)) {
    write(Level::debug, request_id, message, fields);
  }
}
inline void info(std::string_view request_id, std::string_view message, Fields fields = {}) {
  if (enabled(Level::info)) {
    write(Level::info, request_id, message, fields);
  }
}
inline void warn(std::string_view request_id, std::string_view message, Fields fields = {}) {
  if (enabled(Level::warn)) {
    write(Level::warn, request_id, message, fields);
  }
}
inline void error(std::string_view request_id, std::string_view message, Fields fields = {}) {
  if (enabled(Level::error)) {
    write(Level::error, request_id, message, fields);
  }
}

}  // namespace qrerank::proxy::observe::log

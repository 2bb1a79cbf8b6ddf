// The program itself: what it is, its process, its configuration and log.
#pragma once

#include <string>

#include "proxy/observe/registry.hpp"

namespace qrerank::proxy::observe::metrics {

struct Build {
  std::string version;
  bool with_torch = false;
};

class Program {
 public:
  Program(Registry& registry, const Build& build);

  /// The configuration was read again: it is in force, or it was refused and the old one stays.
  void config_reload(bool in_force) { (in_force ? reloads_ : reloads_refused_).add(); }
  /// Looks at the process and the log.
  void sample();

 private:
  Counter reloads_;
  Counter reloads_refused_;
  Counter log_dropped_;
  Gauge start_seconds_;
  Gauge open_descriptors_;
  Gauge max_descriptors_;
  Gauge resident_bytes_;
  Counter cpu_seconds_;
  Gauge threads_;
};

}  // namespace qrerank::proxy::observe::metrics

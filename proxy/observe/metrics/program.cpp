#include "proxy/observe/metrics/program.hpp"

#include "proxy/observe/log.hpp"
#include "proxy/observe/process.hpp"

namespace qrerank::proxy::observe::metrics {
namespace {

Counter reloads(Registry& registry, std::string_view outcome) {
  return registry.counter("qrerank_config_reloads_total",
                          "Reloads of the configuration; after a refused one the old one stays.",
                          {{"outcome", outcome}});
}

}  // namespace

Program::Program(Registry& registry, const Build& build)
    : reloads_(reloads(registry, "in_force")),
      reloads_refused_(reloads(registry, "refused")),
      log_dropped_(registry.counter("qrerank_log_lines_dropped_total",
                                    "Log lines that standard error did not take, being slow or full.")),
      start_seconds_(registry.gauge("process_start_time_seconds",
                                    "When the process began, in seconds since 1970 (UTC).")),
      open_descriptors_(registry.gauge("process_open_fds", "Descriptors that are open.")),
      max_descriptors_(registry.gauge("process_max_fds", "Descriptors that may be open.")),
      resident_bytes_(registry.gauge("process_resident_memory_bytes", "Memory of the process in RAM.")),
      cpu_seconds_(registry.counter("process_cpu_seconds_total", "Processor time, of user and system.")),
      threads_(registry.gauge("process_threads", "Threads of the process.")) {
  registry
      .gauge("qrerank_build_info", "Always 1; the labels tell what is running.",
             {{"version", build.version}, {"local_models", build.with_torch ? "yes" : "no"}})
      .set(1);
}

void Program::sample() {
  log_dropped_.raise_to(static_cast<double>(log::dropped_lines()));
  const ProcessSample now = sample_process();
  start_seconds_.set(now.start_seconds);
  open_descriptors_.set(static_cast<double>(now.open_descriptors));
  max_descriptors_.set(static_cast<double>(now.max_descriptors));
  resident_bytes_.set(static_cast<double>(now.resident_bytes));
  cpu_seconds_.raise_to(now.cpu_seconds);
  threads_.set(static_cast<double>(now.threads));
}

}  // namespace qrerank::proxy::observe::metrics

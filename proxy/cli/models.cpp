#include "proxy/cli/models.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <ostream>
#include <system_error>

#include "proxy/observe/json_text.hpp"
#include "reranker/mock_embedding.hpp"
#include "reranker/mock_scorer.hpp"

namespace qrerank::proxy::cli {
namespace {

namespace fs = std::filesystem;
using observe::json_string;

struct Told {
  std::string name;
  reranker::ModelKind kind = reranker::ModelKind::reranker;
  std::string folder;
  std::uint64_t disk_bytes = 0;  // of all files in the folder
  std::string dtype;             // what it would compute in; as configured where it would not load
  std::string device;            // of each replica
  std::uint64_t memory_bytes = 0;
  std::string problem;  // why it would not load
};

std::uint64_t size_on_disk(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code unreadable;
    if (entry->is_regular_file(unreadable)) bytes += entry->file_size(unreadable);
  }
  return bytes;
}

Told told_of(const config::Config& config, const config::Model& model, reranker::ModelKind kind,
             const Needs& needs, const std::string& pull) {
  Told told{model.name, kind, config::model_folder(config, model), 0, model.dtype, model.device, 0, ""};
  const bool real = model.stand_in == reranker::StandIn::none;
  if (!real) told.folder = "(a stand-in for tests)";
  told.disk_bytes = size_on_disk(told.folder);
  if (!needs) {
    told.problem = needs.error().message;
    if (!model.hub.empty() && !fs::exists(told.folder))
      told.problem = told.folder + " is missing: " + pull + model.hub;
    return told;
  }
  if (real && !fs::exists(fs::path(told.folder) / "tokenizer.json")) {
    told.problem = told.folder + "/tokenizer.json is missing";
    return told;
  }
  told.device.clear();
  for (const auto& need : *needs) {
    told.device += (told.device.empty() ? "" : ",") + need.device;
    told.dtype = need.dtype;
    told.memory_bytes += need.bytes;
  }
  return told;
}

std::string mebibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

std::string_view mark_of(const Told& told, bool is_default) {
  if (told.kind == reranker::ModelKind::embedding) return " (embedding)";
  return is_default ? " (rerank.default_model)" : "";
}

std::string as_text(const Told& told, bool is_default) {
  std::string text = fmt::format("{}{}\n  folder  {}\n  disk    {}\n", told.name, mark_of(told, is_default),
                                 told.folder, mebibytes(told.disk_bytes));
  if (!told.problem.empty()) return text + "  would not load: " + told.problem + "\n";
  return text + fmt::format("  loads   {} on {}, {} of weights\n", told.dtype, told.device,
                            mebibytes(told.memory_bytes));
}

std::string as_json(const Told& told, bool is_default) {
  const auto loads = told.problem.empty() ? fmt::format("\"memory_bytes\":{}", told.memory_bytes)
                                          : "\"problem\":" + json_string(told.problem);
  return fmt::format(
      "{{\"name\":{},\"kind\":\"{}\",\"default\":{},\"folder\":{},\"disk_bytes\":{},\"dtype\":{},\"device\":{"
      "},\"loads\":{},{"
      "}}}",
      json_string(told.name), reranker::to_string(told.kind), is_default, json_string(told.folder),
      told.disk_bytes, json_string(told.dtype), json_string(told.device), told.problem.empty(), loads);
}

}  // namespace

ExitCode models(const ModelsCommand& command, const config::Config& config, const NeedsOf& needs_of,
                std::ostream& out) {
  const auto is_default = [&](std::string_view name) { return config.rerank.default_model == name; };
  // Without the file it would fetch into another folder.
  const auto& file = command.config.file;
  const std::string pull = "qrerank pull " + (file ? "--config " + *file + " " : "");
  bool all_load = true;
  std::string json;
  const auto tell = [&](const Told& told) {
    const bool marked = told.kind == reranker::ModelKind::reranker && is_default(told.name);
    all_load = all_load && told.problem.empty();
    if (command.json) {
      json += (json.empty() ? "" : ",") + as_json(told, marked);
    } else {
      out << as_text(told, marked) << std::flush;
    }
  };
  for (const auto& model : config.models)
    tell(told_of(config, model, reranker::ModelKind::reranker, needs_of.judging(model), pull));
  for (const auto& model : config.embedding_models) {
    if (model.name == reranker::kMockEmbedding) continue;
    tell(told_of(config, model, reranker::ModelKind::embedding, needs_of.embedding(model), pull));
  }
  const std::string_view mock = reranker::MockScorer::kName;
  if (command.json) {
    out << "[" << json << "]\n";
  } else {
    out << mock << (is_default(mock) ? " (rerank.default_model)" : "")
        << "\n  built in: counts common words, for trying the wiring\n";
  }
  out.flush();
  return out && all_load ? kOk : kFailed;
}

}  // namespace qrerank::proxy::cli

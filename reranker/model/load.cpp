// load_model: config.json to a family, and the last line of defence against bad files.
#include <c10/util/Exception.h>

#include <exception>
#include <filesystem>
#include <new>

#include "reranker/model/config_members.hpp"
#include "reranker/model/encoder_config.hpp"
#include "reranker/model/encoder_model.hpp"
#include "reranker/model/model.hpp"
#include "reranker/model/qwen3_config.hpp"
#include "reranker/model/qwen3_model.hpp"
#include "reranker/regular_file.hpp"

namespace qrerank::reranker::model {
namespace {

/// The published ones have a few thousand.
constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{16} << 20U;

using Loaded = tl::expected<std::unique_ptr<Model>, LoadError>;

template <class Config, class Load>
Loaded load_checked(const ModelSpec& spec, LoadProgress* progress,
                    const tl::expected<Config, std::string>& config, Load load) {
  const auto file = std::filesystem::path(spec.path) / "config.json";
  if (!config) return tl::unexpected(LoadError{.message = file.string() + ": " + config.error()});
  return load(spec, *config, progress);
}

}  // namespace

Loaded load_model(const ModelSpec& spec, LoadProgress* progress) {
  try {
    const auto json = read_regular_file(std::filesystem::path(spec.path) / "config.json", kMaxConfigBytes);
    if (!json) return tl::unexpected(LoadError{.message = json.error()});
    if (spec.embedding)
      return load_checked(spec, progress, parse_encoder_config(*json, EncoderUse::embed), load_encoder_model);
    if (is_qwen3_config(*json))
      return load_checked(spec, progress, parse_qwen3_config(*json), load_qwen3_model);
    return load_checked(spec, progress, parse_encoder_config(*json), load_encoder_model);
  } catch (const std::bad_alloc&) {
    return tl::unexpected(
        LoadError{.message = spec.path + ": not enough memory to load the model", .out_of_memory = true});
  } catch (const c10::OutOfMemoryError& error) {
    return tl::unexpected(
        LoadError{.message = spec.path + ": " + error.what_without_backtrace(), .out_of_memory = true});
  } catch (const std::exception& error) {
    return tl::unexpected(LoadError{.message = spec.path + ": " + error.what()});
  }
}

}  // namespace qrerank::reranker::model

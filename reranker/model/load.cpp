// load_model: config.json to a family, and the last line of defence against bad files.
#include <c10/util/Exception.h>

#include <exception>
#include <filesystem>
#include <new>

#include "reranker/model/encoder_config.hpp"
#include "reranker/model/encoder_model.hpp"
#include "reranker/model/model.hpp"

namespace qrerank::reranker::model {

tl::expected<std::unique_ptr<Model>, LoadError> load_model(const ModelSpec& spec) {
  try {
    const auto config = read_encoder_config(std::filesystem::path(spec.path) / "config.json");
    if (!config) return tl::unexpected(LoadError{.message = config.error()});
    return load_encoder_model(spec, *config);
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

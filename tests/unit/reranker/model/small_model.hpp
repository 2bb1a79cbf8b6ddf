// One of the committed small models in a folder that a test may spoil.
#pragma once

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "reranker/model/model.hpp"
#include "tests/unit/reranker/model/golden.hpp"
#include "tests/unit/reranker/model/safetensors_file.hpp"

namespace qrerank::tests {

inline std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

struct SmallModel {
  explicit SmallModel(const std::string& name) {
    for (const auto& file : std::filesystem::directory_iterator(golden_folder() / "small" / name)) {
      std::filesystem::copy(file, folder.path() / file.path().filename());
    }
    spec.name = "small";
    spec.path = folder.path().string();
    spec.device = "cpu";
    spec.dtype = "float32";
    spec.threads = 1;
  }

  /// Replaces one place in a file.
  void edit(const std::string& name, const std::string& from, const std::string& to) const {
    auto text = read(folder.path() / name);
    const auto at = text.find(from);
    if (at == std::string::npos) throw std::logic_error("not in " + name + ": " + from);
    folder.write(name, text.replace(at, from.size(), to));
  }

  /// What load_model says; empty where it loads.
  [[nodiscard]] std::string error() const {
    const auto model = reranker::model::load_model(spec);
    return model ? "" : model.error().message;
  }

  TemporaryFolder folder;
  reranker::model::ModelSpec spec;
};

inline void check_says(const std::string& error, const std::string& wanted) {
  BOOST_TEST(error.find(wanted) != std::string::npos, "'" << error << "' does not say '" << wanted << "'");
}

}  // namespace qrerank::tests

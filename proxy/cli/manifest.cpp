#include "proxy/cli/manifest.hpp"

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "proxy/observe/json_text.hpp"

namespace qrerank::proxy::cli {

namespace json = boost::json;
using observe::json_string;

std::string print_manifest(const Manifest& manifest) {
  std::string text = "{\n  \"hub\": " + json_string(manifest.hub) +
                     ",\n  \"revision\": " + json_string(manifest.revision) + ",\n  \"files\": {";
  bool first = true;
  for (const auto& [name, file] : manifest.files) {
    text += (first ? "\n    " : ",\n    ") + json_string(name) +
            ": {\"sha256\": " + json_string(file.sha256) + ", \"bytes\": " + std::to_string(file.bytes) + "}";
    first = false;
  }
  return text + "\n  }\n}\n";
}

std::optional<Manifest> parse_manifest(std::string_view text) {
  try {  // Boost.JSON's checked accessors tell by throwing
    const auto root = json::parse(json::string_view(text.data(), text.size()));
    const auto& object = root.as_object();
    Manifest manifest{
        std::string(object.at("hub").as_string()), std::string(object.at("revision").as_string()), {}};
    for (const auto& [name, file] : object.at("files").as_object()) {
      manifest.files[std::string(name)] = {std::string(file.as_object().at("sha256").as_string()),
                                           file.as_object().at("bytes").to_number<std::uint64_t>()};
    }
    return manifest;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<Manifest> read_manifest(const std::filesystem::path& folder) {
  std::ifstream file(folder / Manifest::kFileName, std::ios::binary);
  if (!file) {
    return std::nullopt;
  }
  return parse_manifest(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace qrerank::proxy::cli

#include "proxy/cli/hub_listing.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <iterator>
#include <set>

namespace qrerank::proxy::cli {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 50;

bool is_hex(std::string_view text, std::size_t length) {
  return text.size() == length &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// A name that stays within the folder it is written to, on every part.
bool is_safe_name(std::string_view name) {
  if (name.empty() || name.size() > 1024 || name.front() == '/') {
    return false;
  }
  for (std::size_t from = 0; from <= name.size();) {
    const auto slash = std::min(name.find('/', from), name.size());
    const auto part = name.substr(from, slash - from);
    if (part.empty() || part == "." || part == "..") {
      return false;
    }
    from = slash + 1;
  }
  return std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '\\'; });
}

bool is_weights(std::string_view name) {
  return name.ends_with(".safetensors");
}

std::string_view text_member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::uint64_t size_member(const json::object& object) {
  const auto* value = object.if_contains("size");
  if (value == nullptr || !value->is_number()) {
    return kMaxFileBytes + 1;
  }
  json::error_code error;
  const auto size = value->to_number<std::uint64_t>(error);
  return error ? kMaxFileBytes + 1 : size;
}

std::vector<std::string> wanted_names(const std::vector<std::string>& names) {
  constexpr std::array kSmall = {"config.json", "tokenizer.json", "tokenizer_config.json",
                                 "special_tokens_map.json",
                                 // How an embedding model makes its vectors.
                                 "modules.json", "1_Pooling/config.json", "sentence_bert_config.json",
                                 "config_sentence_transformers.json"};
  const auto has = [&](std::string_view name) { return std::ranges::find(names, name) != names.end(); };
  std::vector<std::string> wanted;
  std::ranges::copy_if(kSmall, std::back_inserter(wanted), has);
  constexpr std::string_view kIndex = "model.safetensors.index.json";
  if (has("model.safetensors")) {
    wanted.emplace_back("model.safetensors");
    return wanted;
  }
  const bool indexed = has(kIndex);
  if (indexed) {
    wanted.emplace_back(kIndex);
  }
  std::ranges::copy_if(names, std::back_inserter(wanted), [&](std::string_view name) {
    return is_weights(name) && (!indexed || name.starts_with("model-"));
  });
  return wanted;
}

tl::expected<HubFile, std::string> read_file(const json::object& sibling, const std::string& name) {
  HubFile file{name, size_member(sibling), "", ""};
  const auto* lfs = sibling.if_contains("lfs");
  if (lfs != nullptr && lfs->is_object()) {
    file.sha256 = text_member(lfs->get_object(), "sha256");
  } else {
    file.git_sha1 = text_member(sibling, "blobId");
  }
  if (file.bytes > kMaxFileBytes || (!is_hex(file.sha256, 64) && !is_hex(file.git_sha1, 40))) {
    return tl::unexpected("the hub did not tell the size and hash of " + name);
  }
  return file;
}

}  // namespace

tl::expected<HubListing, std::string> read_hub_listing(std::string_view text) {
  json::error_code error;
  const auto root = json::parse(text, error);
  const auto* object = error ? nullptr : root.if_object();
  const auto* siblings_value = object == nullptr ? nullptr : object->if_contains("siblings");
  const auto* siblings = siblings_value == nullptr ? nullptr : siblings_value->if_array();
  if (siblings == nullptr || !is_hex(text_member(*object, "sha"), 40)) {
    return tl::unexpected(std::string("the hub's answer is not a model's description"));
  }
  std::vector<std::string> names;
  std::set<std::string_view> seen;
  for (const auto& sibling : *siblings) {
    const auto* entry = sibling.if_object();
    const auto name = entry == nullptr ? std::string_view() : text_member(*entry, "rfilename");
    if (!is_safe_name(name)) {
      return tl::unexpected(std::string("the hub lists a file with an unsafe name; nothing was downloaded"));
    }
    if (!seen.insert(name).second) {
      return tl::unexpected(std::string("the hub lists a file twice; nothing was downloaded"));
    }
    if (name.find('/') == std::string_view::npos || name == "1_Pooling/config.json") {
      names.emplace_back(name);
    } else {
      names.emplace_back();  // keeps the positions of `siblings`
    }
  }
  HubListing listing{std::string(text_member(*object, "sha")), {}};
  for (const auto& name : wanted_names(names)) {
    const auto at = static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
    auto file = read_file((*siblings)[at].get_object(), name);
    if (!file) {
      return tl::unexpected(file.error());
    }
    listing.files.push_back(*std::move(file));
  }
  for (const std::string_view needed : {"config.json", "tokenizer.json"}) {
    if (std::ranges::find(listing.files, needed, &HubFile::name) == listing.files.end()) {
      return tl::unexpected("this model has no " + std::string(needed) + ", which qrerank needs");
    }
  }
  if (std::ranges::none_of(listing.files, is_weights, &HubFile::name)) {
    return tl::unexpected(std::string("this model has no safetensors weights, which qrerank needs"));
  }
  return listing;
}

bool is_hub_name(std::string_view name) {
  const bool clean = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/';
  });
  return clean && name.size() <= 200 && std::ranges::count(name, '/') <= 1 && !name.starts_with('.') &&
         name.find("/.") == std::string_view::npos && is_safe_name(name);
}

}  // namespace qrerank::proxy::cli

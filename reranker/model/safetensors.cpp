#include "reranker/model/safetensors.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <utility>

#include "reranker/utf8.hpp"

namespace qrerank::reranker::model {
namespace {

using simdjson::dom::element;

constexpr std::size_t kMaxRank = 8;

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 15> kElementBytes{{{"BOOL", 1},
                                                                                    {"U8", 1},
                                                                                    {"I8", 1},
                                                                                    {"F8_E5M2", 1},
                                                                                    {"F8_E4M3", 1},
                                                                                    {"I16", 2},
                                                                                    {"U16", 2},
                                                                                    {"F16", 2},
                                                                                    {"BF16", 2},
                                                                                    {"I32", 4},
                                                                                    {"U32", 4},
                                                                                    {"F32", 4},
                                                                                    {"F64", 8},
                                                                                    {"I64", 8},
                                                                                    {"U64", 8}}};

std::string tensor_text(std::string_view name) {
  return "tensor '" + first_code_points(name, 200) + "'";
}

/// Bytes of a shape, or nothing where that number does not fit.
bool shape_bytes(std::span<const std::int64_t> shape, std::uint64_t element_bytes, std::uint64_t& bytes) {
  bytes = element_bytes;
  for (const auto dimension : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dimension), &bytes)) return false;
  }
  return true;
}

tl::expected<TensorEntry, std::string> read_entry(std::string_view name, element value,
                                                  std::uint64_t data_bytes) {
  const auto bad = [&](const std::string& what) { return tl::unexpected(tensor_text(name) + ": " + what); };
  TensorEntry entry;
  entry.name = name;
  if (!value.is_object()) return bad("expected an object");

  std::string_view dtype;
  if (value["dtype"].get(dtype) != simdjson::SUCCESS) return bad("has no dtype");
  const auto* known = std::find_if(kElementBytes.begin(), kElementBytes.end(),
                                   [&](const auto& d) { return d.first == dtype; });
  if (known == kElementBytes.end()) return bad("unknown dtype '" + first_code_points(dtype, 40) + "'");
  entry.dtype = dtype;

  simdjson::dom::array shape;
  if (value["shape"].get(shape) != simdjson::SUCCESS) return bad("has no shape");
  for (const auto dimension : shape) {
    std::int64_t size = 0;
    if (dimension.get(size) != simdjson::SUCCESS || size < 0) return bad("has a bad dimension in its shape");
    if (entry.shape.size() == kMaxRank) return bad("has more than 8 dimensions");
    entry.shape.push_back(size);
  }

  simdjson::dom::array offsets;
  if (value["data_offsets"].get(offsets) != simdjson::SUCCESS || offsets.size() != 2 ||
      offsets.at(0).get(entry.begin) != simdjson::SUCCESS ||
      offsets.at(1).get(entry.end) != simdjson::SUCCESS) {
    return bad("data_offsets is not a pair of offsets");
  }
  const auto range = "[" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + "]";
  if (entry.begin > entry.end || entry.end > data_bytes) {
    return bad("data_offsets " + range + " outside the file's " + std::to_string(data_bytes) +
               " bytes of data");
  }
  std::uint64_t expected = 0;
  if (!shape_bytes(entry.shape, known->second, expected)) {
    return bad("shape " + shape_text(entry.shape) + " is too large");
  }
  if (expected != entry.end - entry.begin) {
    return bad("shape " + shape_text(entry.shape) + " of " + entry.dtype + " needs " +
               std::to_string(expected) + " bytes, data_offsets " + range + " give " +
               std::to_string(entry.end - entry.begin));
  }
  return entry;
}

/// `tensors` in order of data: each must begin where the one before ended, the last where the data ends.
std::string coverage_error(const std::vector<TensorEntry>& tensors, std::uint64_t data_bytes) {
  std::uint64_t covered = 0;
  for (const auto& tensor : tensors) {
    if (tensor.begin != covered) {
      return tensor_text(tensor.name) +
             (tensor.begin < covered ? " overlaps the one before it" : " follows a hole") + ": begins at " +
             std::to_string(tensor.begin) + ", expected " + std::to_string(covered);
    }
    covered = tensor.end;
  }
  if (covered == data_bytes) return {};
  return "the tensors cover " + std::to_string(covered) + " of the file's " + std::to_string(data_bytes) +
         " bytes of data";
}

}  // namespace

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

tl::expected<std::vector<TensorEntry>, std::string> parse_safetensors_header(std::string_view json,
                                                                             std::uint64_t data_bytes) {
  // simdjson copies what it is given, and an empty view may be null.
  if (json.empty()) return tl::unexpected<std::string>("header is not JSON: empty");
  simdjson::dom::parser parser;
  element root;
  if (const auto error = parser.parse(json.data(), json.size()).get(root)) {
    return tl::unexpected(std::string("header is not JSON: ") + simdjson::error_message(error));
  }
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return tl::unexpected<std::string>("header is not an object");

  std::vector<TensorEntry> tensors;
  std::set<std::string_view> names;
  for (const auto field : object) {
    if (!names.insert(field.key).second) return tl::unexpected(tensor_text(field.key) + " is there twice");
    if (field.key == "__metadata__") {
      if (!field.value.is_object()) return tl::unexpected<std::string>("__metadata__ is not an object");
      continue;
    }
    auto entry = read_entry(field.key, field.value, data_bytes);
    if (!entry) return tl::unexpected(entry.error());
    tensors.push_back(std::move(*entry));
  }
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  if (auto error = coverage_error(tensors, data_bytes); !error.empty()) return tl::unexpected(error);
  return tensors;
}

tl::expected<SafetensorsLayout, std::string> parse_safetensors(std::string_view file) {
  if (file.size() < kHeaderLengthBytes) {
    return tl::unexpected("not a safetensors file: " + std::to_string(file.size()) + " bytes long");
  }
  std::uint64_t length = 0;
  for (std::size_t i = kHeaderLengthBytes; i-- > 0;) {
    length = length << 8U | static_cast<unsigned char>(file[i]);
  }
  const std::uint64_t rest = file.size() - kHeaderLengthBytes;
  if (length > kMaxHeaderBytes || length > rest) {
    return tl::unexpected("header of " + std::to_string(length) + " bytes in a file with " +
                          std::to_string(rest) + " bytes after its length (at most " +
                          std::to_string(kMaxHeaderBytes) + "): cut off, or not a safetensors file");
  }
  auto tensors = parse_safetensors_header(file.substr(kHeaderLengthBytes, length), rest - length);
  if (!tensors) return tl::unexpected(tensors.error());
  return SafetensorsLayout{.tensors = std::move(*tensors), .data_offset = kHeaderLengthBytes + length};
}

}  // namespace qrerank::reranker::model

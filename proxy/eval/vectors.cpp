#include "proxy/eval/vectors.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <regex>
#include <span>
#include <string_view>

#include "proxy/eval/json_lines.hpp"

namespace qrerank::proxy::eval {
namespace {

static_assert(std::endian::native == std::endian::little, "the file's numbers are read as they stand");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxDimensions = 65'536;  // Qdrant's own bound

struct NpyShape {
  std::size_t width = 0;  // bytes of a number
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t begin = 0;  // of the numbers
};

// The header is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 384), }
tl::expected<NpyShape, std::string> read_shape(std::string_view bytes) {
  if (bytes.size() < 12 || !bytes.starts_with(kMagic))
    return tl::unexpected(std::string("not a NumPy file (.npy)"));
  const bool long_header = bytes[6] > 1;
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, long_header ? 4 : 2);
  const std::size_t at = long_header ? 12 : 10;
  if (bytes.size() < at + length) return tl::unexpected(std::string("cut off"));
  const std::string header(bytes.substr(at, length));
  static const std::regex kDescription("'descr'\\s*:\\s*'<f([48])'");
  static const std::regex kRowOrder("'fortran_order'\\s*:\\s*False");
  static const std::regex kShape("'shape'\\s*:\\s*\\(\\s*([0-9]{1,12})\\s*,\\s*([0-9]{1,12})\\s*\\)");
  std::smatch type;
  std::smatch shape;
  if (!std::regex_search(header, type, kDescription) || !std::regex_search(header, kRowOrder) ||
      !std::regex_search(header, shape, kShape)) {
    return tl::unexpected(
        "holds something else than little-endian float32 or float64 numbers in rows and columns: " +
        header.substr(0, header.find_last_not_of(" \n") + 1));
  }
  NpyShape found{type[1] == "4" ? 4u : 8u, std::stoul(shape[1]), std::stoul(shape[2]), at + length};
  if (found.columns == 0 || found.columns > kMaxDimensions)
    return tl::unexpected(fmt::format("vectors of {} dimensions", found.columns));
  if ((bytes.size() - found.begin) / found.columns / found.width != found.rows ||
      (bytes.size() - found.begin) % (found.columns * found.width) != 0) {
    return tl::unexpected(fmt::format("announces {} x {} numbers and holds {}", found.rows, found.columns,
                                      (bytes.size() - found.begin) / found.width));
  }
  return found;
}

template <class Number>
bool append_row(std::string& out, const char* from, std::size_t columns) {
  out = "[";
  for (std::size_t column = 0; column < columns; ++column) {
    Number number = 0;
    std::memcpy(&number, from + column * sizeof(Number), sizeof(Number));
    if (!std::isfinite(number)) return false;
    fmt::format_to(std::back_inserter(out), "{}{}", column == 0 ? "" : ",", number);
  }
  out += ']';
  return true;
}

}  // namespace

tl::expected<std::vector<std::string>, std::string> read_npy(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return tl::unexpected(file.string() + ": " + std::strerror(errno));
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
  const auto shape = read_shape(bytes);
  if (!shape) return tl::unexpected(file.string() + ": " + shape.error());
  std::vector<std::string> rows(shape->rows);
  for (std::size_t row = 0; row < shape->rows; ++row) {
    const char* from = bytes.data() + shape->begin + row * shape->columns * shape->width;
    const bool finite = shape->width == 4 ? append_row<float>(rows[row], from, shape->columns)
                                          : append_row<double>(rows[row], from, shape->columns);
    if (!finite)
      return tl::unexpected(fmt::format("{}: row {} has a number that is not finite", file.string(), row));
  }
  return rows;
}

tl::expected<std::map<std::string, std::string>, std::string> read_vector_lines(
    const std::filesystem::path& file) {
  std::map<std::string, std::string> found;
  const auto read = read_json_lines(file, [&](const boost::json::object& object) -> std::string {
    const auto id = id_member(object, "_id");
    const auto* vector = object.if_contains("vector");
    if (id.empty()) return "_id is missing";
    if (vector == nullptr || !(vector->is_array() || vector->is_object()))
      return "vector is missing, or neither an array nor an object";
    return found.emplace(id, boost::json::serialize(*vector)).second ? "" : "_id " + id + " a second time";
  });
  if (!read) return tl::unexpected(read.error());
  return found;
}

}  // namespace qrerank::proxy::eval

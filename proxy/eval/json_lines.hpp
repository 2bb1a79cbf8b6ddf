// Files of one JSON object a line.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <tl/expected.hpp>

namespace qrerank::proxy::eval {

/// What is wrong with a line, or empty.
using OnObject = std::function<std::string(const boost::json::object& object)>;

/// Calls `on_object` for each line that is not blank. The error is "FILE:LINE: what", the first one ends it.
[[nodiscard]] tl::expected<void, std::string> read_json_lines(const std::filesystem::path& file,
                                                              const OnObject& on_object);

/// A member that is text or a whole number, as text; empty where it is neither or missing.
[[nodiscard]] std::string id_member(const boost::json::object& object, std::string_view name);

}  // namespace qrerank::proxy::eval

// What this build calls itself; the numbers come from CMake.
#pragma once

#include <string_view>

namespace qrerank::proxy {

inline constexpr std::string_view kVersion = QRERANK_VERSION;
inline constexpr bool kWithTorch = QRERANK_WITH_TORCH != 0;

}  // namespace qrerank::proxy

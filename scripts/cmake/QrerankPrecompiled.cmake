# Precompiled headers: most files are short, and most of their compile time went into the same library headers. One set for
# each kind of file, compiled once and shared by all targets (REUSE_FROM); only library headers, ours change too often.
# Every file still names what it uses: a build with CMAKE_DISABLE_PRECOMPILE_HEADERS=ON compiles the same.
set(QRERANK_PRECOMPILED_STD
  <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <cstdint> <cstring> <functional> <limits> <map> <memory>
  <mutex> <optional> <set> <span> <stdexcept> <string> <string_view> <utility> <variant> <vector>
  <tl/expected.hpp> <fmt/format.h>)
set(QRERANK_PRECOMPILED_ASIO
  <boost/asio/awaitable.hpp> <boost/asio/basic_waitable_timer.hpp> <boost/asio/cancellation_signal.hpp>
  <boost/asio/co_spawn.hpp> <boost/asio/experimental/awaitable_operators.hpp> <boost/asio/io_context.hpp>
  <boost/asio/ip/tcp.hpp> <boost/asio/post.hpp> <boost/asio/this_coro.hpp> <boost/asio/use_awaitable.hpp>
  <boost/asio/write.hpp>)
set(QRERANK_PRECOMPILED_TEST <boost/test/unit_test.hpp> <fstream> <random> <thread>)

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Without the time in it, equal inputs give equal files, and ccache knows them again.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()
# Code for programs and for libraries is compiled alike, so that both may use one set.
add_compile_options(-fPIC)

function(qrerank_precompiled_set name)
  cmake_parse_arguments(SET "" "" "HEADERS;LIBS" ${ARGN})
  add_library(qrerank_precompiled_${name} OBJECT "${PROJECT_SOURCE_DIR}/scripts/cmake/precompiled.cpp")
  target_link_libraries(qrerank_precompiled_${name} PRIVATE tl::expected fmt::fmt ${SET_LIBS})
  target_precompile_headers(qrerank_precompiled_${name} PRIVATE ${SET_HEADERS})
endfunction()
qrerank_precompiled_set(room HEADERS ${QRERANK_PRECOMPILED_STD})
qrerank_precompiled_set(room_asio HEADERS ${QRERANK_PRECOMPILED_STD} ${QRERANK_PRECOMPILED_ASIO} LIBS Boost::headers)
if(QRERANK_BUILD_TESTS)
  find_package(Boost 1.81 REQUIRED COMPONENTS unit_test_framework)
  qrerank_precompiled_set(test HEADERS ${QRERANK_PRECOMPILED_STD} ${QRERANK_PRECOMPILED_TEST}
                          LIBS Boost::unit_test_framework)
  qrerank_precompiled_set(test_asio
                          HEADERS ${QRERANK_PRECOMPILED_STD} ${QRERANK_PRECOMPILED_ASIO} ${QRERANK_PRECOMPILED_TEST}
                          LIBS Boost::headers Boost::unit_test_framework)
  foreach(set test test_asio)
    target_compile_definitions(qrerank_precompiled_${set} PRIVATE BOOST_TEST_DYN_LINK)
  endforeach()
endif()

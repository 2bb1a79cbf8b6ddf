# The compiler's side of the house: standard, warnings, hardening, sanitizers, ccache, and the one way to declare a room.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR "g++ ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines; use clang 16 or later (clang++-19 is tested) or g++ 13 or later.")
endif()

find_program(QRERANK_CCACHE ccache)
if(QRERANK_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${QRERANK_CCACHE})
endif()
find_program(QRERANK_LLD NAMES ld.lld-19 ld.lld)
if(QRERANK_LLD AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options("--ld-path=${QRERANK_LLD}")
endif()

# What a memory error must first get past; tests/integration/test_hardening.py reads it from the program.
add_compile_options(-Wall -Wextra -Werror -fstack-protector-strong)
add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
include(CheckCXXCompilerFlag)
foreach(option stack-clash-protection cf-protection=full)  # not on every machine
  string(MAKE_C_IDENTIFIER "QRERANK_HAS_${option}" known)
  check_cxx_compiler_flag("-Werror -f${option}" ${known})
  if(${known})
    add_compile_options(-f${option})
  endif()
endforeach()
if(NOT QRERANK_SANITIZE)
  # Level 3 also checks sizes that are known only while running; it needs optimised code.
  add_compile_options($<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE>
                      $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-D_FORTIFY_SOURCE=3>)
else()
  add_compile_options(-fsanitize=${QRERANK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${QRERANK_SANITIZE})
endif()
if(QRERANK_BUILD_FUZZERS)
  # Coverage of all that a fuzzer links; the loop itself comes with the fuzzers.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
add_compile_definitions(BOOST_ASIO_NO_DEPRECATED)

# qrerank_room(NAME [ASIO] SOURCES… [PUBLIC libs…] [PRIVATE libs…]): a folder of the house as a static library. ASIO: its files use
# Boost.Asio, and take the precompiled headers that have it.
# Includes are written from the repository's root: "reranker/types.hpp", "proxy/route/route.hpp".
function(qrerank_room name)
  cmake_parse_arguments(ROOM "ASIO" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ROOM_SOURCES})
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC tl::expected ${ROOM_PUBLIC} PRIVATE fmt::fmt ${ROOM_PRIVATE})
  if(ROOM_ASIO)
    target_precompile_headers(${name} REUSE_FROM qrerank_precompiled_room_asio)
  else()
    target_precompile_headers(${name} REUSE_FROM qrerank_precompiled_room)
  endif()
endfunction()

# qrerank_test(NAME [ONE_THREAD] [ASIO] SOURCES… LIBS…): one Boost.Test program, run by ctest under the same name. ONE_THREAD: of
# pure rooms, where two threads never meet; ThreadSanitizer has nothing to find there, and CI no time for it. ASIO: as in a room.
function(qrerank_test name)
  cmake_parse_arguments(TEST "ONE_THREAD;ASIO" "" "SOURCES;LIBS" ${ARGN})
  if(TEST_ONE_THREAD AND QRERANK_SANITIZE STREQUAL "thread")
    return()
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_LIBS} fmt::fmt Boost::unit_test_framework)
  target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK QRERANK_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             QRERANK_CACHE_DIR="${QRERANK_CACHE}")
  add_test(NAME ${name} COMMAND ${name} --log_level=warning --report_level=short --color_output=no)
  if(TEST_ASIO)
    target_precompile_headers(${name} REUSE_FROM qrerank_precompiled_test_asio)
  else()
    target_precompile_headers(${name} REUSE_FROM qrerank_precompiled_test)
  endif()
  # The one file with main defines BOOST_TEST_MODULE before it includes Boost.Test.
  foreach(source IN LISTS TEST_SOURCES)
    file(STRINGS "${source}" defined REGEX "define BOOST_TEST_MODULE")
    if(defined)
      set_source_files_properties("${source}" PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
endfunction()

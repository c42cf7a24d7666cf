# Helpers for fjord's own targets: language level, warnings as errors, sanitizers, precompiled LibTorch headers.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
  find_program(FJORD_CCACHE ccache)
  if(FJORD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${FJORD_CCACHE})
  endif()
endif()

# What every target of ours shares.
function(fjord_defaults target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
    -Woverloaded-virtual -Werror -fpch-preprocess -ffp-contract=off)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<INSTALL_INTERFACE:include>")
  if(FJORD_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${FJORD_SANITIZERS} -fno-sanitize-recover=all
      -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${FJORD_SANITIZERS})
  endif()
endfunction()

# fjord_room(NAME [TORCH] SOURCES ... LIBS ...): one folder of src/ as a static library fjord_NAME.
# TORCH gives it LibTorch and the shared precompiled header; without it the room cannot include torch.
function(fjord_room name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;LIBS" ${ARGN})
  add_library(fjord_${name} STATIC ${ARG_SOURCES})
  fjord_defaults(fjord_${name})
  target_link_libraries(fjord_${name} PUBLIC ${ARG_LIBS})
  if(ARG_TORCH)
    target_link_libraries(fjord_${name} PUBLIC fjord::torch)
    fjord_use_pch(fjord_${name})
  endif()
  set_property(GLOBAL APPEND PROPERTY FJORD_ROOMS fjord_${name})
endfunction()

function(fjord_use_pch target)
  if(NOT TARGET fjord_pch)
    add_library(fjord_pch STATIC "${PROJECT_SOURCE_DIR}/src/core/torch_pch.cpp")
    fjord_defaults(fjord_pch)
    target_link_libraries(fjord_pch PRIVATE fjord::torch)
    target_precompile_headers(fjord_pch PRIVATE "${PROJECT_SOURCE_DIR}/src/core/torch_pch.h")
  endif()
  target_precompile_headers(${target} REUSE_FROM fjord_pch)
endfunction()

# Test code computes little and is compiled more often than it runs: without optimisation that takes half the time.
function(fjord_test_defaults target)
  fjord_defaults(${target})
  target_compile_options(${target} PRIVATE -O0)
endfunction()

# How sanitizers treat test programs.
set(FJORD_TEST_ENVIRONMENT
  "ASAN_OPTIONS=detect_leaks=1:detect_odr_violation=0;UBSAN_OPTIONS=print_stacktrace=1;LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp;TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp:ignore_noninstrumented_modules=1")

# fjord_test(NAME [TORCH] SOURCES ... LIBS ...): one test program test_NAME, one ctest entry NAME.
function(fjord_test name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;LIBS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  fjord_test_defaults(test_${name})
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(test_${name} PRIVATE FJORD_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    FJORD_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
  target_link_libraries(test_${name} PRIVATE ${ARG_LIBS} GTest::gmock GTest::gtest_main)
  if(ARG_TORCH)
    target_link_libraries(test_${name} PRIVATE fjord::torch)
    target_precompile_headers(test_${name} REUSE_FROM fjord_test_pch)
  endif()
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 1200 ENVIRONMENT "${FJORD_TEST_ENVIRONMENT}")
endfunction()

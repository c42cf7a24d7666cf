# Makes the imported target fjord::torch: LibTorch's headers, libtorch_cpu and libc10, nothing else.
# Searched: Torch_DIR, CMAKE_PREFIX_PATH, then what scripts/setup.sh installs in .deps/libtorch.
# find_package(Torch) is not used: with the PyPI wheel it asks for a CUDA toolkit and links libtorch_cuda.

find_library(FJORD_TORCH_CPU_LIBRARY torch_cpu
  HINTS "${Torch_DIR}/../../../lib" "${PROJECT_SOURCE_DIR}/.deps/libtorch/torch/lib" PATH_SUFFIXES lib torch/lib)
if(NOT FJORD_TORCH_CPU_LIBRARY)
  message(FATAL_ERROR "LibTorch was not found. Run scripts/setup.sh, or set CMAKE_PREFIX_PATH to a LibTorch folder.")
endif()
get_filename_component(_torch_lib "${FJORD_TORCH_CPU_LIBRARY}" DIRECTORY)
get_filename_component(FJORD_TORCH_ROOT "${_torch_lib}/.." ABSOLUTE)
if(NOT EXISTS "${FJORD_TORCH_ROOT}/include/ATen/ATen.h")
  message(FATAL_ERROR "${FJORD_TORCH_ROOT} has libtorch_cpu but no headers (include/ATen/ATen.h).")
endif()
message(STATUS "LibTorch: ${FJORD_TORCH_ROOT}")

add_library(fjord_torch INTERFACE IMPORTED)
add_library(fjord::torch ALIAS fjord_torch)
target_include_directories(fjord_torch SYSTEM INTERFACE "${FJORD_TORCH_ROOT}/include")
target_link_directories(fjord_torch INTERFACE "${_torch_lib}")
target_link_libraries(fjord_torch INTERFACE "${_torch_lib}/libtorch_cpu.so" "${_torch_lib}/libc10.so")
# The OpenMP runtime that LibTorch brings, or the compiler's: one pool of threads in a process.
find_library(FJORD_GOMP_LIBRARY NAMES libgomp.so.1 HINTS "${_torch_lib}" NO_DEFAULT_PATH)
if(FJORD_GOMP_LIBRARY)
  target_link_libraries(fjord_torch INTERFACE "${FJORD_GOMP_LIBRARY}")
else()
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  target_link_libraries(fjord_torch INTERFACE OpenMP::OpenMP_CXX)
endif()
# libtorch_cpu.so finds cudart and cupti through its own run path; the linker need not look for them.
target_link_options(fjord_torch INTERFACE -Wl,--allow-shlib-undefined)

# The CUDA kernels, compiled by nvcc through commands of our own: one front-end run gives the code of several GPUs, what
# ptxas says is kept for the tests, and CMake needs no CUDA language (which asks for a GPU or a list of its own).
# FJORD_CUDA: AUTO (where nvcc is found), ON, OFF.
set(FJORD_CUDA AUTO CACHE STRING "Build the CUDA kernels and the plug-in: AUTO, ON or OFF")
set(FJORD_CUDA_BUILD "${PROJECT_BINARY_DIR}/cuda")

find_program(FJORD_NVCC nvcc HINTS ENV CUDA_HOME /usr/local/cuda PATH_SUFFIXES bin)
if(FJORD_CUDA STREQUAL "AUTO")
  set(FJORD_BUILD_CUDA OFF)
  if(FJORD_NVCC AND NOT FJORD_SANITIZE)
    set(FJORD_BUILD_CUDA ON)
  endif()
else()
  set(FJORD_BUILD_CUDA ${FJORD_CUDA})
endif()
if(FJORD_BUILD_CUDA AND NOT FJORD_NVCC)
  message(FATAL_ERROR "FJORD_CUDA is ON and nvcc (CUDA 13) was not found. Set CUDA_HOME or FJORD_NVCC.")
endif()
if(FJORD_BUILD_CUDA)
  message(STATUS "CUDA kernels: ${FJORD_NVCC}")
endif()

# Every GPU from compute capability 8.0 on: code for those that are there, PTX for those to come.
set(FJORD_CUDA_PORTABLE "-gencode=arch=compute_80,code=[sm_80,sm_86,sm_89,sm_90,compute_80]")
# Instructions that only Hopper has.
set(FJORD_CUDA_HOPPER "-gencode=arch=compute_90a,code=sm_90a")

# fjord_cuda_object(SOURCE GPUS OUT): adds the object file of a .cu file of the current folder to the list OUT.
function(fjord_cuda_object source gpus out)
  get_filename_component(name ${source} NAME_WE)
  set(object "${FJORD_CUDA_BUILD}/${name}.o")
  add_custom_command(OUTPUT "${object}" BYPRODUCTS "${FJORD_CUDA_BUILD}/${name}.ptxas"
    COMMAND "${PROJECT_SOURCE_DIR}/cmake/nvcc.sh" "${FJORD_CUDA_BUILD}/${name}.ptxas" "${FJORD_NVCC}" -c
      "${CMAKE_CURRENT_SOURCE_DIR}/${source}" -o "${object}" -std=c++20 -O3 ${gpus} -Xptxas=-v --threads=2
      -Xcompiler=-fPIC,-fvisibility=hidden -ccbin "${CMAKE_CXX_COMPILER}" "-I${PROJECT_SOURCE_DIR}/src"
      -MD -MF "${object}.d"
    DEPENDS "${source}" "${PROJECT_SOURCE_DIR}/cmake/nvcc.sh" DEPFILE "${object}.d"
    COMMENT "nvcc ${source}" VERBATIM)
  set(${out} ${${out}} "${object}" PARENT_SCOPE)
endfunction()

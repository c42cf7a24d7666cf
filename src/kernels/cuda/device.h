// What lets the body of a kernel be compiled by nvcc for a GPU and by a C++ compiler for the emulator of the tests.
#pragma once

#if defined(__CUDACC__)
#define FJORD_DEVICE __device__ __forceinline__
#define FJORD_BOTH __host__ __device__ __forceinline__
#define FJORD_UNROLL _Pragma("unroll")
#else
#define FJORD_DEVICE inline
#define FJORD_BOTH inline
#define FJORD_UNROLL
#endif

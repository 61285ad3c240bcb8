// 16-lane kernels for AVX-512: a vector is one of 32 registers.

#include "gossamer_kernels.h"

#if defined(__x86_64__)

#include <string.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)

#define ISA avx512
#define GSM_ISA GSM_ISA_AVX512
#define VECTOR_FLOATS 16
#define TILE_ROWS 4
#include "lanes16.inc"

#pragma clang attribute pop

#endif

// 16-lane kernels for AVX2 and FMA: a vector is two of 16 registers.

#include "gossamer_kernels.h"

#if defined(__x86_64__)

#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define ISA avx2
#define GSM_ISA GSM_ISA_AVX2
#define VECTOR_FLOATS 8
#define TILE_ROWS 3
#include "lanes16.inc"

#pragma clang attribute pop

#endif

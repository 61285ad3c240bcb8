#include "elements_tables.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)
#define GSM_MASKED_VECTORS
#define GSM_ELEMENTS_ISA GSM_ISA_AVX512
#define GSM_ELEMENTS_TABLE gsm_elements_avx512
#include "elements.inc"
#pragma clang attribute pop
#endif

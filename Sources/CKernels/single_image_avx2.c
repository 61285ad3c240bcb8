#include "gossamer_kernels.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define GSM_ISA_ROW GSM_ISA_AVX2
#define GSM_FLOATS 8
#define GSM_REGISTERS 16
#define GSM_NAME(x) x##_avx2
#define GSM_LABEL "avx2"
#define GSM_MASKED

static inline __attribute__((always_inline)) __m256i gsm_lanes_below(int64_t end) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)end), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline __attribute__((always_inline)) __m256 gsm_load_lanes(const float *p, int64_t first, int64_t end) {
    return _mm256_maskload_ps(p, _mm256_andnot_si256(gsm_lanes_below(first), gsm_lanes_below(end)));
}

static inline __attribute__((always_inline)) void gsm_store_lanes(float *p, __m256 v, int64_t count) {
    _mm256_maskstore_ps(p, gsm_lanes_below(count), v);
}

#include "single_image.inc"
#include "single_image_winograd.inc"

#pragma clang attribute pop
#endif

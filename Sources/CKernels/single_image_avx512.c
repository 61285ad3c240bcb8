#include "gossamer_kernels.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)

#define GSM_ISA_ROW GSM_ISA_AVX512
#define GSM_FLOATS 16
#define GSM_REGISTERS 32
#define GSM_NAME(x) x##_avx512
#define GSM_LABEL "avx512"
#define GSM_MASKED

static inline __attribute__((always_inline)) __m512 gsm_load_lanes(const float *p, int64_t first, int64_t end) {
    __mmask16 mask = (__mmask16)((1u << end) - (1u << first));
    return _mm512_maskz_loadu_ps(mask, p);
}

static inline __attribute__((always_inline)) void gsm_store_lanes(float *p, __m512 v, int64_t count) {
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), v);
}

#define GSM_EXPANDED

/// The floats at p, moved in order to the lanes in the mask; reads a whole vector. From memory the instruction is slow.
static inline __attribute__((always_inline)) __m512 gsm_expand(const float *p, unsigned mask) {
    __m512 floats = _mm512_loadu_ps(p);
    __asm__("" : "+v"(floats));
    return _mm512_maskz_expand_ps((__mmask16)mask, floats);
}

#include "single_image.inc"
#include "single_image_outputs.inc"
#include "single_image_fours.inc"
#include "single_image_eights.inc"
#include "single_image_subimages.inc"
#include "single_image_winograd.inc"

#pragma clang attribute pop
#endif

#include "elements_tables.h"

const gsm_element_kernels *gsm_elements_for(gsm_isa isa) {
    if (!gsm_isa_supported(isa)) return NULL;
    switch (isa) {
    case GSM_ISA_SCALAR: return &gsm_elements_scalar;
#if defined(__x86_64__)
    case GSM_ISA_AVX2: return &gsm_elements_avx2;
    case GSM_ISA_AVX512: return &gsm_elements_avx512;
#elif defined(__aarch64__)
    case GSM_ISA_NEON: return &gsm_elements_neon;
#endif
    default: return NULL;
    }
}

const gsm_element_kernels *gsm_elements(void) { return gsm_elements_for(gsm_available_isa()); }

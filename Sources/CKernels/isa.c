#include "gossamer_kernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"scalar", "neon", "avx2", "avx512"};

const char *gsm_isa_name(gsm_isa isa) { return names[isa]; }

static gsm_isa detect(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        return GSM_ISA_AVX512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return GSM_ISA_AVX2;
#elif defined(__aarch64__)
    return GSM_ISA_NEON;
#endif
    return GSM_ISA_SCALAR;
}

/// Unknown names do not cap; the command refuses them (InstructionSet.swift).
static gsm_isa capped(gsm_isa detected) {
    const char *cap = getenv("GOSSAMER_ISA");
    if (cap == NULL) return detected;
    for (int isa = 0; isa < 4; isa++) {
        if (strcmp(cap, names[isa]) == 0) {
            bool families_differ = (isa == GSM_ISA_NEON) != (detected == GSM_ISA_NEON) && isa != GSM_ISA_SCALAR;
            if (families_differ) return GSM_ISA_SCALAR;
            return isa < (int)detected ? (gsm_isa)isa : detected;
        }
    }
    return detected;
}

gsm_isa gsm_available_isa(void) {
    static _Atomic int known = -1;
    int isa = atomic_load_explicit(&known, memory_order_relaxed);
    if (isa < 0) {
        isa = (int)capped(detect());
        atomic_store_explicit(&known, isa, memory_order_relaxed);
    }
    return (gsm_isa)isa;
}

bool gsm_isa_supported(gsm_isa isa) {
    if (isa == GSM_ISA_SCALAR) return true;
    gsm_isa available = gsm_available_isa();
    // NEON and AVX are different families: capping one machine to the other's name leaves the plain kernels.
    if (isa == GSM_ISA_NEON) return available == GSM_ISA_NEON;
    return available >= isa && available != GSM_ISA_NEON;
}

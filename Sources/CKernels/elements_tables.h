#pragma once

#include "gossamer_elements.h"

extern const gsm_element_kernels gsm_elements_scalar, gsm_elements_avx2, gsm_elements_avx512, gsm_elements_neon;

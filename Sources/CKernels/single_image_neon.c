#include "gossamer_kernels.h"

#include <string.h>

#if defined(__aarch64__)

#define GSM_ISA_ROW GSM_ISA_NEON
#define GSM_FLOATS 4
#define GSM_REGISTERS 32
#define GSM_NAME(x) x##_neon
#define GSM_LABEL "neon"

#include "single_image.inc"
#include "single_image_winograd.inc"

#endif

#include "gossamer_kernels.h"

#include <string.h>

// The compiler's baseline, which on x86-64 and 64-bit ARM has vectors of four floats.
#define GSM_ISA_ROW GSM_ISA_SCALAR
#define GSM_FLOATS 4
#define GSM_REGISTERS 16
#define GSM_NAME(x) x##_scalar
#define GSM_LABEL "scalar"

#include "single_image.inc"
#include "single_image_winograd.inc"

// 16-lane kernels for NEON: a vector is four of 32 registers.

#include "gossamer_kernels.h"

#if defined(__aarch64__)

#include <string.h>

#define ISA neon
#define GSM_ISA GSM_ISA_NEON
#define VECTOR_FLOATS 4
#define TILE_ROWS 4
#include "lanes16.inc"

#endif

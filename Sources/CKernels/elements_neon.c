#include "elements_tables.h"

#include <math.h>
#include <string.h>

#if defined(__aarch64__)
#define GSM_ELEMENTS_ISA GSM_ISA_NEON
#define GSM_ELEMENTS_TABLE gsm_elements_neon
#include "elements.inc"
#endif

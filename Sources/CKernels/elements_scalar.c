#include "elements_tables.h"

#include <math.h>
#include <string.h>

#define GSM_ELEMENTS_ISA GSM_ISA_SCALAR
#define GSM_ELEMENTS_TABLE gsm_elements_scalar
#include "elements.inc"

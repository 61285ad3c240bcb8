// The weight gradients of lanes16_avx512.c.

#define LANES16_WEIGHT_GRADIENTS
#include "lanes16_avx512.c"

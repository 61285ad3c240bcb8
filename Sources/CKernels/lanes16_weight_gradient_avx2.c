// The weight gradients of lanes16_avx2.c.

#define LANES16_WEIGHT_GRADIENTS
#include "lanes16_avx2.c"

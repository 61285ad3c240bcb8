// The weight gradients of lanes16_neon.c.

#define LANES16_WEIGHT_GRADIENTS
#include "lanes16_neon.c"

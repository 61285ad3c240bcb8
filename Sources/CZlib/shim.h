#pragma once
#include <zlib.h>

// zlib offers this as a macro, which Swift does not import.
static inline int gsm_inflate_init2(z_streamp stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

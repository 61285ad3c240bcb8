#include "gossamer_kernels.h"

#include <string.h>

/// The size of the largest aligned groups of rows that are the same: the greatest common divisor of all places where a
/// row differs from the one before.
static int32_t shared_rows(const int32_t *starts, const uint16_t *columns, int32_t count) {
    int32_t shared = GSM_SHARED_BY_ALL;
    for (int32_t row = 1; row < count && shared > 1; row++) {
        int32_t length = starts[row + 1] - starts[row];
        bool same = starts[row] - starts[row - 1] == length &&
                    memcmp(columns + starts[row - 1], columns + starts[row], length * sizeof *columns) == 0;
        for (int32_t rest = same ? 0 : row; rest != 0;) {
            int32_t next = shared % rest;
            shared = rest, rest = next;
        }
    }
    return shared;
}

void gsm_find_shared(gsm_convolution *s) {
    s->shared_outputs = shared_rows(s->row_starts, s->inputs, s->output_channels);
    s->shared_inputs = s->column_starts ? shared_rows(s->column_starts, s->column_outputs, s->input_channels) : 1;
}

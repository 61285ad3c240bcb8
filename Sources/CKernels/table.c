#include "gossamer_kernels.h"

#define ROW(name) extern const gsm_convolution_kernel name;
#include "convolution_rows.inc"
#undef ROW

static const gsm_convolution_kernel *const rows[] = {
#define ROW(name) &name,
#include "convolution_rows.inc"
#undef ROW
};

const gsm_convolution_kernel *const *gsm_convolution_kernels(size_t *count) {
    *count = sizeof rows / sizeof rows[0];
    return rows;
}

const gsm_convolution_kernel *gsm_select_convolution_kernel(gsm_operation operation, const gsm_convolution *shape) {
    size_t count;
    const gsm_convolution_kernel *const *kernels = gsm_convolution_kernels(&count);
    for (size_t i = 0; i < count; i++) {
        const gsm_convolution_kernel *kernel = kernels[i];
        bool lanes_fit = kernel->lanes == 0 || kernel->lanes == shape->lanes;
        if (kernel->operation == operation && lanes_fit && gsm_isa_supported(kernel->isa) &&
            kernel->declines(shape) == NULL) {
            return kernel;
        }
    }
    return NULL;  // unreachable: the reference declines nothing
}

// The ground truth: plain loops over connections and taps, sums in double, any lanes and shape.

#include "gossamer_kernels.h"

static const char *accepts_all(const gsm_convolution *shape) {
    (void)shape;
    return NULL;
}

static size_t none(const gsm_convolution *shape) {
    (void)shape;
    return 0;
}

static void pack_nothing(const gsm_convolution *shape, const float *weights, float *packed) {
    (void)shape, (void)weights, (void)packed;
}

static inline bool inside(int32_t index, int32_t count) { return index >= 0 && index < count; }

// Forward: a unit is one channel of one block.

static int64_t forward_units(const gsm_convolution_call *call) {
    return (int64_t)call->block_count * call->shape->output_channels;
}

/// What one connection adds to one lane of one output pixel.
static double forward_taps(const gsm_convolution *s, const float *image, const float *weights, int32_t row,
                           int32_t column, int32_t lane) {
    double sum = 0;
    for (int32_t kh = 0; kh < s->kernel_height; kh++) {
        int32_t y = row * s->stride_height + kh - s->padding_top;
        if (!inside(y, s->input_height)) continue;
        for (int32_t kw = 0; kw < s->kernel_width; kw++) {
            int32_t x = column * s->stride_width + kw - s->padding_left;
            if (!inside(x, s->input_width)) continue;
            sum += (double)weights[kh * s->kernel_width + kw] *
                   image[y * s->input_row_pitch + (int64_t)x * s->lanes + lane];
        }
    }
    return sum;
}

static void forward_pixel(const gsm_convolution_call *call, int64_t block, int32_t o, int32_t row, int32_t column) {
    const gsm_convolution *s = call->shape;
    const float *input = call->input + block * s->input_block_pitch;
    int64_t pixel = block * s->output_block_pitch + o * s->output_channel_pitch + row * s->output_row_pitch +
                    (int64_t)column * s->lanes;
    int64_t taps = (int64_t)s->kernel_height * s->kernel_width;
    for (int32_t lane = 0; lane < s->lanes; lane++) {
        double sum = call->bias ? call->bias[o] : 0;
        for (int32_t e = s->row_starts[o]; e < s->row_starts[o + 1]; e++) {
            sum += forward_taps(s, input + s->inputs[e] * s->input_channel_pitch, call->weights + e * taps, row,
                                column, lane);
        }
        if (call->addend) sum += call->addend[pixel + lane];
        float result = (float)sum, low = call->bounds.low, high = call->bounds.high;
        call->output[pixel + lane] = result < low ? low : result > high ? high : result;
    }
}

static void forward_run(const gsm_convolution_call *call, int64_t begin, int64_t end, float *workspace) {
    (void)workspace;
    const gsm_convolution *s = call->shape;
    for (int64_t unit = begin; unit < end; unit++) {
        int64_t block = unit / s->output_channels;
        int32_t o = (int32_t)(unit % s->output_channels);
        for (int32_t row = 0; row < s->output_height; row++) {
            for (int32_t column = 0; column < s->output_width; column++) forward_pixel(call, block, o, row, column);
        }
    }
}

// Input gradient: a unit is one input channel of one block.

static int64_t input_gradient_units(const gsm_convolution_call *call) {
    return (int64_t)call->block_count * call->shape->input_channels;
}

/// What one connection passes back to one lane of one input pixel.
static double input_gradient_taps(const gsm_convolution *s, const float *gradient, const float *weights, int32_t y,
                                  int32_t x, int32_t lane) {
    double sum = 0;
    for (int32_t kh = 0; kh < s->kernel_height; kh++) {
        int32_t from_top = y + s->padding_top - kh;
        int32_t row = from_top / s->stride_height;
        if (from_top % s->stride_height != 0 || !inside(row, s->output_height)) continue;
        for (int32_t kw = 0; kw < s->kernel_width; kw++) {
            int32_t from_left = x + s->padding_left - kw;
            int32_t column = from_left / s->stride_width;
            if (from_left % s->stride_width != 0 || !inside(column, s->output_width)) continue;
            sum += (double)weights[kh * s->kernel_width + kw] *
                   gradient[row * s->output_row_pitch + (int64_t)column * s->lanes + lane];
        }
    }
    return sum;
}

static void input_gradient_pixel(const gsm_convolution_call *call, int64_t block, int32_t i, int32_t y, int32_t x) {
    const gsm_convolution *s = call->shape;
    const float *gradient = call->output_gradient + block * s->output_block_pitch;
    float *result = call->input_gradient + block * s->input_block_pitch + i * s->input_channel_pitch +
                    y * s->input_row_pitch + (int64_t)x * s->lanes;
    int64_t taps = (int64_t)s->kernel_height * s->kernel_width;
    for (int32_t lane = 0; lane < s->lanes; lane++) {
        double sum = call->accumulate ? result[lane] : 0;
        for (int32_t e = s->column_starts[i]; e < s->column_starts[i + 1]; e++) {
            sum += input_gradient_taps(s, gradient + s->column_outputs[e] * s->output_channel_pitch,
                                       call->weights + s->column_connections[e] * taps, y, x, lane);
        }
        result[lane] = (float)sum;
    }
}

static void input_gradient_run(const gsm_convolution_call *call, int64_t begin, int64_t end, float *workspace) {
    (void)workspace;
    const gsm_convolution *s = call->shape;
    for (int64_t unit = begin; unit < end; unit++) {
        int64_t block = unit / s->input_channels;
        int32_t i = (int32_t)(unit % s->input_channels);
        for (int32_t y = 0; y < s->input_height; y++) {
            for (int32_t x = 0; x < s->input_width; x++) input_gradient_pixel(call, block, i, y, x);
        }
    }
}

// Weight gradient: a unit is one output channel.

static int64_t weight_gradient_units(const gsm_convolution_call *call) { return call->shape->output_channels; }

/// The gradient of one weight of the connection from `input` to `gradient`, both channels of block 0.
static double weight_gradient_tap(const gsm_convolution_call *call, const float *input, const float *gradient,
                                  int32_t kh, int32_t kw) {
    const gsm_convolution *s = call->shape;
    double sum = 0;
    for (int64_t block = 0; block < call->block_count; block++) {
        for (int32_t row = 0; row < s->output_height; row++) {
            int32_t y = row * s->stride_height + kh - s->padding_top;
            if (!inside(y, s->input_height)) continue;
            for (int32_t column = 0; column < s->output_width; column++) {
                int32_t x = column * s->stride_width + kw - s->padding_left;
                if (!inside(x, s->input_width)) continue;
                const float *a = input + block * s->input_block_pitch + y * s->input_row_pitch + (int64_t)x * s->lanes;
                const float *b = gradient + block * s->output_block_pitch + row * s->output_row_pitch +
                                 (int64_t)column * s->lanes;
                for (int32_t lane = 0; lane < s->lanes; lane++) sum += (double)a[lane] * b[lane];
            }
        }
    }
    return sum;
}

static void weight_gradient_run(const gsm_convolution_call *call, int64_t begin, int64_t end, float *workspace) {
    (void)workspace;
    const gsm_convolution *s = call->shape;
    int64_t taps = (int64_t)s->kernel_height * s->kernel_width;
    for (int64_t o = begin; o < end; o++) {
        const float *gradient = call->output_gradient + o * s->output_channel_pitch;
        for (int32_t e = s->row_starts[o]; e < s->row_starts[o + 1]; e++) {
            const float *input = call->input + s->inputs[e] * s->input_channel_pitch;
            for (int64_t tap = 0; tap < taps; tap++) {
                call->weight_gradient[e * taps + tap] =
                    (float)weight_gradient_tap(call, input, gradient, (int32_t)(tap / s->kernel_width),
                                               (int32_t)(tap % s->kernel_width));
            }
        }
    }
}

#define REFERENCE(operation_, units, run_)                                                                       \
    {                                                                                                            \
        .name = "reference", .operation = operation_, .isa = GSM_ISA_SCALAR, .lanes = 0, .declines = accepts_all, \
        .packed_count = none, .pack = pack_nothing, .workspace_count = none, .unit_count = units, .run = run_    \
    }

const gsm_convolution_kernel gsm_forward_reference =
    REFERENCE(GSM_CONVOLUTION_FORWARD, forward_units, forward_run);
const gsm_convolution_kernel gsm_input_gradient_reference =
    REFERENCE(GSM_CONVOLUTION_INPUT_GRADIENT, input_gradient_units, input_gradient_run);
const gsm_convolution_kernel gsm_weight_gradient_reference =
    REFERENCE(GSM_CONVOLUTION_WEIGHT_GRADIENT, weight_gradient_units, weight_gradient_run);

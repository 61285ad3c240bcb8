// Compares every convolution kernel that the machine runs with the plain reference, on random cases. It needs no
// Swift, so that it can be compiled for another processor and run under an emulator: see test-neon.sh.
//
//   check-kernels [cases] [first case]

#include "gossamer_kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static int below(int bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int)((state >> 33) % (uint64_t)bound);
}

static float *floats(size_t count) {
    void *room = NULL;  // no more than was asked for, so that a sanitizer sees what lies beyond
    if (posix_memalign(&room, 64, count * sizeof(float)) != 0) abort();
    float *result = room;
    for (size_t i = 0; i < count; i++) result[i] = (float)(below(2001) - 1000) * 1e-3f;
    return result;
}

/// Kernel, stride, padding and sizes along one axis.
static void draw_axis(int32_t *kernel, int32_t *stride, int32_t *padding, int32_t *input, int32_t *output) {
    int same = below(2);
    *padding = same ? (*kernel - 1) / 2 : below(*kernel + 2);
    int after = same ? *kernel - 1 - *padding : below(*kernel + 2);
    if (*input + *padding + after < *kernel) after = *kernel - *input - *padding;
    *output = (*input + *padding + after - *kernel) / *stride + 1;
}

static void draw_table(gsm_convolution *s) {
    int32_t *starts = calloc(s->output_channels + 1, 4);
    uint16_t *inputs = malloc(s->output_channels * s->input_channels * sizeof *inputs);
    int32_t *columns = calloc(s->input_channels + 2, 4), count = 0, kind = below(4), wanted = 1 + below(10);
    const int block = below(2) ? 4 : 32;
    for (int o = 0; o < s->output_channels; o++) {
        if (kind == 1 && o % block != 0) {  // groups of outputs with the same inputs
            int length = starts[o] - starts[o - 1];
            memcpy(inputs + count, inputs + starts[o - 1], length * sizeof *inputs);
            count += length;
        } else {
            if (kind == 3) inputs[count++] = below(s->input_channels);  // depthwise
            for (int i = 0; kind != 3 && i < s->input_channels; i++) {
                if (kind == 0 || below(10) < wanted) inputs[count++] = i;
            }
        }
        starts[o + 1] = count;
    }
    uint16_t *outputs = malloc((count + 1) * sizeof *outputs);
    int32_t *connections = malloc((count + 1) * 4);
    for (int e = 0; e < count; e++) columns[inputs[e] + 2]++;
    for (int i = 0; i < s->input_channels; i++) columns[i + 2] += columns[i + 1];
    for (int o = 0; o < s->output_channels; o++) {
        for (int e = starts[o]; e < starts[o + 1]; e++) {
            int position = columns[inputs[e] + 1]++;
            outputs[position] = o, connections[position] = e;
        }
    }
    s->row_starts = starts, s->inputs = inputs, s->column_starts = columns;
    s->column_outputs = outputs, s->column_connections = connections;
    gsm_find_shared(s);
}

static gsm_convolution draw_shape(void) {
    static const int kernels[][2] = {{1, 1}, {3, 3}, {3, 3}, {5, 5}, {7, 7}, {1, 7}, {7, 1}, {1, 3}, {3, 1}, {2, 4}};
    const int *kernel = kernels[below(10)];
    int stride = below(2) ? 1 : 1 + below(3);
    int area = kernel[0] * kernel[1], many = area > 10 ? 3000 / area : 300;  // no case of minutes under sanitizers
    gsm_convolution s = {.lanes = below(4) ? 16 : 1, .kernel_height = kernel[0], .kernel_width = kernel[1],
                         .stride_height = stride, .stride_width = stride, .input_height = 1 + below(15),
                         .input_width = 1 + below(below(5) ? 18 : 80), .input_channels = 1 + below(below(8) ? 9 : many),
                         .output_channels = 1 + below(area == 1 && below(6) == 0 ? 80 : 11)};
    if (below(6) == 0) {
        s.input_height = s.kernel_height, s.input_width = s.kernel_width, s.output_height = s.output_width = 1;
    } else {
        draw_axis(&s.kernel_height, &s.stride_height, &s.padding_top, &s.input_height, &s.output_height);
        draw_axis(&s.kernel_width, &s.stride_width, &s.padding_left, &s.input_width, &s.output_width);
    }
    s.input_row_pitch = s.input_width * s.lanes, s.output_row_pitch = s.output_width * s.lanes;
    s.input_channel_pitch = s.input_height * s.input_row_pitch;
    s.output_channel_pitch = s.output_height * s.output_row_pitch;
    s.input_block_pitch = (s.input_channels * s.input_channel_pitch + 15) / 16 * 16;
    s.output_block_pitch = (s.output_channels * s.output_channel_pitch + 15) / 16 * 16;
    draw_table(&s);
    return s;
}

/// Runs one kernel into `result`, which starts as `before`.
static void run(const gsm_convolution_kernel *k, gsm_convolution_call call, const float *before, float *result,
                size_t count) {
    memcpy(result, before, count * 4);
    float *packed = floats(k->packed_count(call.shape)), *workspace = floats(k->workspace_count(call.shape));
    k->pack(call.shape, call.weights, packed);
    call.packed = packed, call.output = result, call.input_gradient = result, call.weight_gradient = result;
    int64_t units = k->unit_count(&call);
    for (int64_t unit = units - 1; unit >= 0; unit--) k->run(&call, unit, unit + 1, workspace);
    free(packed), free(workspace);
}

static double largest_of(const float *values, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(values[i]));
    return largest;
}

/// The largest difference, in units of `scale`.
static double error_of(const float *a, const float *b, size_t count, double scale) {
    double error = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)a[i] - b[i]);
        if (!(difference <= error)) error = difference;
    }
    return scale > 0 ? error / scale : error;
}

static int check_case(int number, int *checked) {
    state = (uint64_t)number * 2654435761u + 1;
    for (int i = 0; i < 4; i++) below(2);
    gsm_convolution s = draw_shape();
    gsm_convolution_call call = {.shape = &s, .block_count = 1 + below(6), .accumulate = below(2),
                                 .bounds = {-INFINITY, INFINITY}};
    if (below(2)) call.bounds.low = 0;
    if (below(2)) call.bounds.high = 0.5f;
    size_t weights = (size_t)s.row_starts[s.output_channels] * s.kernel_height * s.kernel_width;
    size_t counts[3] = {call.block_count * s.output_block_pitch, call.block_count * s.input_block_pitch, weights};
    float *in = floats(counts[1]), *out = floats(counts[0]), *w = floats(weights), *bias = floats(s.output_channels);
    call.input = in, call.output_gradient = out, call.weights = w, call.bias = below(2) ? bias : NULL;
    float *addend = floats(counts[0]);
    call.addend = below(2) ? addend : NULL;
    size_t rows;
    int failures = 0;
    const gsm_convolution_kernel *const *kernels = gsm_convolution_kernels(&rows);
    for (int operation = 0; operation < 3; operation++) {
        float *before = floats(counts[operation]), *expected = floats(counts[operation]);
        float *result = floats(counts[operation]);
        // Rounding is that of the sums before bounds cut them.
        gsm_convolution_call unbounded = call;
        unbounded.bounds = (gsm_bounds){-INFINITY, INFINITY};
        run(kernels[rows - 3 + operation], unbounded, before, expected, counts[operation]);
        double scale = largest_of(expected, counts[operation]);
        run(kernels[rows - 3 + operation], call, before, expected, counts[operation]);
        for (size_t i = 0; i + 3 < rows; i++) {
            const gsm_convolution_kernel *k = kernels[i];
            if (k->operation != (gsm_operation)operation || !gsm_isa_supported(k->isa)) continue;
            if ((k->lanes != 0 && k->lanes != s.lanes) || k->declines(&s) != NULL) continue;
            run(k, call, before, result, counts[operation]);
            double error = error_of(result, expected, counts[operation], scale);
            (*checked)++;
            // Weight gradients may cancel: their error is measured against the largest here, not each sum's terms.
            if (error < (operation == 2 ? 1e-4 : 1e-5)) continue;
            printf("case %d: %s is off by %g\n", number, k->name, error), failures++;
        }
        free(before), free(expected), free(result);
    }
    free(in), free(out), free(w), free(bias), free(addend);
    return failures;
}

int main(int argc, char **argv) {
    int cases = argc > 1 ? atoi(argv[1]) : 1000, first = argc > 2 ? atoi(argv[2]) : 0, failures = 0, checked = 0;
    for (int i = first; i < first + cases; i++) failures += check_case(i, &checked);
    printf("%s: %d kernel runs in %d cases, %d wrong\n", gsm_isa_name(gsm_available_isa()), checked, cases, failures);
    return failures > 0 || checked == 0;
}

// Times the element kernels, in memory traffic: bytes read and written once each, over the fastest of many repeats.
//
//   clang -std=gnu11 -O2 -ISources/CKernels/include Benchmarks/kernels/elements.c Sources/CKernels/*.c -lm \
//       -o /tmp/elements && taskset -c 1 /tmp/elements
//
// One thread; a block of 16 images of 32 channels of 28 x 28 pixels (1.6 MB), as the first layer of `mnist` has, and
// the 64 images of a batch (6.4 MB). Then the pooling of single images.

#include "gossamer_elements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHANNELS = 32, SIZE = 28, LANES = 16, MOST_BLOCKS = 4 };
enum { ROW = SIZE * LANES, CHANNEL = SIZE * ROW, BLOCK = CHANNELS * CHANNEL };

/// Of this thread: what others do on the machine does not count.
static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static float *floats(size_t count) {
    float *result = aligned_alloc(64, count * 4);
    for (size_t i = 0; i < count; i++) result[i] = (float)(rand() % 2001 - 1000) * 1e-3f;
    return result;
}

#define TIME(name, tensors, call)                                                              \
    do {                                                                                       \
        double best = 1e9, begun = seconds();                                                  \
        for (int repeat = 0; repeat < 5 || seconds() - begun < 0.1; repeat++) {                \
            double start = seconds();                                                          \
            call;                                                                              \
            double elapsed = seconds() - start;                                                \
            if (elapsed < best) best = elapsed;                                                \
        }                                                                                      \
        printf("%-34s %3d images %8.1f us %6.1f GB/s\n", name, e.blocks * LANES, best * 1e6,   \
               (tensors) * e.blocks * BLOCK * 4e-9 / best);                                    \
    } while (0)

/// Pooling of a single image, as VGG-16, Inception V3 and ResNet-50 have it.
static void time_single_pooling(const gsm_element_kernels *k) {
    static const struct {
        const char *name;
        int channels, size, kernel, stride, padding;
        bool maximum;
    } cases[] = {
        {"max 2x2 stride 2, 64 @224", 64, 224, 2, 2, 0, true},
        {"max 3x3 stride 2, 64 @112", 64, 112, 3, 2, 1, true},
        {"max 3x3 stride 2, 64 @147", 64, 147, 3, 2, 0, true},
        {"max 3x3 stride 2, 768 @17", 768, 17, 3, 2, 0, true},
        {"average 3x3, 288 @35", 288, 35, 3, 1, 1, false},
        {"average 3x3, 768 @17", 768, 17, 3, 1, 1, false},
        {"average 3x3, 2048 @8", 2048, 8, 3, 1, 1, false},
        {"global average, 2048 @7", 2048, 7, 7, 1, 0, false},
    };
    float *input = floats(64 * 224 * 224), *output = floats(64 * 112 * 112);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int size = cases[i].size, kernel = cases[i].kernel, stride = cases[i].stride, padding = cases[i].padding;
        int result = (size + 2 * padding - kernel) / stride + 1;
        gsm_pooling p = {kernel, kernel, stride, stride, padding, padding, size, size, result, result, true};
        gsm_extent e = {1, 1, cases[i].channels, result, result};
        gsm_view x = {input, size, size * size, 0}, y = {output, result, result * result, 0};
        double best = 1e9, begun = seconds();
        for (int repeat = 0; repeat < 5 || seconds() - begun < 0.1; repeat++) {
            double start = seconds();
            if (cases[i].maximum) k->max_pool(e, &p, x, y, (gsm_tap_view){0});
            else k->average_pool(e, &p, x, y);
            double elapsed = seconds() - start;
            if (elapsed < best) best = elapsed;
        }
        printf("%-34s one image  %8.1f us\n", cases[i].name, best * 1e6);
    }
    free(input), free(output);
}

int main(void) {
    const gsm_element_kernels *k = gsm_elements();
    printf("%s\n", gsm_isa_name(k->isa));
    float *buffers[4], state[7][CHANNELS] = {{0}};
    for (int i = 0; i < 4; i++) buffers[i] = floats(MOST_BLOCKS * BLOCK);
    gsm_view x = {buffers[0], ROW, CHANNEL, BLOCK}, y = x, dy = x, dx = x;
    y.data = buffers[1], dy.data = buffers[2], dx.data = buffers[3];
    gsm_view small = {buffers[1], ROW / 2, CHANNEL / 4, BLOCK / 4};
    gsm_tap_view taps = {malloc(MOST_BLOCKS * BLOCK / 4), ROW / 2, CHANNEL / 4, BLOCK / 4};
    gsm_pooling pooling = {2, 2, 2, 2, 0, 0, SIZE, SIZE, SIZE / 2, SIZE / 2, false};
    for (int blocks = 1; blocks <= MOST_BLOCKS; blocks += MOST_BLOCKS - 1) {
        gsm_extent e = {LANES, blocks, CHANNELS, SIZE, SIZE};
        gsm_dropout mask = {1, 0, 0, 0.5f};
        const gsm_bounds relu = {0, INFINITY}, none = {-INFINITY, INFINITY};
        gsm_normalization n = {blocks * LANES, 1e-5f, relu, state[0], state[1], state[2], state[3], state[4],
                               state[5], state[6]};
        TIME("relu", 2, k->bound(e, relu, x, y));
        TIME("relu gradient", 3, k->bound_gradient(e, relu, x, dy, dx, false));
        TIME("bias gradient", 1, k->bias_gradient(e, dy, state[5]));
        TIME("relu and bias gradient", 3, k->bound_bias_gradient(e, relu, x, dy, state[5]));
        TIME("add", 3, k->add(e, x, dy, y, none));
        TIME("dropout", 2, k->dropout(e, mask, x, y, false));
        TIME("swish", 2, k->activate(e, (gsm_activation){GSM_SWISH, 0}, x, y));
        TIME("multiply", 3, k->multiply(e, x, dy, y, false, false));
        TIME("max pool 2x2, with taps", 1.3125, k->max_pool(e, &pooling, x, small, taps));
        TIME("max pool 2x2 gradient", 1.3125, k->max_pool_gradient(e, &pooling, taps, small, dx, false));
        TIME("average pool 2x2", 1.25, k->average_pool(e, &pooling, x, small));
        TIME("normalization statistics", 2, k->normalization_statistics(e, &n, x));
        TIME("normalize", 2, k->normalize(e, &n, x, y));
        TIME("normalization parameter gradients", 2, k->normalization_parameter_gradients(e, &n, x, dy));
        TIME("normalization input gradient", 3, k->normalization_input_gradient(e, &n, x, dy, dx, false));
        gsm_update update = {(int64_t)blocks * BLOCK, x.data, dy.data, 1, 1e-4f, 0};
        gsm_adam adam = {0.1f, 0.999f, 0.001f, 1, 1e-8f, 1};
        gsm_rmsprop rmsprop = {0.9f, 0.1f, 1, 0.9f};
        for (int64_t i = 0; i < update.count; i++) dx.data[i] = y.data[i] = 1;
        TIME("nesterov step", 5, k->nesterov_step(update, dx.data, 0.9f));
        TIME("adam step", 7, k->adam_step(update, dx.data, y.data, adam));
        TIME("rmsprop step with momentum", 7, k->rmsprop_step(update, dx.data, y.data, rmsprop));
        TIME("average step", 3, k->average_step(update.count, y.data, x.data, 0));
        TIME("sum of squares", 1, k->sum_of_squares(update.count, x.data));
    }
    time_single_pooling(k);
    free(taps.data);
    for (int i = 0; i < 4; i++) free(buffers[i]);
    return 0;
}

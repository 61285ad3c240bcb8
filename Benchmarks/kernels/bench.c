// Times every convolution kernel that this machine runs on the layers of the networks we care about.
//
//   clang -std=gnu11 -O2 -ISources/CKernels/include Benchmarks/kernels/bench.c Sources/CKernels/*.c -lm -o /tmp/bench
//   taskset -c 1 /tmp/bench [--tsv] [part of a layer's name] [part of a kernel's name] [block=1] [images=64] [density]
//
// --tsv prints tab-separated values for other programs, with the peak of each line's instruction set.
//
// The connections are random, of fixed fan-in; with a block, that many consecutive outputs share their inputs. The row
// that training takes is marked with *.
//
// One thread, images in blocks of 16 or a single image, the fastest of many repeats. GFLOP/s count two operations for
// each multiply-add of an active connection: "inside" only taps inside the image, "all" also those on padding. The
// share is of "inside" in the fused multiply-add peak, measured again before every line as others may use the machine.

#include "gossamer_kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct layer {
    const char *name;
    int inputs, outputs, height, width, kernel, stride, padding, lanes;
    int kernel_width, padding_width;  // where they differ from kernel and padding; a width of 0 means that they do not
} layer;

static int kernel_width(const layer *l) { return l->kernel_width ? l->kernel_width : l->kernel; }
static int padding_width(const layer *l) { return l->kernel_width ? l->padding_width : l->padding; }

static const layer layers[] = {
    {"mnist1 5x5 1->32 @28", 1, 32, 28, 28, 5, 1, 2, 16},
    {"mnist2 5x5 32->64 @14", 32, 64, 14, 14, 5, 1, 2, 16},
    {"mnist3 7x7 64->512 @7 to 1", 64, 512, 7, 7, 7, 1, 0, 16},
    {"mnist4 1x1 512->10 @1", 512, 10, 1, 1, 1, 1, 0, 16},
#include "layers16.inc"
#include "layers1.inc"
};
static const double densities[] = {1, 0.25, 0.1};
static int images16 = 64;
static bool tsv;

/// Of this thread: what others do on the machine does not count.
static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

#if defined(__x86_64__)
typedef float wide __attribute__((ext_vector_type(16)));
#define WIDE_TARGET __attribute__((target("avx512f")))
typedef float half __attribute__((ext_vector_type(8)));
#define HALF_TARGET __attribute__((target("avx2,fma")))
#else
typedef float wide __attribute__((ext_vector_type(4)));
#define WIDE_TARGET
typedef float half __attribute__((ext_vector_type(4)));
#define HALF_TARGET
#endif

#define PEAK(name, type, attribute)                                                              \
    attribute static double name(void) {                                                         \
        type sums[12] = {0}, factor = (type)0.5f;                                                \
        double start = seconds();                                                                \
        enum { ROUNDS = 100000 };                                                                \
        for (int round = 0; round < ROUNDS; round++) {                                           \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < 12; i++) {                    \
                sums[i] = __builtin_elementwise_fma(sums[i], factor, factor);                    \
            }                                                                                    \
            __asm__ volatile("" ::: "memory");                                                   \
        }                                                                                        \
        double elapsed = seconds() - start;                                                      \
        type total = 0;                                                                          \
        for (int i = 0; i < 12; i++) total += sums[i];                                           \
        volatile float keep = total[0];                                                          \
        (void)keep;                                                                              \
        return 2.0 * 12 * ROUNDS * (sizeof(type) / 4) / elapsed * 1e-9;                          \
    }
PEAK(wide_peak, wide, WIDE_TARGET)
PEAK(half_peak, half, HALF_TARGET)

static double peak_of(gsm_isa isa) {
    double best = 0;
    for (int i = 0; i < 20; i++) {
        double now = isa == GSM_ISA_AVX2 ? half_peak() : wide_peak();
        if (now > best) best = now;
    }
    return best;
}

static float *floats(size_t count) {
    float *result = aligned_alloc(64, (count * 4 + 127) / 64 * 64);
    for (size_t i = 0; i < count; i++) result[i] = (float)(rand() % 2001 - 1000) * 1e-3f;
    return result;
}

/// A table of fixed fan-in, random and ascending within a row, and its transpose. `block` outputs share their inputs.
static void draw_table(gsm_convolution *s, double density, int block) {
    int fan_in = (int)(density * s->input_channels + 0.99), count = fan_in * s->output_channels, e = 0;
    int32_t *starts = malloc((s->output_channels + 1) * 4);
    uint16_t *inputs = malloc(count * 2), *outputs = malloc(count * 2);
    int32_t *column_starts = calloc(s->input_channels + 2, 4);
    int32_t *connections = malloc(count * 4);
    for (int o = 0; o < s->output_channels; o++) {
        starts[o] = e;
        int wanted = o % block == 0 ? fan_in : 0;
        for (int i = 0; i < fan_in && o % block != 0; i++, e++) inputs[e] = inputs[e - fan_in];
        for (int i = 0; i < s->input_channels; i++) {
            if (rand() % (s->input_channels - i) < wanted) inputs[e++] = i, wanted--;
        }
    }
    starts[s->output_channels] = e;
    for (int i = 0; i < count; i++) column_starts[inputs[i] + 2]++;
    for (int i = 2; i < s->input_channels + 2; i++) column_starts[i] += column_starts[i - 1];
    for (int o = 0; o < s->output_channels; o++) {
        for (int i = starts[o]; i < starts[o + 1]; i++) {
            int position = column_starts[inputs[i] + 1]++;
            outputs[position] = o, connections[position] = i;
        }
    }
    s->row_starts = starts, s->inputs = inputs, s->column_starts = column_starts;
    s->column_outputs = outputs, s->column_connections = connections;
    gsm_find_shared(s);
}

static gsm_convolution shape_of(const layer *l, double density, int block) {
    int oh = (l->height + 2 * l->padding - l->kernel) / l->stride + 1;
    int ow = (l->width + 2 * padding_width(l) - kernel_width(l)) / l->stride + 1;
    gsm_convolution s = {
        .lanes = l->lanes, .kernel_height = l->kernel, .kernel_width = kernel_width(l), .stride_height = l->stride,
        .stride_width = l->stride, .padding_top = l->padding, .padding_left = padding_width(l),
        .input_height = l->height, .input_width = l->width, .input_channels = l->inputs,
        .output_height = oh, .output_width = ow, .output_channels = l->outputs,
        .input_row_pitch = l->width * l->lanes, .output_row_pitch = ow * l->lanes,
    };
    s.input_channel_pitch = l->height * s.input_row_pitch, s.output_channel_pitch = oh * s.output_row_pitch;
    if (s.input_channel_pitch % 1024 == 0) s.input_channel_pitch += 16;
    if (s.output_channel_pitch % 1024 == 0) s.output_channel_pitch += 16;
    s.input_block_pitch = l->inputs * s.input_channel_pitch;
    s.output_block_pitch = l->outputs * s.output_channel_pitch;
    draw_table(&s, density, block);
    return s;
}

/// Positions at which a kernel's taps along one axis fall inside the image, summed over the outputs.
static double inside(int outputs, int inputs, int kernel, int stride, int padding) {
    double count = 0;
    for (int o = 0; o < outputs; o++) {
        for (int k = 0; k < kernel; k++) {
            int i = o * stride + k - padding;
            count += i >= 0 && i < inputs;
        }
    }
    return count;
}

static void time_kernel(const layer *l, double density, const gsm_convolution *s, const gsm_convolution_kernel *k) {
    int images = l->lanes == 1 ? 1 : images16, blocks = images / l->lanes;
    size_t in_count = blocks * s->input_block_pitch, out_count = blocks * s->output_block_pitch;
    int connections = s->row_starts[s->output_channels], taps = l->kernel * kernel_width(l);
    float *input = floats(in_count), *output = floats(out_count), *weights = floats((size_t)connections * taps);
    float *result = floats((size_t)connections * taps), *bias = floats(s->output_channels);
    float *packed = floats(k->packed_count(s)), *workspace = floats(k->workspace_count(s));
    gsm_convolution_call call = {
        .shape = s, .block_count = blocks, .bounds = {0, INFINITY}, .input = input, .output = output,
        .output_gradient = output, .input_gradient = input, .weight_gradient = result, .bias = bias,
        .weights = weights, .packed = packed,
    };
    double peak = peak_of(k->isa), best = 1e9, packing = 1e9, begun = seconds();
    k->pack(s, weights, packed);
    int64_t units = k->unit_count(&call);
    for (int repeat = 0; repeat < 400 && (repeat < 5 || seconds() - begun < 0.3); repeat++) {
        double start = seconds();
        k->pack(s, weights, packed);
        double middle = seconds();
        k->run(&call, 0, units, workspace);
        double end = seconds();
        if (end - middle < best) best = end - middle;
        if (middle - start < packing) packing = middle - start;
    }
    double row = inside(s->output_height, l->height, l->kernel, l->stride, l->padding);
    double column = inside(s->output_width, l->width, kernel_width(l), l->stride, padding_width(l));
    double within = 2e-9 * connections * images * row * column;
    double all = 2e-9 * connections * images * taps * s->output_height * s->output_width;
    bool taken = k == gsm_select_convolution_kernel(k->operation, s);
    const char *format = tsv ? "%s\t%.2f\t%s\t%s\t%.1f\t%.1f\t%.1f\t%.4f\t%.4f\t%.1f\n"
                             : "%-32s %5.2f  %-34s%s%7.1f %7.1f %5.0f%% %9.3f %8.3f\n";
    printf(format, l->name, density, k->name, taken ? "*" : " ", within / best, all / best,
           100 * within / best / peak, best * 1e3, packing * 1e3, peak);
    fflush(stdout);
    float *all_buffers[] = {input, output, weights, result, bias, packed, workspace};
    for (int i = 0; i < 7; i++) free(all_buffers[i]);
}

int main(int argc, char **argv) {
    tsv = argc > 1 && strcmp(argv[1], "--tsv") == 0;
    if (tsv) argc--, argv++;
    const char *layer_part = argc > 1 ? argv[1] : "", *kernel_part = argc > 2 ? argv[2] : "";
    int block = argc > 3 ? atoi(argv[3]) : 1;
    if (argc > 4) images16 = atoi(argv[4]);
    double only = argc > 5 ? atof(argv[5]) : 0;
    if (tsv) {
        printf("layer\tdensity\tkernel\ttaken\tinside GFLOP/s\tall GFLOP/s\tshare %%\tms\tpack ms\tpeak GFLOP/s\n");
    } else {
        printf("fused multiply-add peak: %.0f GFLOP/s\n", peak_of(gsm_available_isa()));
        printf("%-32s %5s  %-34s %7s %7s %6s %9s %8s\n", "layer", "dens.", "kernel", "inside", "all", "share", "ms",
               "pack ms");
    }
    size_t count;
    const gsm_convolution_kernel *const *kernels = gsm_convolution_kernels(&count);
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        if (strstr(layers[i].name, layer_part) == NULL) continue;
        for (int d = 0; d < 3; d++) {
            if (layers[i].inputs <= 3 && d > 0) continue;
            if (only > 0 && densities[d] != only) continue;
            const bool depthwise = strstr(layers[i].name, "depthwise") != NULL;  // one channel for each output
            if (depthwise && d > 0) continue;
            const double density = depthwise ? 1.0 / layers[i].inputs : densities[d];
            gsm_convolution s = shape_of(&layers[i], density, block);
            for (size_t k = 0; k < count; k++) {
                bool lanes_fit = kernels[k]->lanes == 0 || kernels[k]->lanes == s.lanes;
                bool wanted = strstr(kernels[k]->name, kernel_part) && strcmp(kernels[k]->name, "reference") != 0;
                if (!lanes_fit || !wanted || !gsm_isa_supported(kernels[k]->isa)) continue;
                if (kernels[k]->declines(&s) == NULL) time_kernel(&layers[i], density, &s, kernels[k]);
            }
        }
    }
}

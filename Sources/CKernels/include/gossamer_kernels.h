#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Activations are stored as [block][channel][row][column][lane]. A block holds `lanes` images side by side (16 in
/// training and batched inference, 1 for a single image). All pitches are counted in floats. Columns and lanes are
/// contiguous: pixel (r, c) of a channel starts at r * row_pitch + c * lanes. With 16 lanes every pixel is aligned
/// to 64 bytes. There is no halo: kernels skip the taps that fall outside the image.

typedef enum gsm_isa {
    GSM_ISA_SCALAR = 0,
    GSM_ISA_NEON = 1,
    GSM_ISA_AVX2 = 2,
    GSM_ISA_AVX512 = 3,
} gsm_isa;

typedef enum gsm_operation {
    GSM_CONVOLUTION_FORWARD = 0,
    GSM_CONVOLUTION_INPUT_GRADIENT = 1,
    GSM_CONVOLUTION_WEIGHT_GRADIENT = 2,
} gsm_operation;

/// Geometry of one convolution, the same for its three operations. "Input" and "output" are always those of the
/// forward pass; cross-correlation, as in every deep learning library.
typedef struct gsm_convolution {
    int32_t lanes;
    int32_t kernel_height, kernel_width;
    int32_t stride_height, stride_width;
    int32_t padding_top, padding_left;  // bottom and right follow from the output size
    int32_t input_height, input_width, input_channels;
    int32_t output_height, output_width, output_channels;
    int64_t input_row_pitch, input_channel_pitch, input_block_pitch;
    int64_t output_row_pitch, output_channel_pitch, output_block_pitch;
    /// Compressed rows by output channel; inputs ascend within a row. Weight of connection i starts at
    /// weights + i * kernel_height * kernel_width.
    const int32_t *row_starts;  // output_channels + 1
    const uint16_t *inputs;     // row_starts[output_channels]; at most 65,536 channels on either side
    /// The transpose, needed by the input gradient only (else NULL): for each input channel, the output channels it
    /// feeds (ascending) and the index of that connection in the rows above.
    const int32_t *column_starts;       // input_channels + 1
    const uint16_t *column_outputs;      // row_starts[output_channels]
    const int32_t *column_connections;  // row_starts[output_channels]
    /// Aligned groups of this many outputs read the same inputs, as dense and blocked patterns have them, and of this
    /// many inputs feed the same outputs; the last group may be smaller. GSM_SHARED_BY_ALL if there is but one group.
    int32_t shared_outputs, shared_inputs;
} gsm_convolution;

enum { GSM_SHARED_BY_ALL = 1 << 30 };

/// Fills `shared_outputs` and `shared_inputs` from the tables, once they are in place.
void gsm_find_shared(gsm_convolution *shape);

/// What results are kept between, as ReLU and its relatives do; -INFINITY and INFINITY where there is no bound.
typedef struct gsm_bounds {
    float low, high;
} gsm_bounds;

/// One call. Which pointers are read and written:
///   forward:          input, weights or packed, bias and addend (may be NULL) -> output; the addend, laid out like
///                     the output and not the same memory, is added before the bounds apply
///   input gradient:   output_gradient, weights or packed -> input_gradient (accumulated into when `accumulate`)
///   weight gradient:  input, output_gradient -> weight_gradient (overwritten, one value per weight)
/// Idle lanes of the last block hold finite values in `input` and zeros in `output_gradient`.
typedef struct gsm_convolution_call {
    const gsm_convolution *shape;
    int32_t block_count;
    bool accumulate;
    gsm_bounds bounds;  // of the output
    const float *input;
    float *output;
    const float *output_gradient;
    float *input_gradient;
    float *weight_gradient;
    const float *bias;
    const float *addend;
    const float *weights;  // as the network holds them; read by rows whose packed_count is 0
    const float *packed;   // filled by `pack`; may be NULL when packed_count is 0
} gsm_convolution_call;

/// One row of the kernel table. A row never allocates; the caller provides `packed` (filled by `pack` once per plan
/// or training step) and a workspace per thread, both 64-byte aligned. The work of a call is cut into units that may
/// run on any thread in any order; the result has the same bits however the units are spread.
typedef struct gsm_convolution_kernel {
    const char *name;
    gsm_operation operation;
    gsm_isa isa;
    int32_t lanes;  // 0: any number
    /// NULL when eligible, else one short phrase saying why not.
    const char *(*declines)(const gsm_convolution *shape);
    size_t (*packed_count)(const gsm_convolution *shape);  // floats; 0: reads `weights` itself, pack does nothing
    void (*pack)(const gsm_convolution *shape, const float *weights, float *packed);
    size_t (*workspace_count)(const gsm_convolution *shape);  // floats per thread
    int64_t (*unit_count)(const gsm_convolution_call *call);
    void (*run)(const gsm_convolution_call *call, int64_t unit_begin, int64_t unit_end, float *workspace);
} gsm_convolution_kernel;

/// Every convolution kernel of this build, the preferred first, the plain reference last for each operation.
const gsm_convolution_kernel *const *gsm_convolution_kernels(size_t *count);

/// The highest instruction set that this machine runs, capped by the environment variable GOSSAMER_ISA
/// (scalar, neon, avx2, avx512). Read once.
gsm_isa gsm_available_isa(void);
bool gsm_isa_supported(gsm_isa isa);
const char *gsm_isa_name(gsm_isa isa);

/// The first row of the table that this machine supports (under the cap) and that does not decline.
const gsm_convolution_kernel *gsm_select_convolution_kernel(gsm_operation operation, const gsm_convolution *shape);

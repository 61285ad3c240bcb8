#pragma once

#include "gossamer_kernels.h"

#pragma clang assume_nonnull begin

/// The layers whose time is memory traffic, on the activation layout of gossamer_kernels.h. Every function works on a
/// range of channels of one or more blocks: the caller shifts the pointers to the first channel and block of the range.
/// However the channels of a call are spread over threads, the bits are the same. Idle lanes of the last block hold
/// finite values in activations and zeros in gradients, and stay so.

/// The part of a tensor that one call works on.
typedef struct gsm_extent {
    int32_t lanes;  // 16 or 1
    int32_t blocks, channels, height, width;
} gsm_extent;

/// Where the range starts, and the distances in floats. Columns and lanes are contiguous. A view that is only read is
/// never written through.
typedef struct gsm_view {
    float *data;
    int64_t row_pitch, channel_pitch, block_pitch;
} gsm_view;

/// The tap that won in each output of a max pooling: kernel row * kernel width + kernel column. Pitches in bytes.
typedef struct gsm_tap_view {
    uint8_t *_Nullable data;
    int64_t row_pitch, channel_pitch, block_pitch;
} gsm_tap_view;

/// Kernels up to 15 x 15; every window covers at least one pixel. Padding never wins a maximum. The extent of a pooling
/// call gives lanes, blocks and channels; its height and width are not read.
typedef struct gsm_pooling {
    int32_t kernel_height, kernel_width, stride_height, stride_width, padding_top, padding_left;
    int32_t input_height, input_width, output_height, output_width;
    bool count_padding;  // averages divide by the whole window, not by the pixels inside the image
} gsm_pooling;

/// Per channel; every array starts at the first channel of the range. Which are read: see the functions.
typedef struct gsm_normalization {
    int32_t images;  // live images in the blocks of the extent
    float epsilon;
    gsm_bounds bounds;  // of the output; backward drops the gradient where they cut it
    float *mean, *_Nullable variance, *inverse_deviation;  // the biased variance
    const float *_Nullable scale, *_Nullable shift;
    float *_Nullable scale_gradient, *_Nullable shift_gradient;
} gsm_normalization;

/// A function of every value that is not linear between bounds.
typedef enum gsm_activation_kind {
    GSM_SIGMOID = 0,       // s(x) = 1 / (1 + exp(-x))
    GSM_HARD_SIGMOID = 1,  // h(x) = x / 6 + 1/2 between 0 and 1
    GSM_SWISH = 2,         // x s(x)
    GSM_HARD_SWISH = 3,    // x h(x)
    GSM_LEAKY_RELU = 4,    // x where it is positive, slope x elsewhere
} gsm_activation_kind;

typedef struct gsm_activation {
    gsm_activation_kind kind;
    float slope;  // of the leaky ReLU
} gsm_activation;

/// Local response normalisation over the `size` channels around each, an odd number:
/// y = x * s^-beta with s = bias + factor * the sum of their squares; bias is above 0, factor and beta at least 0.
typedef struct gsm_response {
    int32_t size;
    float factor, beta, bias;
} gsm_response;

/// Which dropout mask: it depends on the seed, the image and the element's place in the image, not on the layout.
typedef struct gsm_dropout {
    uint64_t seed;
    uint64_t first_image;   // number of the image in lane 0 of the first block of the range
    int32_t first_channel;  // number of the first channel of the range
    float keep_probability;  // above 0, at most 1; kept values are divided by it
} gsm_dropout;

/// Images as bytes: image i starts at images[i], the range's first channel at its channel_pitch 0.
typedef struct gsm_byte_images {
    const uint8_t *_Nonnull const *_Nonnull images;
    int64_t column_pitch, row_pitch, channel_pitch;
} gsm_byte_images;

/// What every optimizer's step has: d = gradient_scale * gradient + weight_decay * weight.
typedef struct gsm_update {
    int64_t count;
    float *weights;
    const float *gradients;
    float gradient_scale, weight_decay, learning_rate;
} gsm_update;

typedef struct gsm_adam {
    float mean_share, square_decay, square_share;
    float deviation_scale;  // corrects the bias of the squares' average
    float epsilon;
    float kept_weight;  // 1, or less where the decay of weights is decoupled
} gsm_adam;

typedef struct gsm_rmsprop {
    float decay, square_share, epsilon, momentum;
} gsm_rmsprop;

typedef struct gsm_element_kernels {
    gsm_isa isa;

    /// y = x between the bounds; x and y may be the same.
    void (*bound)(gsm_extent extent, gsm_bounds bounds, gsm_view x, gsm_view y);
    /// dx = dy where y lies between the bounds and not on one, elsewhere 0, or dx += that; dy and dx may be the same.
    void (*bound_gradient)(gsm_extent extent, gsm_bounds bounds, gsm_view y, gsm_view dy, gsm_view dx,
                           bool accumulate);
    /// sums[channel] = the sum of dy over blocks, pixels and lanes (summed in double).
    void (*bias_gradient)(gsm_extent extent, gsm_view dy, float *sums);
    /// Both of the above in one pass: dy is masked in place.
    void (*bound_bias_gradient)(gsm_extent extent, gsm_bounds bounds, gsm_view y, gsm_view dy, float *sums);

    /// y = the function of x; x and y may be the same.
    void (*activate)(gsm_extent extent, gsm_activation activation, gsm_view x, gsm_view y);
    /// dx = dy times the derivative at x, or dx += that; dy and dx may be the same.
    void (*activation_gradient)(gsm_extent extent, gsm_activation activation, gsm_view x, gsm_view dy, gsm_view dx,
                                bool accumulate);

    /// y = a * b, or y += that. With `one_pixel`, b has one pixel a channel, which meets all pixels of a.
    void (*multiply)(gsm_extent extent, gsm_view a, gsm_view b, gsm_view y, bool one_pixel, bool accumulate);
    /// The one pixel of each channel of y = the sum of a * b over the pixels, or y += that.
    void (*sum_products)(gsm_extent extent, gsm_view a, gsm_view b, gsm_view y, bool accumulate);

    /// y = a + b between the bounds; y may be a or b.
    void (*add)(gsm_extent extent, gsm_view a, gsm_view b, gsm_view y, gsm_bounds bounds);
    /// y += x
    void (*accumulate)(gsm_extent extent, gsm_view x, gsm_view y);
    void (*copy)(gsm_extent extent, gsm_view x, gsm_view y);

    /// y = x * mask / keep_probability, or y += that; x and y may be the same. The backward pass is the same call on
    /// the gradients.
    void (*dropout)(gsm_extent extent, gsm_dropout dropout, gsm_view x, gsm_view y, bool accumulate);

    /// Of equal maxima the first tap wins, and NaN wins, as in PyTorch. taps.data may be NULL.
    void (*max_pool)(gsm_extent extent, const gsm_pooling *pooling, gsm_view x, gsm_view y, gsm_tap_view taps);
    void (*max_pool_gradient)(gsm_extent extent, const gsm_pooling *pooling, gsm_tap_view taps, gsm_view dy,
                              gsm_view dx, bool accumulate);
    /// A kernel as large as the image is the global average.
    void (*average_pool)(gsm_extent extent, const gsm_pooling *pooling, gsm_view x, gsm_view y);
    void (*average_pool_gradient)(gsm_extent extent, const gsm_pooling *pooling, gsm_view dy, gsm_view dx,
                                  bool accumulate);

    /// Writes mean, variance and inverse_deviation = 1 / sqrt(variance + epsilon) of the live images.
    void (*normalization_statistics)(gsm_extent extent, const gsm_normalization *normalization, gsm_view x);
    /// y = (x - mean) * inverse_deviation * scale + shift, between the bounds; x and y may be the same.
    void (*normalize)(gsm_extent extent, const gsm_normalization *normalization, gsm_view x, gsm_view y);
    /// Writes scale_gradient and shift_gradient from x and dy.
    void (*normalization_parameter_gradients)(gsm_extent extent, const gsm_normalization *normalization, gsm_view x,
                                              gsm_view dy);
    /// dx, or dx += it, from the parameter gradients of the call above; dx may be dy. Idle lanes receive zeros.
    void (*normalization_input_gradient)(gsm_extent extent, const gsm_normalization *normalization, gsm_view x,
                                         gsm_view dy, gsm_view dx, bool accumulate);

    // The next five work on rows of all channels at once: a range is some rows, and its bits do not depend on it.

    /// Floats of workspace of the two calls below.
    size_t (*response_workspace)(int32_t channels, int32_t size);
    void (*response_normalize)(gsm_extent extent, const gsm_response *response, gsm_view x, gsm_view y,
                               float *workspace);
    void (*response_gradient)(gsm_extent extent, const gsm_response *response, gsm_view x, gsm_view dy, gsm_view dx,
                              bool accumulate, float *workspace);
    /// Over the channels of each pixel; x and y may be the same.
    void (*softmax)(gsm_extent extent, gsm_view x, gsm_view y);
    void (*softmax_gradient)(gsm_extent extent, gsm_view y, gsm_view dy, gsm_view dx, bool accumulate);

    /// velocity = momentum * velocity + d, weight -= learning_rate * (d + momentum * velocity), as in PyTorch.
    void (*nesterov_step)(gsm_update update, float *velocities, float momentum);
    /// mean += mean_share * (d - mean), square = square_decay * square + square_share * d * d,
    /// weight = kept_weight * weight - learning_rate * mean / (sqrt(square) * deviation_scale + epsilon).
    void (*adam_step)(gsm_update update, float *means, float *squares, gsm_adam adam);
    /// square = decay * square + square_share * d * d, move = d / (sqrt(square) + epsilon); with velocities,
    /// velocity = momentum * velocity + move, which then is the move; weight -= learning_rate * move.
    void (*rmsprop_step)(gsm_update update, float *squares, float *_Nullable velocities, gsm_rmsprop rmsprop);
    /// average += share * (value - average)
    void (*average_step)(int64_t count, float *averages, const float *values, float share);
    /// Summed in double.
    double (*sum_of_squares)(int64_t count, const float *values);

    /// Planar images (the view's block_pitch is the distance of two images) into blocks; idle lanes become zero.
    void (*planar_to_blocks)(gsm_extent extent, int32_t images, gsm_view planar, gsm_view y);
    void (*blocks_to_planar)(gsm_extent extent, int32_t images, gsm_view x, gsm_view planar);
    /// y = byte * scale[channel] + shift[channel]; idle lanes become zero.
    void (*bytes_to_blocks)(gsm_extent extent, int32_t images, gsm_byte_images bytes, const float *scale,
                            const float *shift, gsm_view y);
} gsm_element_kernels;

/// The kernels of the best instruction set that this machine runs (under the cap of GOSSAMER_ISA).
const gsm_element_kernels *gsm_elements(void);
/// NULL where this build or this machine lacks the instruction set.
const gsm_element_kernels *_Nullable gsm_elements_for(gsm_isa isa);

#pragma clang assume_nonnull end

#pragma once
#include <stddef.h>
#include <stdint.h>

// libjpeg and libpng report errors by longjmp, which Swift cannot cross: these functions stand between. They return 0,
// or -1 after writing why into `message`.

/// Bytes of a message, its final zero included.
enum { GSM_MESSAGE_SIZE = 200 };

/// What a decoded image takes: width * height * channels bytes.
typedef struct {
    int32_t width, height;
    /// 1 for grey, 3 for red, green and blue.
    int32_t channels;
} gsm_image_size;

int gsm_jpeg_size(const uint8_t *bytes, size_t count, gsm_image_size *size, char *message);

/// Writes [channel][row][column]. CMYK, which JPEG files hold inverted, becomes red, green and blue.
///
/// @param size as `gsm_jpeg_size` found it
/// @param work_limit most pixels to be looked at, all scans of a progressive image taken together
int gsm_jpeg_decode(
    const uint8_t *bytes, size_t count, const gsm_image_size *size, int64_t work_limit, uint8_t *pixels,
    char *message);

int gsm_png_size(const uint8_t *bytes, size_t count, gsm_image_size *size, char *message);

/// Writes [channel][row][column], 8 bits each. What is transparent shows white behind it.
///
/// @param size as `gsm_png_size` found it
int gsm_png_decode(
    const uint8_t *bytes, size_t count, const gsm_image_size *size, uint8_t *pixels, char *message);

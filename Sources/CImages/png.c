#include "gossamer_images.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

typedef struct {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t count;
    char *message;
    uint8_t *row;
} decoder;

static void fail(png_structp png, png_const_charp text) {
    decoder *d = png_get_error_ptr(png);
    snprintf(d->message, GSM_MESSAGE_SIZE, "%s", text);
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    decoder *d = png_get_io_ptr(png);
    if (count > d->count) png_error(png, "it ends too early");
    memcpy(target, d->bytes, count);
    d->bytes += count;
    d->count -= count;
}

static int start(decoder *d, const uint8_t *bytes, size_t count, char *message) {
    memset(d, 0, sizeof *d);
    d->bytes = bytes;
    d->count = count;
    d->message = message;
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, fail, ignore);
    if (!d->png) return -1;
    d->info = png_create_info_struct(d->png);
    if (!d->info) return -1;
    png_set_read_fn(d->png, d, read_bytes);
    // Colour profiles and texts are not used, and may be bombs.
    png_set_chunk_malloc_max(d->png, 1 << 20);
    png_set_chunk_cache_max(d->png, 64);
    png_set_user_limits(d->png, 65535, 65535);
    return 0;
}

static int finish(decoder *d, int status) {
    free(d->row);
    png_destroy_read_struct(&d->png, &d->info, NULL);
    return status;
}

static void read_header(decoder *d, gsm_image_size *size) {
    png_read_info(d->png, d->info);
    size->width = (int32_t)png_get_image_width(d->png, d->info);
    size->height = (int32_t)png_get_image_height(d->png, d->info);
    size->channels = png_get_color_type(d->png, d->info) & PNG_COLOR_MASK_COLOR ? 3 : 1;
}

int gsm_png_size(const uint8_t *bytes, size_t count, gsm_image_size *size, char *message) {
    decoder d;
    if (start(&d, bytes, count, message) != 0) {
        snprintf(message, GSM_MESSAGE_SIZE, "no memory");
        return finish(&d, -1);
    }
    if (setjmp(png_jmpbuf(d.png))) return finish(&d, -1);
    read_header(&d, size);
    return finish(&d, 0);
}

/// Colour over white, 8 bits of alpha.
static uint8_t over_white(uint8_t value, uint8_t alpha) {
    unsigned x = value * alpha + 255u * (255u - alpha) + 128;
    return (uint8_t)((x + (x >> 8)) >> 8);
}

/// The part of an interlaced image's row that a pass brings is merged with what is there already, so rows are decoded
/// whole before they are split into channels.
static void read_pixels(decoder *d, const gsm_image_size *size, uint8_t *pixels) {
    gsm_image_size found;
    read_header(d, &found);
    if (found.width != size->width || found.height != size->height || found.channels != size->channels) {
        png_error(d->png, "its size has changed");
    }
    png_set_expand(d->png);
    png_set_scale_16(d->png);
    int passes = png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    size_t width = (size_t)size->width, height = (size_t)size->height, plane = width * height;
    size_t components = png_get_channels(d->png, d->info);
    size_t colours = (size_t)size->channels;
    size_t kept_rows = passes > 1 ? height : 1;
    d->row = malloc(kept_rows * width * components);
    if (!d->row) png_error(d->png, "no memory");
    for (int pass = 0; pass < passes; pass++) {
        for (size_t y = 0; y < height; y++) {
            uint8_t *row = d->row + (kept_rows > 1 ? y * width * components : 0);
            png_read_row(d->png, row, NULL);
            if (pass < passes - 1) continue;
            for (size_t c = 0; c < colours; c++) {
                uint8_t *target = pixels + c * plane + y * width;
                for (size_t x = 0; x < width; x++) {
                    const uint8_t *pixel = row + x * components;
                    target[x] = components > colours ? over_white(pixel[c], pixel[colours]) : pixel[c];
                }
            }
        }
    }
    png_read_end(d->png, NULL);
}

int gsm_png_decode(
    const uint8_t *bytes, size_t count, const gsm_image_size *size, uint8_t *pixels, char *message) {
    decoder d;
    if (start(&d, bytes, count, message) != 0) {
        snprintf(message, GSM_MESSAGE_SIZE, "no memory");
        return finish(&d, -1);
    }
    if (setjmp(png_jmpbuf(d.png))) return finish(&d, -1);
    read_pixels(&d, size, pixels);
    return finish(&d, 0);
}

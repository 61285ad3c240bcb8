#include "gossamer_images.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
// jerror.h needs jpeglib.h before it.
#include <jerror.h>

typedef struct {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr error;
    struct jpeg_progress_mgr progress;
    jmp_buf on_error;
    int64_t work_limit;
    char *message;
} decoder;

static void leave(j_common_ptr info) { longjmp(((decoder *)info->client_data)->on_error, 1); }

static void fail(j_common_ptr info) {
    decoder *d = info->client_data;
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    snprintf(d->message, GSM_MESSAGE_SIZE, "%s", text);
    leave(info);
}

/// Damage within the image is an error, where libjpeg would show grey; other warnings are not.
static void warn(j_common_ptr info, int level) {
    if (level >= 0) return;
    switch (info->err->msg_code) {
    case JWRN_JPEG_EOF: case JWRN_HIT_MARKER: case JWRN_HUFF_BAD_CODE: case JWRN_ARITH_BAD_CODE: fail(info);
    default: return;
    }
}

/// Called for each row of blocks: many empty scans take few bytes and much time.
static void watch(j_common_ptr info) {
    decoder *d = info->client_data;
    int64_t scans = d->info.input_scan_number;
    if (scans * d->info.image_width * d->info.image_height <= d->work_limit) return;
    snprintf(d->message, GSM_MESSAGE_SIZE, "%d scans are too many for its size", (int)scans);
    leave(info);
}

static void start(decoder *d, char *message) {
    memset(d, 0, sizeof *d);
    d->message = message;
    d->info.err = jpeg_std_error(&d->error);
    d->info.client_data = d;
    d->error.error_exit = fail;
    d->error.emit_message = warn;
}

static void read_header(decoder *d, const uint8_t *bytes, size_t count, gsm_image_size *size) {
    jpeg_create_decompress(&d->info);
    jpeg_mem_src(&d->info, bytes, count);
    jpeg_read_header(&d->info, TRUE);
    d->info.out_color_space = d->info.num_components == 1 ? JCS_GRAYSCALE
        : d->info.num_components == 4 ? JCS_CMYK : JCS_RGB;
    size->width = (int32_t)d->info.image_width;
    size->height = (int32_t)d->info.image_height;
    size->channels = d->info.num_components == 1 ? 1 : 3;
}

int gsm_jpeg_size(const uint8_t *bytes, size_t count, gsm_image_size *size, char *message) {
    decoder d;
    start(&d, message);
    int status = setjmp(d.on_error) ? -1 : (read_header(&d, bytes, count, size), 0);
    jpeg_destroy_decompress(&d.info);
    return status;
}

/// a * b / 255, rounded.
static uint8_t product(uint8_t a, uint8_t b) {
    unsigned x = a * b + 128;
    return (uint8_t)((x + (x >> 8)) >> 8);
}

static void write_row(const uint8_t *row, int components, size_t width, size_t plane, uint8_t *target) {
    if (components == 1) {
        memcpy(target, row, width);
    } else if (components == 3) {
        for (size_t x = 0; x < width; x++) {
            for (size_t c = 0; c < 3; c++) target[c * plane + x] = row[3 * x + c];
        }
    } else {
        for (size_t x = 0; x < width; x++) {
            for (size_t c = 0; c < 3; c++) target[c * plane + x] = product(row[4 * x + c], row[4 * x + 3]);
        }
    }
}

static int read_pixels(
    decoder *d, const uint8_t *bytes, size_t count, const gsm_image_size *size, uint8_t *pixels) {
    gsm_image_size found;
    read_header(d, bytes, count, &found);
    if (found.width != size->width || found.height != size->height || found.channels != size->channels) {
        snprintf(d->message, GSM_MESSAGE_SIZE, "its size has changed");
        return -1;
    }
    d->progress.progress_monitor = watch;
    d->info.progress = &d->progress;
    jpeg_start_decompress(&d->info);
    size_t width = d->info.output_width, plane = width * d->info.output_height;
    int components = d->info.output_components;
    JDIMENSION samples = (JDIMENSION)(width * (size_t)components);
    JSAMPARRAY row = d->info.mem->alloc_sarray((j_common_ptr)&d->info, JPOOL_IMAGE, samples, 1);
    while (d->info.output_scanline < d->info.output_height) {
        size_t y = d->info.output_scanline;
        jpeg_read_scanlines(&d->info, row, 1);
        write_row(row[0], components, width, plane, pixels + y * width);
    }
    // What follows the image matters to nobody: no jpeg_finish_decompress.
    return 0;
}

int gsm_jpeg_decode(
    const uint8_t *bytes, size_t count, const gsm_image_size *size, int64_t work_limit, uint8_t *pixels,
    char *message) {
    decoder d;
    start(&d, message);
    d.work_limit = work_limit;
    int status = setjmp(d.on_error) ? -1 : read_pixels(&d, bytes, count, size, pixels);
    jpeg_destroy_decompress(&d.info);
    return status;
}

#include "io/pnm.h"

#include "base/memory.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>

enum { MAXVAL_MAX = 65535 };

typedef struct {
    const char *name;
    const uint8_t *bytes;
    size_t size, at;
    Error *error;
} Source;

/* --- the header ------------------------------------------------------------------------------ */

static bool is_space(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next byte; a comment counts as the end of its line. -1 at the end. */
static int next_byte(Source *s)
{
    if (s->at == s->size)
        return -1;
    int c = s->bytes[s->at++];
    if (c == '#')
        while (c != '\n' && c != '\r') {
            if (s->at == s->size)
                return -1;
            c = s->bytes[s->at++];
        }
    return c;
}

/* A number from `low` to `high`, white space and comments before it. It takes the one byte after
 * it too, which must be white space (or the end, in a plain file's last number). */
static bool read_number(Source *s, const char *what, int low, int high, int *number)
{
    int c, value = 0;
    do
        c = next_byte(s);
    while (is_space(c));
    if (c < 0)
        return error_set(s->error, s->name, "cut short: no %s", what);
    if (c < '0' || c > '9')
        return error_set(s->error, s->name, "byte %zu: the %s is not a number", s->at - 1, what);
    for (; c >= '0' && c <= '9'; c = next_byte(s)) {
        value = 10 * value + (c - '0');
        if (value > high)
            return error_set(s->error, s->name, "the %s is above %d", what, high);
    }
    if (c >= 0 && !is_space(c))
        return error_set(s->error, s->name, "byte %zu: no white space after the %s", s->at - 1,
                         what);
    if (value < low)
        return error_set(s->error, s->name, "the %s is %d", what, value);
    *number = value;
    return true;
}

/* kind: the digit after the P. */
static bool read_header(Source *s, Pnm *picture, int *kind)
{
    if (s->size < 2 || s->bytes[0] != 'P' || s->bytes[1] < '1' || s->bytes[1] > '6')
        return error_set(s->error, s->name, "not a PNM picture: it does not start with P1 to P6");
    *kind = s->bytes[1] - '0';
    s->at = 2;
    if (s->at < s->size && s->bytes[s->at] != '#' && !is_space(s->bytes[s->at]))
        return error_set(s->error, s->name, "byte 2: no white space after P%d", *kind);
    picture->channels = *kind == 3 || *kind == 6 ? 3 : 1;
    picture->maxval = 1;
    return read_number(s, "width", 1, PNM_SIDE_MAX, &picture->width) &&
           read_number(s, "height", 1, PNM_SIDE_MAX, &picture->height) &&
           (*kind == 1 || *kind == 4 ||
            read_number(s, "maximum value", 1, MAXVAL_MAX, &picture->maxval));
}

/* --- the samples ----------------------------------------------------------------------------- */

/* At most 2^31 * 3: no overflow. */
static size_t sample_count(const Pnm *picture)
{
    return (size_t)picture->width * (size_t)picture->height * (size_t)picture->channels;
}

/* Whether `needed` bytes are there; checked before memory is taken for what a header claims. */
static bool check_there(const Source *s, size_t needed)
{
    if (s->size - s->at >= needed)
        return true;
    return error_set(s->error, s->name, "cut short: the picture needs %zu bytes, there are %zu",
                     needed, s->size - s->at);
}

/* P2, P3: numbers. */
static bool read_numbers(Source *s, Pnm *picture)
{
    size_t count = sample_count(picture);
    if (!check_there(s, 2 * count - 1)) /* a digit each and something in between */
        return false;
    picture->samples = mem_alloc(count, sizeof *picture->samples);
    for (size_t i = 0; i < count; i++) {
        int sample = 0;
        if (!read_number(s, "sample", 0, picture->maxval, &sample))
            return false;
        picture->samples[i] = (uint16_t)sample;
    }
    return true;
}

/* P1: digits 0 (white) and 1 (black), with or without white space between them. */
static bool read_digits(Source *s, Pnm *picture)
{
    size_t count = sample_count(picture);
    if (!check_there(s, count))
        return false;
    picture->samples = mem_alloc(count, sizeof *picture->samples);
    for (size_t i = 0; i < count; i++) {
        int c;
        do
            c = next_byte(s);
        while (is_space(c));
        if (c < 0)
            return error_set(s->error, s->name, "cut short: %zu of %zu pixels", i, count);
        if (c != '0' && c != '1')
            return error_set(s->error, s->name, "byte %zu: a pixel is neither 0 nor 1", s->at - 1);
        picture->samples[i] = c == '0';
    }
    return true;
}

/* P4: bits, 1 black, the first in the highest bit, each row in whole bytes. */
static bool read_bits(Source *s, Pnm *picture)
{
    size_t width = (size_t)picture->width, row_bytes = (width + 7) / 8;
    size_t height = (size_t)picture->height;
    if (!check_there(s, row_bytes * height))
        return false;
    picture->samples = mem_alloc(width * height, sizeof *picture->samples);
    for (size_t y = 0; y < height; y++, s->at += row_bytes)
        for (size_t x = 0; x < width; x++)
            picture->samples[y * width + x] = !(s->bytes[s->at + x / 8] >> (7 - x % 8) & 1);
    return true;
}

/* P5, P6: a byte a sample, or two, the high one first, where the maximum is above 255. */
static bool read_raw(Source *s, Pnm *picture)
{
    size_t count = sample_count(picture), each = picture->maxval > 255 ? 2 : 1;
    if (!check_there(s, count * each))
        return false;
    picture->samples = mem_alloc(count, sizeof *picture->samples);
    for (size_t i = 0; i < count; i++, s->at += each) {
        const uint8_t *at = s->bytes + s->at;
        int sample = each == 2 ? at[0] << 8 | at[1] : at[0];
        if (sample > picture->maxval)
            return error_set(s->error, s->name, "byte %zu: a sample of %d, above the maximum %d",
                             s->at, sample, picture->maxval);
        picture->samples[i] = (uint16_t)sample;
    }
    return true;
}

/* Nothing after the samples but, in a plain file, white space and comments. */
static bool check_end(Source *s, bool plain)
{
    while (plain && s->at < s->size && (is_space(s->bytes[s->at]) || s->bytes[s->at] == '#'))
        next_byte(s);
    if (s->at == s->size)
        return true;
    return error_set(s->error, s->name, "%zu bytes after the picture", s->size - s->at);
}

static bool read_samples(Source *s, Pnm *picture, int kind)
{
    if (kind == 1)
        return read_digits(s, picture);
    if (kind == 4)
        return read_bits(s, picture);
    return kind < 4 ? read_numbers(s, picture) : read_raw(s, picture);
}

bool pnm_parse(const char *name, const void *bytes, size_t size, Pnm *picture, Error *error)
{
    Source s = { name, bytes, size, 0, error };
    int kind = 0;
    *picture = (Pnm){ 0 };
    bool good = read_header(&s, picture, &kind) && read_samples(&s, picture, kind) &&
                check_end(&s, kind < 4);
    if (!good)
        pnm_free(picture);
    return good;
}

/* --- files ----------------------------------------------------------------------------------- */

bool pnm_read(const char *path, Pnm *picture, Error *error)
{
    char *bytes;
    size_t size;
    *picture = (Pnm){ 0 };
    if (!file_read(path, &bytes, &size, error))
        return false;
    bool good = pnm_parse(strcmp(path, "-") ? path : "standard input", bytes, size, picture, error);
    free(bytes);
    return good;
}

void pnm_free(Pnm *picture)
{
    free(picture->samples);
    *picture = (Pnm){ 0 };
}

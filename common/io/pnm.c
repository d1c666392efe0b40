#include "io/pnm.h"

#include "base/memory.h"
#include "io/file.h"
#include "io/kind.h"

#include <stdlib.h>
#include <string.h>

enum { MAXVAL_MAX = 65535 };

typedef struct {
    const char *name;
    const uint8_t *bytes;
    size_t size, at;
    int depth; /* samples per pixel, the first of which are the image's channels */
    Error *error;
} PnmReader;

/* --- the header ------------------------------------------------------------------------------ */

static bool is_space(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Returns the next byte, -1 at the end; a comment counts as the end of its line. */
static int next_byte(PnmReader *s)
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

/* Reads a number from `low` to `high`, after white space and comments. Also consumes the one byte
 * after it, which must be white space (or the end, after a plain file's last number). */
static bool read_number(PnmReader *s, const char *what, int low, int high, int *number)
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

/* First bytes of other formats, and the program that converts each to PNM: what stands before and
 * behind the file's name. */
static const struct {
    const char *format;
    size_t at, size;
    const char *bytes, *program, *before, *behind;
} others[] = {
    { "a PNG", 0, 4, "\x89PNG", "anytopnm", "", "" },
    { "a JPEG", 0, 3, "\xff\xd8\xff", "anytopnm", "", "" },
    { "a GIF", 0, 4, "GIF8", "anytopnm", "", "" },
    { "a TIFF", 0, 4, "II*\0", "anytopnm", "", "" },
    { "a TIFF", 0, 4, "MM\0*", "anytopnm", "", "" },
    { "a BMP", 0, 2, "BM", "anytopnm", "", "" },
    { "a WebP", 8, 4, "WEBP", "dwebp", " -ppm -o - --", "" },
    { "a HEIC", 4, 7, "ftyphei", "convert", "", " ppm:-" },
    { "a HEIC", 4, 8, "ftypmif1", "convert", "", " ppm:-" },
    { "an AVIF", 4, 8, "ftypavif", "convert", "", " ppm:-" },
};

static bool refuse(PnmReader *s)
{
    const char *bytes = (const char *)s->bytes + s->at;
    size_t left = s->size - s->at;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (left >= others[i].at + others[i].size &&
            memcmp(bytes + others[i].at, others[i].bytes, others[i].size) == 0)
            return error_set(s->error, s->name,
                             "%s; %s makes a PNM of it: %s%s %s%s | … classify -", others[i].format,
                             others[i].program, others[i].program, others[i].before, s->name,
                             others[i].behind);
    if (s->at)
        return error_set(s->error, s->name, "byte %zu: neither the end nor another image", s->at);
    const char *kind = file_kind(bytes, left);
    if (kind)
        return error_set(s->error, s->name, "not a PNM image, which starts with P1 to P7: it %.*s",
                         (int)strcspn(kind, ",;:"), kind);
    return error_set(s->error, s->name, "not a PNM image: it does not start with P1 to P7");
}

/* --- the header of PAM ----------------------------------------------------------------------- */

static const struct {
    const char *name;
    int depth, channels;
} tuples[] = {
    { "BLACKANDWHITE", 1, 1 },       { "GRAYSCALE", 1, 1 },       { "RGB", 3, 3 },
    { "BLACKANDWHITE_ALPHA", 2, 1 }, { "GRAYSCALE_ALPHA", 2, 1 }, { "RGB_ALPHA", 4, 3 },
};
enum { TUPLES = sizeof tuples / sizeof *tuples, WORD = 64 };

/* Chooses the tuple type; if the file has none, the first type in the list with that depth. */
static bool choose_tuple(PnmReader *s, Pnm *image, const char *type)
{
    for (int i = 0; i < TUPLES; i++)
        if (tuples[i].depth == s->depth && (!*type || strcmp(tuples[i].name, type) == 0)) {
            image->channels = tuples[i].channels;
            return true;
        }
    return error_set(s->error, s->name,
                     "depth %d of type %s: wanted are BLACKANDWHITE, GRAYSCALE, RGB, each alone or "
                     "with _ALPHA",
                     s->depth, *type ? type : "none");
}

/* Reads the line's next word into `word`; "" at its end. */
static void read_word(PnmReader *s, char word[WORD])
{
    int length = 0;
    while (s->at < s->size && s->bytes[s->at] != '\n' && is_space(s->bytes[s->at]))
        s->at++;
    for (; s->at < s->size && !is_space(s->bytes[s->at]); s->at++)
        if (length < WORD - 1)
            word[length++] = (char)s->bytes[s->at];
    word[length] = 0;
}

/* Reads a line such as "WIDTH 28"; *end: it was "ENDHDR". */
static bool read_line(PnmReader *s, Pnm *image, char type[WORD], bool *end)
{
    const struct {
        const char *word, *what;
        int most, *number;
    } numbers[] = { { "WIDTH", "width", PNM_SIDE_MAX, &image->width },
                    { "HEIGHT", "height", PNM_SIDE_MAX, &image->height },
                    { "DEPTH", "depth", 4, &s->depth },
                    { "MAXVAL", "maximum value", MAXVAL_MAX, &image->maxval } };
    char word[WORD];
    read_word(s, word);
    *end = strcmp(word, "ENDHDR") == 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(word, numbers[i].word) == 0)
            return read_number(s, numbers[i].what, 1, numbers[i].most, numbers[i].number);
    if (strcmp(word, "TUPLTYPE") == 0)
        read_word(s, type);
    else if (*word && *word != '#' && !*end)
        return error_set(s->error, s->name, "'%s' in the header is not a keyword of PAM", word);
    while (s->at < s->size && s->bytes[s->at] != '\n')
        s->at++;
    if (s->at == s->size)
        return error_set(s->error, s->name, "cut short: the header has no ENDHDR");
    s->at++;
    return true;
}

static bool read_pam_header(PnmReader *s, Pnm *image)
{
    char type[WORD] = "";
    for (bool end = false; !end;)
        if (!read_line(s, image, type, &end))
            return false;
    const char *missing = !image->width    ? "WIDTH"
                          : !image->height ? "HEIGHT"
                          : !s->depth      ? "DEPTH"
                          : !image->maxval ? "MAXVAL"
                                           : NULL;
    if (missing)
        return error_set(s->error, s->name, "no %s in the header", missing);
    return choose_tuple(s, image, type);
}

/* --- any header ------------------------------------------------------------------------------ */

/* Reads the header; kind: the digit after the P. */
static bool read_header(PnmReader *s, Pnm *image, int *kind)
{
    const uint8_t *at = s->bytes + s->at;
    if (s->size - s->at < 2 || at[0] != 'P' || at[1] < '1' || at[1] > '7')
        return refuse(s);
    *kind = at[1] - '0';
    s->at += 2;
    if (s->at < s->size && s->bytes[s->at] != '#' && !is_space(s->bytes[s->at]))
        return error_set(s->error, s->name, "byte %zu: no white space after P%d", s->at, *kind);
    if (*kind == 7)
        return read_pam_header(s, image);
    s->depth = image->channels = *kind == 3 || *kind == 6 ? 3 : 1;
    image->maxval = 1;
    return read_number(s, "width", 1, PNM_SIDE_MAX, &image->width) &&
           read_number(s, "height", 1, PNM_SIDE_MAX, &image->height) &&
           (*kind == 1 || *kind == 4 ||
            read_number(s, "maximum value", 1, MAXVAL_MAX, &image->maxval));
}

/* --- the samples ----------------------------------------------------------------------------- */

/* Returns the number of samples: at most 2^31 * 3, no overflow. */
static size_t sample_count(const Pnm *image)
{
    return size_mul(size_mul((size_t)image->width, (size_t)image->height), (size_t)image->channels);
}

/* Checks that `needed` bytes remain, before memory of a size claimed by a header is allocated. */
static bool check_left(const PnmReader *s, size_t needed)
{
    if (s->size - s->at >= needed)
        return true;
    return error_set(s->error, s->name, "cut short: the image needs %zu bytes, there are %zu",
                     needed, s->size - s->at);
}

/* Reads P2, P3: decimal numbers. */
static bool read_numbers(PnmReader *s, Pnm *image)
{
    size_t count = sample_count(image);
    if (!check_left(s, size_mul(2, count) - 1)) /* one digit each, with one separator in between */
        return false;
    image->samples = mem_alloc(count, sizeof *image->samples);
    for (size_t i = 0; i < count; i++) {
        int sample = 0;
        if (!read_number(s, "sample", 0, image->maxval, &sample))
            return false;
        image->samples[i] = (uint16_t)sample;
    }
    return true;
}

/* Reads P1: digits 0 (white) and 1 (black), with or without white space in between. */
static bool read_digits(PnmReader *s, Pnm *image)
{
    size_t count = sample_count(image);
    if (!check_left(s, count))
        return false;
    image->samples = mem_alloc(count, sizeof *image->samples);
    for (size_t i = 0; i < count; i++) {
        int c;
        do
            c = next_byte(s);
        while (is_space(c));
        if (c < 0)
            return error_set(s->error, s->name, "cut short: %zu of %zu pixels", i, count);
        if (c != '0' && c != '1')
            return error_set(s->error, s->name, "byte %zu: a pixel is neither 0 nor 1", s->at - 1);
        image->samples[i] = c == '0';
    }
    return true;
}

/* Reads P4: bits, 1 for black, the highest bit first, each row padded to whole bytes. */
static bool read_bits(PnmReader *s, Pnm *image)
{
    size_t width = (size_t)image->width, row_bytes = (width + 7) / 8;
    size_t height = (size_t)image->height;
    if (!check_left(s, row_bytes * height))
        return false;
    image->samples = mem_alloc(width * height, sizeof *image->samples);
    for (size_t y = 0; y < height; y++, s->at += row_bytes)
        for (size_t x = 0; x < width; x++)
            image->samples[y * width + x] = !(s->bytes[s->at + x / 8] >> (7 - x % 8) & 1);
    return true;
}

/* Reads P5, P6, P7: one byte per sample, or two, big-endian, if the maximum is above 255. */
static bool read_raw(PnmReader *s, Pnm *image)
{
    size_t pixels = (size_t)image->width * (size_t)image->height, depth = (size_t)s->depth;
    size_t channels = (size_t)image->channels, each = image->maxval > 255 ? 2 : 1;
    if (!check_left(s, size_mul(size_mul(pixels, depth), each)))
        return false;
    image->samples = mem_alloc(sample_count(image), sizeof *image->samples);
    for (size_t i = 0; i < pixels * depth; i++, s->at += each) {
        const uint8_t *at = s->bytes + s->at;
        int sample = each == 2 ? at[0] << 8 | at[1] : at[0];
        if (sample > image->maxval)
            return error_set(s->error, s->name, "byte %zu: a sample of %d, above the maximum %d",
                             s->at, sample, image->maxval);
        if (i % depth < channels)
            image->samples[i / depth * channels + i % depth] = (uint16_t)sample;
    }
    return true;
}

/* Skips what may stand between two images and after the last: white space, in a plain file also
 * comments, and padding added by file transfers, NUL and Ctrl-Z. */
static void skip_padding(PnmReader *s, bool plain)
{
    for (; s->at < s->size; s->at++) {
        int c = s->bytes[s->at];
        if (plain && c == '#') {
            next_byte(s);
            s->at--;
        } else if (!is_space(c) && c != 0 && c != 0x1A)
            return;
    }
}

static bool read_samples(PnmReader *s, Pnm *image, int kind)
{
    if (kind == 1)
        return read_digits(s, image);
    if (kind == 4)
        return read_bits(s, image);
    return kind < 4 ? read_numbers(s, image) : read_raw(s, image);
}

bool pnm_next(const char *name, const void *bytes, size_t size, size_t *at, Pnm *image,
              Error *error)
{
    PnmReader s = { name, bytes, size, *at, 0, error };
    int kind = 0;
    *image = (Pnm){ 0 };
    bool good = read_header(&s, image, &kind) && read_samples(&s, image, kind);
    if (!good)
        pnm_free(image);
    else
        skip_padding(&s, kind < 4);
    *at = s.at;
    return good;
}

void pnm_free(Pnm *image)
{
    free(image->samples);
    *image = (Pnm){ 0 };
}

bool pnm_write(const char *path, int width, int height, int channels, const uint8_t *samples,
               Error *error)
{
    FileWriter *file = file_create(path, error);
    if (!file)
        return false;
    char *header = str_format("P%d\n%d %d\n255\n", channels == 1 ? 5 : 6, width, height);
    file_put(file, header, strlen(header));
    file_put(file, samples, (size_t)width * (size_t)height * (size_t)channels);
    free(header);
    return file_commit(file, error);
}

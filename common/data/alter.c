#include "data/alter.h"

#include "base/ints.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "base/parallel.h"
#include "base/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const alter_standard[ALTER_STANDARD] = {
    "dark:0.5", "dark:0.25", "grey:0.5", "bright:64", "gamma:2", "gamma:0.5", "invert",
    "noise:16", "noise:32",  "noise:64", "shift:4",   "shift:6", "box:10",    "blur:3",
};

/* --- how an image changes -------------------------------------------------------------------- */

/* An image to alter; pixels: [channels,height,width]. */
typedef struct {
    int channels, height, width;
    double level;
    Random r; /* its numbers */
    const uint8_t *from;
    uint8_t *to;
} Canvas;

static uint8_t clip(double value)
{
    return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)(value + 0.5);
}

/* 28ths of a side, in pixels. */
static int pixels_of(double level, int side)
{
    return (int)floor(level * side / 28 + 0.5);
}

static double darken(double value, double level)
{
    return value * level;
}

static double flatten_contrast(double value, double level)
{
    return 127.5 + (value - 127.5) * level;
}

static double brighten(double value, double level)
{
    return value + level;
}

static double apply_gamma(double value, double level)
{
    return 255 * pow(value / 255, level);
}

static double invert(double value, double level)
{
    (void)level;
    return 255 - value;
}

static void add_noise(const Canvas *m)
{
    size_t values = (size_t)m->channels * (size_t)m->height * (size_t)m->width;
    for (size_t i = 0; i < values; i++)
        m->to[i] = clip(m->from[i] + m->level * random_normal(m->r, i));
}

/* Pixel (x, y) is taken from (x + right, y + down). */
static void shift(const Canvas *m)
{
    int way = (int)random_below(m->r, 0, 8), height = m->height, width = m->width;
    way += way >= 4; /* 4 of the nine would be no shift */
    int down = (way / 3 - 1) * pixels_of(m->level, height);
    int right = (way % 3 - 1) * pixels_of(m->level, width);
    for (int row = 0; row < m->channels * height; row++)
        for (int x = 0; x < width; x++) {
            int y = row % height + down, from = x + right;
            bool inside = y >= 0 && y < height && from >= 0 && from < width;
            m->to[(size_t)row * (size_t)width + (size_t)x] =
                inside ? m->from[(size_t)(row + down) * (size_t)width + (size_t)from] : 0;
        }
}

static void put_box(const Canvas *m)
{
    int height = pixels_of(m->level, m->height), width = pixels_of(m->level, m->width);
    int top = (int)random_below(m->r, 0, (uint64_t)(m->height - height + 1));
    int left = (int)random_below(m->r, 1, (uint64_t)(m->width - width + 1));
    size_t plane = (size_t)m->height * (size_t)m->width;
    memcpy(m->to, m->from, (size_t)m->channels * plane);
    for (int c = 0; c < m->channels; c++)
        for (int y = top; y < top + height; y++)
            memset(m->to + (size_t)c * plane + (size_t)y * (size_t)m->width + left, 0,
                   (size_t)width);
}

/* Row y of a plane: sums of the columns over the rows near it, then means along the row. */
static void blur_row(const Canvas *m, const uint8_t *plane, int y, int *sums, uint8_t *to)
{
    int up = pixels_of((m->level - 1) / 2, m->height),
        aside = pixels_of((m->level - 1) / 2, m->width);
    int top = int_max(y - up, 0), bottom = int_min(y + up, m->height - 1);
    for (int x = 0; x < m->width; x++) {
        sums[x] = 0;
        for (int q = top; q <= bottom; q++)
            sums[x] += plane[(size_t)q * (size_t)m->width + (size_t)x];
    }
    for (int x = 0; x < m->width; x++) {
        int left = int_max(x - aside, 0), right = int_min(x + aside, m->width - 1);
        int64_t sum = 0, count = (int64_t)(bottom - top + 1) * (right - left + 1);
        for (int q = left; q <= right; q++)
            sum += sums[q];
        to[x] = (uint8_t)((2 * sum + count) / (2 * count));
    }
}

static void blur(const Canvas *m)
{
    int *sums = mem_alloc((size_t)m->width, sizeof *sums);
    for (int row = 0; row < m->channels * m->height; row++) {
        size_t plane = (size_t)(row / m->height) * (size_t)m->height * (size_t)m->width;
        blur_row(m, m->from + plane, row % m->height, sums, m->to + (size_t)row * (size_t)m->width);
    }
    free(sums);
}

/* --- kinds ----------------------------------------------------------------------------------- */

typedef enum { NO_LEVEL, ANY, WHOLE, ODD } LevelForm;

/* What becomes of a value alone (tone), or of an image (change). */
static const struct Kind {
    const char *name;
    LevelForm form;
    double least, most;
    double (*tone)(double value, double level);
    void (*change)(const Canvas *image);
} kinds[] = {
    { "dark", ANY, 0, 1, darken, NULL },        { "grey", ANY, 0, 1, flatten_contrast, NULL },
    { "bright", ANY, 0, 255, brighten, NULL },  { "gamma", ANY, 0.1, 10, apply_gamma, NULL },
    { "invert", NO_LEVEL, 0, 0, invert, NULL }, { "noise", ANY, 0, 255, NULL, add_noise },
    { "shift", WHOLE, 1, 27, NULL, shift },     { "box", WHOLE, 1, 28, NULL, put_box },
    { "blur", ODD, 1, 27, NULL, blur },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* "blur:1…27 (odd)": a kind with its levels. To be freed. */
static char *levels_of(const struct Kind *k)
{
    static const char *const forms[] = { [ANY] = "", [WHOLE] = " (whole)", [ODD] = " (odd)" };
    return k->form == NO_LEVEL
               ? str_format("%s", k->name)
               : str_format("%s:%g…%g%s", k->name, k->least, k->most, forms[k->form]);
}

/* All of them. */
static char *list_kinds(void)
{
    char *list = NULL;
    for (int i = 0; i < KINDS; i++) {
        char *levels = levels_of(&kinds[i]);
        str_append(&list, "%s%s", i ? ", " : "", levels);
        free(levels);
    }
    return list;
}

/* text: what follows the kind's name. */
static bool parse_level(const struct Kind *kind, const char *text, double *level)
{
    *level = 0;
    if (kind->form == NO_LEVEL)
        return !*text;
    char *end;
    if (text[0] != ':' || !text[1] || !strchr("0123456789.", text[1]))
        return false;
    *level = strtod(text + 1, &end);
    return end != text + 1 && !*end && *level >= kind->least && *level <= kind->most &&
           (kind->form == ANY || fmod(*level, kind->form == ODD ? 2 : 1) == (kind->form == ODD));
}

static bool refuse_level(const char *text, const struct Kind *kind, Error *error)
{
    if (kind->form == NO_LEVEL)
        return error_set(error, "--alter", "'%s': %s has no level", error_shown(text).text,
                         kind->name);
    const char *const *example = alter_standard;
    while (strncmp(*example, kind->name, strlen(kind->name)) != 0)
        example++;
    char *levels = levels_of(kind);
    error_set(error, "--alter", "'%s' %s: %s, as in %s", error_shown(text).text,
              strchr(text, ':') ? "has no such level" : "lacks its level", levels, *example);
    free(levels);
    return false;
}

/* text: of which `length` letters are to be a kind's name. */
static bool refuse_kind(const char *text, size_t length, Error *error)
{
    char *list = list_kinds(), *name = str_format("%.*s", (int)length, text);
    Nearest nearest = { 0 };
    for (int i = 0; i < KINDS; i++)
        nearest_try(&nearest, name, kinds[i].name, strlen(kinds[i].name));
    error_set(error, "--alter", "'%s' is not one of %s%s%s%s", error_shown(text).text, list,
              nearest.word ? "; did you mean " : "", nearest.word ? nearest.word : "",
              nearest.word ? "?" : "");
    free(list);
    free(name);
    return false;
}

bool alter_parse(const char *text, Alteration *alteration, Error *error)
{
    size_t length = strcspn(text, ":");
    Alteration a = { 0 };
    const struct Kind *kind = kinds;
    while (a.kind < KINDS && (strlen(kind->name) != length || strncmp(kind->name, text, length)))
        kind = &kinds[++a.kind];
    if (a.kind == KINDS)
        return refuse_kind(text, length, error);
    if (!parse_level(kind, text + length, &a.level))
        return refuse_level(text, kind, error);
    if (kind->form == NO_LEVEL)
        snprintf(a.name, sizeof a.name, "%s", kind->name);
    else
        snprintf(a.name, sizeof a.name, "%s:%.9g", kind->name, a.level);
    *alteration = a;
    return true;
}

/* --- a set ----------------------------------------------------------------------------------- */

typedef struct {
    const Dataset *data;
    DatasetPart part;
    const struct Kind *kind;
    Canvas image; /* any of the set's, but for its pixels and numbers */
    uint8_t table[256], *pixels;
} Work;

static void alter_image(void *context, int i, int worker)
{
    const Work *w = context;
    Canvas image = w->image;
    Random images = { random_stream("alter"), random_stream(w->kind->name) };
    size_t size = (size_t)image.channels * (size_t)image.height * (size_t)image.width;
    (void)worker;
    image.r = (Random){ images.seed, random_bits(images, (uint64_t)w->part << 32 | (uint32_t)i) };
    image.from = w->data->pixels + (size_t)i * size;
    image.to = w->pixels + (size_t)i * size;
    if (w->kind->change)
        w->kind->change(&image);
    else
        for (size_t at = 0; at < size; at++)
            image.to[at] = w->table[image.from[at]];
}

Dataset alter_dataset(const Dataset *data, DatasetPart part, const Alteration *alteration)
{
    Dataset altered = *data;
    Work w = { .data = data, .part = part, .kind = &kinds[alteration->kind] };
    w.image = (Canvas){ .channels = data->channels,
                        .height = data->height,
                        .width = data->width,
                        .level = alteration->level };
    for (int value = 0; w.kind->tone && value < 256; value++)
        w.table[value] = clip(w.kind->tone(value, alteration->level));
    dataset_alloc_pixels(&altered);
    w.pixels = altered.pixels;
    parallel_for(data->count, alter_image, &w);
    memcpy(altered.altered, alteration->name, sizeof altered.altered);
    return altered;
}

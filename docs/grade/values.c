/* What is drawn: sizes, weights and a batch. */
#include "grade.h"

#include "base/memory.h"
#include "base/random.h"
#include "io/safetensors.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* --- sizes ------------------------------------------------------------------------------------ */

static __attribute__((format(printf, 3, 4))) void add_option(Sizes *sizes, const char *name,
                                                             const char *format, ...)
{
    va_list args;
    va_start(args, format);
    snprintf(sizes->options[sizes->option_count++], WORD, "%s", name);
    vsnprintf(sizes->options[sizes->option_count++], WORD, format, args);
    va_end(args);
}

/* Widths of which each divides four times the next, as a convolution grouped by its input wants
 * it, and no two are equal, as a projection does;
 * equal: the first is the stem's, which no projection follows. */
static void draw_widths(Random r, bool equal, int stem, int widths[4])
{
    uint64_t wider = equal ? 1 + random_below(r, 1, 3) : random_below(r, 1, 4);
    for (int i = 0; i < 4; i++)
        widths[i] = (i ? widths[i - 1] : stem / 2) * ((uint64_t)i == wider ? 4 : 2);
}

static Sizes draw(const Grade *g, int i, bool drops, bool scales)
{
    char *name = str_format("sizes %s %d", g->step, i);
    Random r = { g->seed, random_stream(name) };
    free(name);
    int stem = 4 * (1 + (int)random_below(r, 0, 3)), widths[4];
    draw_widths(r, g->number == 12, stem, widths);
    int least = g->number >= 10 ? 64 : 32; /* from step 10 on all is divided by 64 */
    Sizes s = { .what = "drawn sizes",
                .batch = 3 + (int)random_below(r, 2, 3),
                .channels = 1 + (int)random_below(r, 3, 3),
                .height = least + 4 * (int)random_below(r, 4, 8),
                .width = least + 4 * (int)random_below(r, 5, 8),
                .classes = 5 + (int)random_below(r, 6, 12) };
    add_option(&s, "--stem", "%d", stem);
    add_option(&s, "--widths", "%d,%d,%d,%d", widths[0], widths[1], widths[2], widths[3]);
    add_option(&s, "--depths", "%d,%d,%d,%d", 2, 1 + (int)random_below(r, 7, 3),
               1 + (int)random_below(r, 8, 3), 1 + (int)random_below(r, 9, 2));
    add_option(&s, "--classes", "%d", s.classes);
    add_option(&s, "--input", "%dx%dx%d", s.channels, s.height, s.width);
    if (drops)
        add_option(&s, "--drop-path", "0.%d", 1 + (int)random_below(r, 10, 4));
    if (scales)
        add_option(&s, "--layer-scale", "0.%d", 3 + (int)random_below(r, 11, 6));
    return s;
}

void sizes_draw(Grade *g, bool drops, bool scales)
{
    g->sizes[0] = (Sizes){ .what = "sizes of its own" };
    g->sizes[1] = (Sizes){ .what = "preset small" };
    add_option(&g->sizes[1], "--preset", "small");
    g->first_hidden = 2;
    g->networks = NETWORKS;
    for (int i = g->first_hidden; i < g->networks; i++)
        g->sizes[i] = draw(g, i, drops, scales);
}

/* --- weights and batch ------------------------------------------------------------------------ */

/* Numbers that keep what runs through the network near 1. */
static float draw_value(Random r, uint64_t i, const Entry *entry)
{
    if (entry->rank >= 2)
        return (float)(random_normal(r, i) *
                       sqrt((double)entry->shape[0] / (double)entry_elements(entry)));
    if (str_ends_with(entry->key, "running_mean") || str_ends_with(entry->key, "bias"))
        return (float)(0.3 * random_normal(r, i));
    return (float)(0.5 + random_uniform(r, i));
}

static void fill(Entry *entry, uint64_t seed)
{
    Random r = { seed, random_stream(entry->key) };
    size_t count = entry_elements(entry);
    float *values = mem_alloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = draw_value(r, i, entry);
    entry->data = values;
}

static void write_tensors(const char *folder, const char *name, const Entry *entries, size_t count)
{
    char *path = str_format("%s/%s", folder, name);
    Error error;
    if (!safetensors_write(path, entries, count, NULL, 0, &error))
        error_die_of(EXIT_FAILED, &error);
    free(path);
}

static void write_weights(const Grade *g, const Sizes *sizes)
{
    char *path = str_format("%s/fresh", g->folder);
    Outcome o = grade_run(g, g->ours, "init", sizes, (const char *[]){ "--output", path, NULL });
    if (o.status != 0)
        error_die(EXIT_FAILED, g->ours, "init: %s", o.err);
    outcome_free(&o);
    Safetensors fresh;
    Error error;
    if (!safetensors_read(path, &fresh, &error))
        error_die_of(EXIT_FAILED, &error);
    for (size_t i = 0; i < fresh.count; i++)
        fill(&fresh.entries[i], g->seed);
    write_tensors(g->folder, "w", fresh.entries, fresh.count);
    for (size_t i = 0; i < fresh.count; i++)
        free((void *)fresh.entries[i].data);
    safetensors_free(&fresh);
    free(path);
}

void values_write(const Grade *g, const Sizes *s)
{
    write_weights(g, s);
    Entry x = { .key = "x", .dtype = "F32", .rank = 4 }, labels = { .key = "labels" };
    const int shape[4] = { s->batch, s->channels, s->height, s->width };
    for (int i = 0; i < 4; i++)
        x.shape[i] = (size_t)shape[i];
    size_t count = entry_elements(&x);
    float *pixels = mem_alloc(count, sizeof *pixels);
    Random r = { g->seed, random_stream("x") };
    for (size_t i = 0; i < count; i++)
        pixels[i] = (float)random_normal(r, i);
    int64_t *classes = mem_alloc((size_t)s->batch, sizeof *classes);
    for (int i = 0; i < s->batch; i++)
        classes[i] = (int64_t)random_below(r, count + (size_t)i, (uint64_t)s->classes);
    x.data = pixels;
    x.bytes = count * sizeof *pixels;
    labels.dtype = "I64";
    labels.rank = 1;
    labels.shape[0] = (size_t)s->batch;
    labels.data = classes;
    labels.bytes = (size_t)s->batch * sizeof *classes;
    write_tensors(g->folder, "b", (Entry[]){ x, labels }, 2);
    free(pixels);
    free(classes);
}

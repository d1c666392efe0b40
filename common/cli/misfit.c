#include "cli/misfit.h"

#include "base/memory.h"
#include "base/path.h"
#include "cli/siblings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- which network's keys -------------------------------------------------------------------- */

/* Returns a network's keys as the command `keys` prints them. */
static char *own_keys(const Weights *weights)
{
    char *text = str_format("%s", ""), shape[SHAPE_TEXT];
    for (int i = 0; i < weights->count; i++) {
        const Param *p = &weights->params[i];
        str_append(&text, "%s\t%s\n", p->key, param_shape_text(p, shape));
    }
    return text;
}

static bool has_shape(const Entry *entry, const char *shape)
{
    char *text = entry_shape_text(entry);
    bool same = strcmp(text, shape) == 0;
    free(text);
    return same;
}

static int tensors_of(const Safetensors *file)
{
    int count = 0;
    for (size_t i = 0; i < file->count; i++)
        count += !strstr(file->entries[i].key, "num_batches_tracked");
    return count;
}

/* Returns how many of the file's tensors have the network's shapes; -1 if a key is missing or
 * unexpected. Frees the keys, which `keys` printed. */
static int likeness(const Safetensors *file, char *keys)
{
    int same = 0, count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(keys, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *tab = line + strcspn(line, "\t");
        const char *shape = *tab ? tab + 1 : tab;
        *tab = 0;
        const Entry *entry = safetensors_find(file, line);
        if (!entry) {
            count = -1;
            break;
        }
        count++;
        same += has_shape(entry, shape);
    }
    free(keys);
    return count == tensors_of(file) ? same : -1;
}

/* --- among the steps ------------------------------------------------------------------------- */

/* The sizes at which a step is asked for its keys: those of this call's network, or a preset's. */
enum { OWN_SIZES, SMALL, PAPER, ARTICLE, SIZES };
static const char *const presets[SIZES] = { "", " --preset small", " --preset paper",
                                            " --preset article" };

typedef struct {
    const Safetensors *file;
    char *words[SIZES]; /* options for `keys`, a line each */
    char *names;        /* the likeliest networks so far; NULL: this call's */
    int best, sizes;    /* their likeness and sizes */
    bool own;           /* it is this step's */
} Search;

static Search search_new(const Origin *origin, const Shape *s, const Weights *weights)
{
    const Config *c = &s->config;
    const int *w = c->widths, *d = c->depths;
    Search search = { .file = &origin->file, .best = likeness(&origin->file, own_keys(weights)) };
    char *sizes = str_format("--stem %d --widths %d,%d,%d,%d --depths %d,%d,%d,%d", c->stem, w[0],
                             w[1], w[2], w[3], d[0], d[1], d[2], d[3]);
    for (int i = 0; i < SIZES; i++)
        search.words[i] = str_format("--classes %d --input %dx%dx%d %s", c->classes, s->c, s->h,
                                     s->w, i == OWN_SIZES ? sizes : presets[i] + 1);
    free(sizes);
    return search;
}

/* Returns how like the file a program's network of these sizes is. */
static int likeness_of(const Search *s, const char *path, int sizes)
{
    char *line = str_format("%s", s->words[sizes]), *rest = NULL;
    const char *words[16];
    int count = 0;
    for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    char *keys = sibling_prints(path, "keys", words, count, NULL);
    free(line);
    return keys ? likeness(s->file, keys) : -1;
}

/* Asks a program at these sizes. Of networks that are equally like the file all are named, except
 * where this step itself is one, or where they were asked at other sizes. */
static void ask(Search *s, const char *path, int sizes, bool own)
{
    int like = likeness_of(s, path, sizes);
    bool equal = s->names && !s->own && sizes == s->sizes && like == s->best;
    if (like <= s->best && !equal)
        return;
    if (!equal) {
        free(s->names);
        s->names = NULL;
        s->best = like;
        s->sizes = sizes;
        s->own = own;
    }
    str_append(&s->names, "%s%s%s", equal ? " or " : "", path_base(path), presets[sizes]);
}

/* Returns the networks that are most like the file, and more than this call's; NULL: there are
 * none. Where the keys are this step's, at any preset, no other step is asked. */
static char *likely(const Origin *origin, const Shape *shape, const Weights *weights)
{
    const char *path = origin->run->path;
    Search s = search_new(origin, shape, weights);
    char **others = sibling_paths_named(path, NULL);
    int count = 0, all = tensors_of(s.file);
    bool ours = s.best >= 0;
    while (others[count])
        count++;
    for (int sizes = 0; sizes < SIZES && s.best < all; sizes++) {
        ask(&s, path, sizes, true);
        ours = ours || s.own;
        for (int i = count; !ours && i--;)
            ask(&s, others[i], sizes, false);
    }
    while (count--)
        free(others[count]);
    free(others);
    for (int i = 0; i < SIZES; i++)
        free(s.words[i]);
    return s.names;
}

/* --- in words -------------------------------------------------------------------------------- */

/* Returns the number of channels of the images that the file's first layer takes, where that is all
 * that is wrong with its weight; else 0. */
static int other_channels(const Origin *origin, const Weights *weights)
{
    const Param *p = &weights->params[0];
    const Entry *entry = weights->count ? weights_entry(weights, &origin->file, 0) : NULL;
    if (!entry || entry->rank != 4 || p->rank != 4 || entry->shape[1] == (size_t)p->shape[1])
        return 0;
    for (int i = 0; i < 4; i++)
        if (i != 1 && entry->shape[i] != (size_t)p->shape[i])
            return 0;
    return (int)entry->shape[1];
}

void misfit_die(const Origin *origin, const Shape *shape, const Weights *weights, Error *error)
{
    const char *path = origin->file.path;
    char *names = origin->layers ? NULL : likely(origin, shape, weights);
    int channels = origin->layers ? 0 : other_channels(origin, weights);
    if (names)
        error_set(error, path, "does not fit this network: its keys are those of %s", names);
    else if (channels)
        error_set(error, path,
                  "does not fit this network: its images have %d channel%s, this network's %d; "
                  "--input %dx%dx%d builds one for them",
                  channels, channels > 1 ? "s" : "", shape->c, channels, shape->h, shape->w);
    if (origin->hint) {
        size_t used = strlen(error->text);
        snprintf(error->text + used, sizeof error->text - used, "; %s", origin->hint);
    }
    error_die_of(EXIT_FAILED, error);
}

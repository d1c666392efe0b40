#include "graph/weights.h"

#include "base/memory.h"
#include "base/random.h"
#include "io/half.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND = 16 }; /* floats: 64 bytes, a cache line */

Weights *weights_new(const Net *net)
{
    Weights *weights = mem_alloc(1, sizeof *weights);
    weights->count = net_params(net);
    weights->params = mem_alloc((size_t)weights->count, sizeof *weights->params);
    weights->values = mem_alloc((size_t)weights->count, sizeof *weights->values);
    for (int i = 0; i < weights->count; i++) {
        weights->params[i] = *net_param(net, i);
        weights->params[i].key = str_format("%s", net_param(net, i)->key);
        weights->floats += (weights->params[i].count + ROUND - 1) / ROUND * ROUND;
    }
    weights->data = mem_alloc(weights->floats, sizeof *weights->data);
    float *at = weights->data;
    for (int i = 0; i < weights->count; i++) {
        weights->values[i] = at;
        at += (weights->params[i].count + ROUND - 1) / ROUND * ROUND;
    }
    return weights;
}

void weights_free(Weights *weights)
{
    if (!weights)
        return;
    for (int i = 0; i < weights->count; i++)
        free(weights->params[i].key);
    free(weights->params);
    free(weights->values);
    free(weights->data);
    free(weights);
}

Weights weights_tail(const Weights *weights, int first)
{
    float *data = first < weights->count ? weights->values[first] : weights->data + weights->floats;
    return (Weights){ .count = weights->count - first,
                      .params = weights->params + first,
                      .values = weights->values + first,
                      .data = data,
                      .floats = weights->floats - (size_t)(data - weights->data) };
}

/* --- fresh values ---------------------------------------------------------------------------- */

static float draw(Init init, Random r, size_t i)
{
    switch (init.kind) {
    case INIT_UNIFORM:
        return init.value * (float)(2 * random_uniform(r, i) - 1);
    case INIT_NORMAL:
        return init.value * (float)random_normal(r, i);
    case INIT_CONSTANT:
        break;
    }
    return init.value;
}

void weights_init(Weights *weights, uint64_t seed)
{
    for (int k = 0; k < weights->count; k++) {
        const Param *p = &weights->params[k];
        Random r = { .seed = seed, .stream = random_stream(p->key) };
        float *initial = mem_alloc(p->count, sizeof *initial);
        for (size_t i = 0; i < p->count; i++)
            initial[i] = draw(p->init, r, i);
        layout_from_file(p, initial, weights->values[k]);
        free(initial);
    }
}

/* --- layouts --------------------------------------------------------------------------------- */

/* Returns the position in memory of element (o, i, t) of a weight [out,in,taps]. */
static size_t position(const Param *p, size_t o, size_t i, size_t t)
{
    size_t out = (size_t)p->shape[0], in = (size_t)p->shape[1];
    size_t taps = (size_t)p->shape[2] * (size_t)p->shape[3];
    switch (p->layout) {
    case LAYOUT_OHWI:
        return (o * taps + t) * in + i;
    case LAYOUT_HWIO:
        return (t * in + i) * out + o;
    case LAYOUT_PLAIN:
        break;
    }
    return (o * in + i) * taps + t;
}

/* Copies a parameter from PyTorch's order to memory's (reading) or back. */
static void convert(const Param *p, const float *from, float *to, bool reading)
{
    if (p->layout == LAYOUT_PLAIN) {
        memcpy(to, from, p->count * sizeof *to);
        return;
    }
    size_t taps = (size_t)p->shape[2] * (size_t)p->shape[3], at = 0;
    for (size_t o = 0; o < (size_t)p->shape[0]; o++)
        for (size_t i = 0; i < (size_t)p->shape[1]; i++)
            for (size_t t = 0; t < taps; t++, at++)
                if (reading)
                    to[position(p, o, i, t)] = from[at];
                else
                    to[at] = from[position(p, o, i, t)];
}

void layout_from_file(const Param *p, const float *from, float *to)
{
    convert(p, from, to, true);
}

void layout_to_file(const Param *p, const float *from, float *to)
{
    convert(p, from, to, false);
}

/* --- files ----------------------------------------------------------------------------------- */

/* The number of keys that an error lists: enough to see the problem, fewer if it has been
 * described. */
enum { LISTED = 10, LISTED_BESIDE = 3 };

/* The mismatches between a file and a network; the text has the first few. */
typedef struct {
    int count, listed;
    char text[800];
} Mismatches;

static void add_mismatch(Mismatches *m, const char *what, const char *key)
{
    size_t used = strlen(m->text);
    if (m->count++ < m->listed)
        snprintf(m->text + used, sizeof m->text - used, "%s%s %s", used ? ", " : "", what, key);
}

/* Returns the rank without trailing ones: a 1x1 convolution's weight then equals a linear layer's,
 * and torchvision's layer scale of d x 1 x 1 the others' of d. */
static int rank_without_ones(const size_t *shape, int rank)
{
    while (rank && shape[rank - 1] == 1)
        rank--;
    return rank;
}

/* loosely: ignoring trailing ones. */
static bool same_shape(const Param *p, const Entry *entry, bool ignoring_ones)
{
    size_t shape[4] = { 0 };
    int rank = p->rank, found = entry->rank;
    for (int i = 0; i < rank; i++)
        shape[i] = (size_t)p->shape[i];
    if (ignoring_ones) {
        rank = rank_without_ones(shape, rank);
        found = rank_without_ones(entry->shape, found);
    }
    if (rank != found)
        return false;
    for (int i = 0; i < rank; i++)
        if (entry->shape[i] != shape[i])
            return false;
    return true;
}

static void wrong_shape(Mismatches *m, const Param *p, const Entry *entry)
{
    char wanted[SHAPE_TEXT], *found = entry_shape_text(entry);
    char *text = str_format("%s (%s, not %s)", entry->key, *found ? found : "a scalar",
                            param_shape_text(p, wanted));
    add_mismatch(m, "wrong shape", text);
    free(text);
    free(found);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The way a store is read from a file: the file's names of the parameters, and whether trailing
 * ones of a shape are ignored. */
typedef struct {
    char **keys;
    bool ignoring_ones;
    char *difference; /* describes a file that does not fit, or NULL */
} Reading;

/* Weights with names in every published scheme may have any of them in the file. */
static Reading reading_new(const Weights *weights, const Safetensors *file, const char *prefix)
{
    Reading r = { .keys = mem_alloc((size_t)weights->count, sizeof *r.keys) };
    Scheme scheme = OFFICIAL;
    r.ignoring_ones = !*prefix && scheme_fits(weights->params, weights->count);
    if (r.ignoring_ones) {
        scheme = scheme_of_file(file);
        r.difference = scheme_difference(file, scheme, weights->params, weights->count);
    }
    for (int i = 0; i < weights->count; i++) {
        const char *own = weights->params[i].key;
        r.keys[i] = r.ignoring_ones && scheme < SCHEMES ? scheme_key(own, scheme)
                                                        : str_format("%s%s", prefix, own);
    }
    return r;
}

static void reading_free(Reading *r, int count)
{
    for (int i = 0; i < count; i++)
        free(r->keys[i]);
    free(r->keys);
    free(r->difference);
}

/* Notes the file's keys below the prefix that the store lacks. */
static void find_extra(const Reading *r, int count, const Safetensors *file, const char *prefix,
                       Mismatches *m)
{
    char **keys = mem_alloc((size_t)count, sizeof *keys);
    memcpy(keys, r->keys, (size_t)count * sizeof *keys);
    qsort(keys, (size_t)count, sizeof *keys, by_key);
    for (size_t i = 0; i < file->count; i++) {
        const char *key = file->entries[i].key;
        if (strncmp(key, prefix, strlen(prefix)) != 0 || str_ends_with(key, "num_batches_tracked"))
            continue;
        if (!bsearch(&key, keys, (size_t)count, sizeof *keys, by_key))
            add_mismatch(m, "unexpected", error_shown(key).text);
    }
    free(keys);
}

static bool is_selected(const Param *p, Which which)
{
    return which & (p->trained ? TRAINED : RUNNING);
}

static void check_keys(const Weights *weights, Which which, const Reading *r,
                       const Safetensors *file, const char *prefix, Mismatches *m)
{
    for (int i = 0; i < weights->count; i++) {
        if (!is_selected(&weights->params[i], which))
            continue;
        const Entry *entry = safetensors_find(file, r->keys[i]);
        if (!entry)
            add_mismatch(m, "missing", r->keys[i]);
        else if (!same_shape(&weights->params[i], entry, r->ignoring_ones))
            wrong_shape(m, &weights->params[i], entry);
    }
    find_extra(r, weights->count, file, prefix, m);
}

bool weights_from_file(Weights *weights, const Safetensors *file, const char *prefix, Which which,
                       Error *error)
{
    Reading r = reading_new(weights, file, prefix);
    Mismatches m = { .listed = r.difference && *r.difference ? LISTED_BESIDE : LISTED };
    check_keys(weights, which, &r, file, prefix, &m);
    bool good = !m.count;
    if (!good)
        error_set(error, file->path, "does not fit this network: %s%s%s",
                  r.difference ? r.difference : "", m.text, m.count > m.listed ? ", and more" : "");
    for (int i = 0; i < weights->count && good; i++) {
        const Param *p = &weights->params[i];
        if (!is_selected(p, which))
            continue;
        float *values = mem_alloc(p->count, sizeof *values);
        good = entry_floats(file, safetensors_find(file, r.keys[i]), values, error);
        if (good)
            layout_from_file(p, values, weights->values[i]);
        free(values);
    }
    reading_free(&r, weights->count);
    return good;
}

const Entry *weights_entry(const Weights *weights, const Safetensors *file, int param)
{
    Reading r = reading_new(weights, file, "");
    const Entry *entry = safetensors_find(file, r.keys[param]);
    reading_free(&r, weights->count);
    return entry;
}

bool weights_load(Weights *weights, const char *path, Error *error)
{
    Safetensors file;
    if (!safetensors_read(path, &file, error))
        return false;
    bool good = weights_from_file(weights, &file, "", ALL, error);
    safetensors_free(&file);
    return good;
}

void entries_add(Entry **entries, size_t *count, const char *key, const char *dtype, int rank,
                 const size_t *shape, const void *data, size_t bytes)
{
    Entry entry = { .key = str_format("%s", key), .dtype = dtype, .rank = rank, .bytes = bytes };
    for (int i = 0; i < rank; i++)
        entry.shape[i] = shape[i];
    void *copy = mem_alloc(bytes, 1);
    if (bytes)
        memcpy(copy, data, bytes);
    entry.data = copy;
    *entries = mem_grow(*entries, *count + 1, sizeof **entries);
    (*entries)[(*count)++] = entry;
}

void weights_entries(const Weights *weights, const char *prefix, Which which, Entry **entries,
                     size_t *count)
{
    for (int i = 0; i < weights->count; i++) {
        const Param *p = &weights->params[i];
        if (!is_selected(p, which))
            continue;
        size_t shape[4];
        for (int d = 0; d < p->rank; d++)
            shape[d] = (size_t)p->shape[d];
        char *key = str_format("%s%s", prefix, p->key);
        float *values = mem_alloc(p->count, sizeof *values);
        layout_to_file(p, weights->values[i], values);
        entries_add(entries, count, key, "F32", p->rank, shape, values, p->count * sizeof *values);
        free(values);
        free(key);
    }
}

void entries_free(Entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(entries[i].key);
        free((void *)entries[i].data);
    }
    free(entries);
}

/* Converts a float32 entry to F16. */
static bool convert_to_half(Entry *entry, const char *path, Error *error)
{
    const float *values = entry->data;
    size_t elements = entry_elements(entry);
    uint16_t *halves = mem_alloc(elements, sizeof *halves);
    bool good = true;
    for (size_t i = 0; i < elements && good; i++) {
        halves[i] = half_from_float(values[i]);
        if (isfinite(values[i]) && isinf(half_to_float(halves[i])))
            good = error_set(error, path, "'%s': %g is too large for F16", entry->key,
                             (double)values[i]);
    }
    free((void *)entry->data);
    entry->data = halves, entry->bytes = elements * sizeof *halves, entry->dtype = "F16";
    return good;
}

bool weights_save(const Weights *weights, const Form *form, const char *path, Error *error)
{
    Entry *entries = NULL;
    size_t count = 0;
    bool good = true;
    weights_entries(weights, "", ALL, &entries, &count);
    if (scheme_fits(weights->params, weights->count))
        scheme_convert(entries, count, form->scheme);
    for (size_t i = 0; form->half && i < count && good; i++)
        good = convert_to_half(&entries[i], path, error);
    good = good &&
           safetensors_write(path, entries, count, form->metadata, form->metadata_count, error);
    entries_free(entries, count);
    return good;
}

Digest weights_digest(const Weights *weights)
{
    Entry *entries = NULL;
    size_t count = 0;
    Sha256 sha = sha256_new();
    weights_entries(weights, "", ALL, &entries, &count);
    if (scheme_fits(weights->params, weights->count))
        scheme_convert(entries, count, OFFICIAL);
    const Entry **sorted = entries_by_key("weights", entries, count, NULL); /* no key comes twice */
    for (size_t i = 0; i < count; i++)
        sha256_add(&sha, sorted[i]->data, sorted[i]->bytes);
    free(sorted);
    entries_free(entries, count);
    return sha256_end(&sha);
}

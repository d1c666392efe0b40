#include "cli/layers.h"

#include "base/memory.h"
#include "base/path.h"
#include "cli/siblings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- reading --------------------------------------------------------------------------------- */

/* Cuts *text after its first line and returns the line; NULL at the end. */
static char *next_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    if (!end)
        return NULL;
    *end = 0;
    *text = end + 1;
    return line;
}

/* Splits the line at its tabs; returns false unless it has `count` fields. */
static bool split_fields(char *line, char **field, int count)
{
    for (int i = 0; i < count; i++) {
        if (!line)
            return false;
        field[i] = line;
        line = strchr(line, '\t');
        if (line)
            *line++ = 0;
    }
    return !line;
}

static bool parse_report(Layers *l)
{
    char *text = l->report, *field[5];
    if (!next_line(&text))
        return false;
    for (char *line; (line = next_line(&text));) {
        if (!split_fields(line, field, 5))
            return false;
        Layer layer = { .name = field[0], .op = field[1], .output = field[2] };
        layer.params = strtoull(field[3], NULL, 10);
        layer.macs = strtoull(field[4], NULL, 10);
        layer.weight = str_format("%s", "");
        if (strcmp(layer.op, "-") == 0) {
            l->total = layer;
            return true;
        }
        l->layers = mem_grow(l->layers, (size_t)l->count + 1, sizeof *l->layers);
        l->layers[l->count++] = layer;
    }
    return false;
}

static Layer *layer_named(Layers *l, const char *name, size_t length)
{
    for (int i = 0; i < l->count; i++)
        if (strlen(l->layers[i].name) == length && strncmp(l->layers[i].name, name, length) == 0)
            return &l->layers[i];
    return NULL;
}

/* Reads the weights' shapes from the keys: a weight is a parameter of two or more dimensions, its
 * bias follows. Programs that print no keys have none. */
static void read_weights(Layers *l, const char *path, const char *const *options, int count)
{
    char *text = sibling_prints(path, "keys", options, count, NULL), *rest = text, *field[2];
    for (char *line; rest && (line = next_line(&rest)) && split_fields(line, field, 2);) {
        const char *dot = strrchr(field[0], '.');
        Layer *layer = dot ? layer_named(l, field[0], (size_t)(dot - field[0])) : NULL;
        bool bias = layer && strcmp(dot, ".bias") == 0 && *layer->weight;
        if (!layer || !(bias || strchr(field[1], 'x')))
            continue;
        char *old = layer->weight;
        layer->weight = bias ? str_format("%s bias", old) : str_format("%s", field[1]);
        free(old);
    }
    free(text);
}

/* --- units ----------------------------------------------------------------------------------- */

/* Returns the length of a unit's name at the start of a layer's: the first words, and two numbers
 * if two follow, as in "encoder.stages.2.3" + ".block.0.0", but "encoder.stem" + ".0.0". Never
 * includes the last part. */
static int prefix_length(const char *name)
{
    const char *last = strrchr(name, '.'), *at = name, *words;
    if (!last)
        return 0;
    while (at < last && !isdigit((unsigned char)*at))
        at += strcspn(at, ".") + 1;
    words = at;
    for (int i = 0; i < 2; i++) {
        size_t digits = strspn(at, "0123456789");
        if (at >= last || !digits || at[digits] != '.')
            return words > name ? (int)(words - name) - 1 : 0;
        at += digits + 1;
    }
    return (int)(at - name) - 1;
}

const char *layers_rest(const Layers *l, const LayerUnit *u, int i)
{
    const char *name = l->layers[u->first + i].name;
    return u->prefix ? name + u->prefix + 1 : name;
}

bool layers_same(const Layer *a, const Layer *b)
{
    return strcmp(a->op, b->op) == 0 && strcmp(a->output, b->output) == 0 &&
           strcmp(a->weight, b->weight) == 0 && a->params == b->params && a->macs == b->macs;
}

static bool same_kind(const Layers *l, const LayerUnit *u, const LayerUnit *v)
{
    if (u->count != v->count)
        return false;
    for (int i = 0; i < u->count; i++)
        if (!layers_same(&l->layers[u->first + i], &l->layers[v->first + i]) ||
            strcmp(layers_rest(l, u, i), layers_rest(l, v, i)) != 0)
            return false;
    return true;
}

static int kind_of(Layers *l, const LayerUnit *u)
{
    for (int i = l->unit_count - 1; i >= 0; i--) /* usually the kind of the unit before */
        if (same_kind(l, &l->units[i], u))
            return l->units[i].kind;
    return l->kinds++;
}

static void find_units(Layers *l)
{
    for (int i = 0; i < l->count;) {
        LayerUnit u = { .first = i, .prefix = prefix_length(l->layers[i].name) };
        for (; i < l->count && prefix_length(l->layers[i].name) == u.prefix &&
               strncmp(l->layers[i].name, l->layers[u.first].name, (size_t)u.prefix) == 0;
             i++)
            u.count++;
        u.kind = kind_of(l, &u);
        l->units = mem_grow(l->units, (size_t)l->unit_count + 1, sizeof *l->units);
        l->units[l->unit_count++] = u;
    }
}

/* --- a network ------------------------------------------------------------------------------- */

/* Returns the program's report in rows, or NULL; to be freed. */
static char *report_of(const char *path, const char *const *options, int count, Error *error)
{
    const char **words = mem_alloc((size_t)count + 2, sizeof *words);
    words[0] = "--format";
    words[1] = "tsv";
    for (int i = 0; i < count; i++)
        words[2 + i] = options[i];
    char *text = sibling_prints(path, "report", words, count + 2, error);
    free(words);
    return text;
}

bool layers_read_rows(const char *path, const char *const *options, int count, Layers *l,
                      Error *error)
{
    *l = (Layers){ .program = path_base(path) };
    l->report = report_of(path, options, count, error);
    if (l->report && parse_report(l))
        return true;
    if (l->report)
        error_set(error, path, "prints no report");
    layers_free(l);
    return false;
}

bool layers_read(const char *path, const char *const *options, int count, Layers *l, Error *error)
{
    if (!layers_read_rows(path, options, count, l, error))
        return false;
    read_weights(l, path, options, count);
    find_units(l);
    return true;
}

void layers_free(Layers *l)
{
    for (int i = 0; i < l->count; i++)
        free(l->layers[i].weight);
    free(l->total.weight);
    free(l->layers);
    free(l->units);
    free(l->report);
    *l = (Layers){ 0 };
}

const Layer *layers_at(const Layers *l, int i)
{
    return i < 0 ? NULL : &l->layers[i];
}

const char *layers_kernel(const char *weight)
{
    for (int i = 0; i < 2 && *weight; i++) {
        weight += strcspn(weight, "x");
        weight += *weight == 'x';
    }
    return weight;
}

#include "cli/layers.h"

#include "base/memory.h"
#include "cli/siblings.h"
#include "io/json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- reading --------------------------------------------------------------------------------- */

/* Cuts *text behind its first line and returns that; NULL at the end. */
static char *next_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    if (!end)
        return NULL;
    *end = 0;
    *text = end + 1;
    return line;
}

/* The line's fields, cut at its tabs; false: there are not `count`. */
static bool fields(char *line, char **field, int count)
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
        if (!fields(line, field, 5))
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

/* Takes note of a layer's weight, if the report in JSON says something of it. */
static bool weight_member(void *context, Json *json, char *key)
{
    Layer *layer = context;
    size_t number;
    char *text;
    if (strcmp(key, "parameters") == 0 || strcmp(key, "macs") == 0)
        return json_size(json, &number);
    if (!json_string(json, &text))
        return false;
    bool bias = strcmp(key, "bias") == 0;
    if (!bias && strcmp(key, "weight") != 0)
        return true;
    char *old = layer->weight;
    layer->weight = bias ? str_format("%s bias", old) : str_format("%s", text);
    free(old);
    return true;
}

/* The next layer, and how many there are. */
typedef struct {
    Layers *layers;
    int at;
} Place;

static bool weight_item(void *context, Json *json)
{
    Place *place = context;
    return place->at < place->layers->count &&
           json_object(json, weight_member, &place->layers->layers[place->at++]);
}

static bool report_member(void *context, Json *json, char *key)
{
    Place place = { .layers = context };
    size_t number;
    char *text;
    if (strcmp(key, "layers") == 0)
        return json_array(json, weight_item, &place);
    if (strcmp(key, "parameters") == 0 || strcmp(key, "macs") == 0)
        return json_size(json, &number);
    return json_string(json, &text);
}

/* The weights' shapes are in the report in JSON only. A program that has none does without. */
static void read_weights(Layers *l, const char *path, const char *const *options, int count)
{
    char *text = sibling_report(path, "json", options, count);
    if (!text)
        return;
    Error error;
    Json json = { .name = path, .text = text, .size = strlen(text), .error = &error };
    json_object(&json, report_member, l);
    free(text);
}

/* --- units ----------------------------------------------------------------------------------- */

/* How much of a layer's name is its unit's: the words in front, and two numbers where two follow,
 * as in "encoder.stages.2.3" + ".block.0.0", but "encoder.stem" + ".0.0". The last part is never
 * in. */
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
    for (int i = l->unit_count - 1; i >= 0; i--) /* most are as the one before */
        if (same_kind(l, &l->units[i], u))
            return l->units[i].kind;
    return l->kinds++;
}

static void divide(Layers *l)
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

/* --- the whole ------------------------------------------------------------------------------- */

bool layers_read(const char *path, const char *const *options, int count, Layers *l)
{
    *l = (Layers){ .program = sibling_base_name(path) };
    l->report = sibling_report(path, "tsv", options, count);
    if (!l->report || !parse_report(l)) {
        layers_free(l);
        return false;
    }
    read_weights(l, path, options, count);
    divide(l);
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

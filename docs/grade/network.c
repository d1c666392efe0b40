#include "network.h"

#include "base/memory.h"
#include "cli/align.h"
#include "io/json.h"

#include <stdlib.h>
#include <string.h>

/* --- reading ---------------------------------------------------------------------------------- */

static const char *const names[FACTS] = { "op",     "output",     "weight",     "bias", "kernel",
                                          "stride", "pad",        "groups",     "eps",  "init",
                                          "p",      "per_sample", "parameters", "macs", "inputs",
                                          "name",   "at" };

static bool add_input(void *context, Json *json)
{
    char **all = context, *input;
    if (!json_string(json, &input))
        return false;
    str_append(all, "%s%s", **all ? " and " : "", input);
    return true;
}

/* A value's words as they are written. They get their end when all is read. */
static bool read_value(Json *json, const char **value)
{
    while (strchr(" \n", json->text[json->at]))
        json->at++;
    char *start = json->text + json->at;
    if (*start == '"')
        return json_string(json, (char **)value);
    if (!json_skip(json))
        return false;
    *value = str_format("%.*s", (int)(json->text + json->at - start), start); /* kept to the end */
    return true;
}

static bool layer_member(void *context, Json *json, char *key)
{
    Described *layer = context;
    if (strcmp(key, "inputs") == 0) {
        char *all = str_format("%s", "");
        bool good = json_array(json, add_input, &all);
        layer->fact[INPUTS] = all; /* kept to the end */
        return good;
    }
    for (int i = 0; i < FACTS; i++)
        if (strcmp(key, names[i]) == 0)
            return read_value(json, &layer->fact[i]);
    return json_skip(json);
}

static bool add_layer(void *context, Json *json)
{
    Network *network = context;
    network->layers = mem_grow(network->layers, network->count + 1, sizeof *network->layers);
    Described *layer = &network->layers[network->count++];
    for (int i = 0; i < FACTS; i++)
        layer->fact[i] = "";
    return json_object(json, layer_member, layer);
}

static bool report_member(void *context, Json *json, char *key)
{
    return strcmp(key, "layers") == 0 ? json_array(json, add_layer, context) : json_skip(json);
}

static void read_keys(Network *network, char *text)
{
    network->key_text = text;
    for (char *line; (line = strsep(&text, "\n")) && text;) {
        char *tab = strchr(line, '\t');
        size_t n = network->key_count++;
        network->keys = mem_grow(network->keys, n + 1, sizeof *network->keys);
        network->shapes = mem_grow(network->shapes, n + 1, sizeof *network->shapes);
        network->keys[n] = line;
        network->shapes[n] = tab ? tab + 1 : line + strlen(line);
        if (tab)
            *tab = 0;
    }
}

bool network_read(char *report, size_t size, char *keys, Network *network, Error *error)
{
    *network = (Network){ .text = report };
    Json json = { .name = "report", .text = report, .size = size, .error = error };
    read_keys(network, keys);
    return json_object(&json, report_member, network) && json_end(&json);
}

/* --- finding ---------------------------------------------------------------------------------- */

const Described *network_layer_of(const Network *network, const char *key)
{
    for (size_t i = 0; i < network->count; i++) {
        const char *name = network->layers[i].fact[NAME];
        size_t length = strlen(name);
        if (strncmp(key, name, length) == 0 && (key[length] == '.' || !key[length]))
            return &network->layers[i];
    }
    return NULL;
}

const char *network_shape_of(const Network *network, const char *key)
{
    for (size_t i = 0; i < network->key_count; i++)
        if (strcmp(network->keys[i], key) == 0)
            return network->shapes[i];
    return NULL;
}

/* --- pairs ------------------------------------------------------------------------------------ */

static bool is_one_of(const char *op, const char *all)
{
    char *word = str_format(" %s ", op);
    bool is = strstr(all, word);
    free(word);
    return is;
}

bool is_structural(const Described *layer)
{
    return is_one_of(layer->fact[OP], " conv2d linear max_pool global_avg_pool add ");
}

/* Layers that may stand in each other's place. */
static bool are_alike(const char *a, const char *b)
{
    static const char *const kinds[] = { " batch_norm group_norm layer_norm ", " relu gelu " };
    for (int i = 0; i < 2; i++)
        if (is_one_of(a, kinds[i]) && is_one_of(b, kinds[i]))
            return true;
    return strcmp(a, b) == 0;
}

bool differ(Paired p, Fact f)
{
    return strcmp(p.want->fact[f], p.got->fact[f]) != 0;
}

/* The length of a name without its last parts, which number the layers of a block. */
static size_t unit_length(const char *name)
{
    const char *block = strstr(name, ".block"), *shortcut = strstr(name, ".shortcut");
    const char *end = block ? block + 6 : shortcut ? shortcut + 9 : strrchr(name, '.');
    return end ? (size_t)(end - name) : 0;
}

typedef struct {
    const Network *want, *got;
} Both;

static int likeness(const void *context, int a, int b)
{
    const Both *both = context;
    const Described *want = &both->want->layers[a], *got = &both->got->layers[b];
    if (!are_alike(want->fact[OP], got->fact[OP]))
        return 0;
    size_t length = unit_length(want->fact[NAME]);
    int gain = 1;
    if (length == unit_length(got->fact[NAME]) &&
        strncmp(want->fact[NAME], got->fact[NAME], length) == 0)
        gain += 16;
    for (Fact f = OP; f <= GROUPS; f++)
        gain += strcmp(want->fact[f], got->fact[f]) == 0;
    return gain + 4 * (strcmp(want->fact[NAME], got->fact[NAME]) == 0);
}

Paired *network_pair(const Network *want, const Network *got, size_t *count)
{
    Both both = { want, got };
    Pair *pairs = mem_alloc(want->count + got->count + 1, sizeof *pairs);
    int n = align_pairs((int)want->count, (int)got->count, likeness, &both, pairs);
    Paired *list = mem_alloc((size_t)n + 1, sizeof *list);
    for (int i = 0; i < n; i++)
        list[i] = (Paired){ pairs[i].a < 0 ? NULL : &want->layers[pairs[i].a],
                            pairs[i].b < 0 ? NULL : &got->layers[pairs[i].b] };
    free(pairs);
    *count = (size_t)n;
    return list;
}

#include "graph/schemes.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const PublishedSize scheme_published_sizes[PUBLISHED_SIZES] = {
    { "tiny", { 3, 3, 9, 3 }, { 96, 192, 384, 768 } },
    { "small", { 3, 3, 27, 3 }, { 96, 192, 384, 768 } },
    { "base", { 3, 3, 27, 3 }, { 128, 256, 512, 1024 } },
    { "large", { 3, 3, 27, 3 }, { 192, 384, 768, 1536 } },
    { "xlarge", { 3, 3, 27, 3 }, { 256, 512, 1024, 2048 } },
};

const PublishedSize *scheme_published_size(const char *name)
{
    int i = 0;
    while (i < PUBLISHED_SIZES - 1 && strcmp(scheme_published_sizes[i].name, name) != 0)
        i++;
    return &scheme_published_sizes[i];
}

/* --- names ----------------------------------------------------------------------------------- */

/* The parts of a ConvNeXt that have parameters; a block's in the order of its state_dict, where a
 * module's own parameter precedes those of its children. */
typedef enum {
    STEM,
    STEM_NORM,
    DOWN_NORM,
    DOWN,
    GAMMA,
    DEPTHWISE,
    BLOCK_NORM,
    WIDEN,
    SHRINK,
    LAST_NORM,
    HEAD,
    PARTS
} ModelPart;

/* S: the stage, from 0; B: the block, from 0. N is B + 1 in names by position, where the
 * downsampling is number 0; torchvision's D is 2S and E 2S + 1. All but GAMMA's are followed by
 * ".weight" or ".bias". */
#define TF "convnext."
#define TF_STAGE TF "encoder.stages.S."
static const char *const patterns[PARTS][SCHEMES] = {
    [STEM] = { "encoder.stem.0", "downsample_layers.0.0", "stem.0", "features.0.0",
               TF "embeddings.patch_embeddings" },
    [STEM_NORM] = { "encoder.stem.1", "downsample_layers.0.1", "stem.1", "features.0.1",
                    TF "embeddings.layernorm" },
    [DOWN_NORM] = { "encoder.stages.S.0.0", "downsample_layers.S.0", "stages.S.downsample.0",
                    "features.D.0", TF_STAGE "downsampling_layer.0" },
    [DOWN] = { "encoder.stages.S.0.1", "downsample_layers.S.1", "stages.S.downsample.1",
               "features.D.1", TF_STAGE "downsampling_layer.1" },
    [GAMMA] = { "encoder.stages.S.N.layer_scaler.gamma", "stages.S.B.gamma",
                "stages.S.blocks.B.gamma", "features.E.B.layer_scale",
                TF_STAGE "layers.B.layer_scale_parameter" },
    [DEPTHWISE] = { "encoder.stages.S.N.block.0", "stages.S.B.dwconv", "stages.S.blocks.B.conv_dw",
                    "features.E.B.block.0", TF_STAGE "layers.B.dwconv" },
    [BLOCK_NORM] = { "encoder.stages.S.N.block.1", "stages.S.B.norm", "stages.S.blocks.B.norm",
                     "features.E.B.block.2", TF_STAGE "layers.B.layernorm" },
    [WIDEN] = { "encoder.stages.S.N.block.2", "stages.S.B.pwconv1", "stages.S.blocks.B.mlp.fc1",
                "features.E.B.block.3", TF_STAGE "layers.B.pwconv1" },
    [SHRINK] = { "encoder.stages.S.N.block.4", "stages.S.B.pwconv2", "stages.S.blocks.B.mlp.fc2",
                 "features.E.B.block.5", TF_STAGE "layers.B.pwconv2" },
    [LAST_NORM] = { "head.2", "norm", "head.norm", "classifier.0", TF "layernorm" },
    [HEAD] = { "head.3", "head", "head.fc", "classifier.2", "classifier" },
};

/* Layers without parameters, which a state_dict does not contain: their name by position, and their
 * module's name in the authors' code or one in its style. */
static const char *const unnamed_layers[][2] = {
    { "encoder.stages.S.N.block.3", "stages.S.B.act" },
    { "encoder.stages.S.N.drop_path", "stages.S.B.drop_path" },
    { "encoder.stages.S.N.add", "stages.S.B.add" },
    { "head.0", "mean" },
    { "head.1", "flatten" },
};
enum { UNNAMED_LAYERS = sizeof unnamed_layers / sizeof *unnamed_layers };

/* --- from key to place and back -------------------------------------------------------------- */

/* A tensor's place in a ConvNeXt. */
typedef struct {
    ModelPart part;
    int stage, block;
    bool bias;
} TensorPlace;

/* Reads digits as every library writes them, without a leading 0; returns the rest, or NULL if
 * there are none. */
static const char *read_number(const char *text, int *value)
{
    size_t digits = strspn(text, "0123456789");
    if (digits < 1 || digits > 6 || (digits > 1 && text[0] == '0'))
        return NULL;
    *value = atoi(text);
    return text + digits;
}

/* Sets the field of a pattern's letter; returns false for an impossible value. */
static bool set_field(char letter, int value, TensorPlace *p)
{
    switch (letter) {
    case 'B':
        p->block = value;
        return true;
    case 'N':
        p->block = value - 1;
        return value > 0;
    case 'D':
        p->stage = value / 2;
        return value % 2 == 0;
    case 'E':
        p->stage = value / 2;
        return value % 2 == 1;
    default:
        p->stage = value;
        return true;
    }
}

static int field_of(char letter, const TensorPlace *p)
{
    switch (letter) {
    case 'B':
        return p->block;
    case 'D':
        return 2 * p->stage;
    case 'E':
        return 2 * p->stage + 1;
    default:
        return p->stage;
    }
}

static bool is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Matches the pattern at the beginning of the text and returns the rest of the text, NULL if it
 * does not match. */
static const char *match(const char *pattern, const char *text, TensorPlace *p)
{
    *p = (TensorPlace){ 0 };
    for (; *pattern; pattern++) {
        int value = 0;
        if (!is_letter(*pattern)) {
            if (*text++ != *pattern)
                return NULL;
            continue;
        }
        text = read_number(text, &value);
        if (!text || !set_field(*pattern, value, p))
            return NULL;
    }
    return text;
}

/* Returns the pattern with its letters replaced by numbers. */
static char *fill_pattern(const char *pattern, const TensorPlace *p)
{
    char text[128];
    size_t used = 0;
    for (; *pattern && used < sizeof text - 16; pattern++)
        if (is_letter(*pattern))
            used += (size_t)snprintf(text + used, sizeof text - used, "%d", field_of(*pattern, p));
        else
            text[used++] = *pattern;
    return str_format("%.*s", (int)used, text);
}

static bool match_part(ModelPart part, Scheme scheme, const char *key, TensorPlace *p)
{
    const char *rest = match(patterns[part][scheme], key, p);
    p->part = part;
    if (!rest || p->stage > 3 || ((part == DOWN || part == DOWN_NORM) && p->stage == 0))
        return false;
    if (part == GAMMA)
        return !*rest;
    p->bias = strcmp(rest, ".bias") == 0;
    return p->bias || strcmp(rest, ".weight") == 0;
}

static bool place_of(const char *key, Scheme scheme, TensorPlace *p)
{
    for (ModelPart part = 0; part < PARTS; part++)
        if (match_part(part, scheme, key, p))
            return true;
    return false;
}

static char *key_of(const TensorPlace *p, Scheme scheme)
{
    char *module = fill_pattern(patterns[p->part][scheme], p);
    const char *suffix = p->part == GAMMA ? "" : p->bias ? ".bias" : ".weight";
    char *key = str_format("%s%s", module, suffix);
    free(module);
    return key;
}

char *scheme_key(const char *official, Scheme scheme)
{
    TensorPlace p;
    return place_of(official, OFFICIAL, &p) ? key_of(&p, scheme) : str_format("%s", official);
}

bool scheme_fits(const Param *params, int count)
{
    TensorPlace p;
    for (int i = 0; i < count; i++)
        if (!place_of(params[i].key, OFFICIAL, &p))
            return false;
    return count > 0;
}

/* --- a network's names ----------------------------------------------------------------------- */

static void name_param(Param *param)
{
    TensorPlace p;
    place_of(param->key, BY_POSITION, &p);
    free(param->key);
    param->key = key_of(&p, OFFICIAL);
    if ((p.part == WIDEN || p.part == SHRINK) && !p.bias) { /* out x in x 1 x 1: the same numbers */
        param->rank = 2;
        param->layout = LAYOUT_PLAIN;
    }
}

static void name_layer(Tensor *t)
{
    char *name = NULL;
    TensorPlace p;
    if (t->params) { /* named as its first parameter, without ".weight" */
        const char *key = net_param(t->net, t->first_param)->key, *end = strstr(key, ".weight");
        name = str_format("%.*s", end ? (int)(end - key) : (int)strlen(key), key);
    }
    for (int i = 0; i < UNNAMED_LAYERS && !name; i++) {
        const char *rest = match(unnamed_layers[i][0], t->name, &p);
        if (rest && !*rest)
            name = fill_pattern(unnamed_layers[i][1], &p);
    }
    if (name) {
        free(t->name);
        t->name = name;
    }
}

void scheme_name_officially(Net *net)
{
    TensorPlace p;
    for (int i = 0; i < net_params(net); i++)
        if (!place_of(net_param(net, i)->key, BY_POSITION, &p))
            return;
    for (int i = 0; i < net_params(net); i++)
        name_param(net_param_to_change(net, i));
    for (int i = 1; i < net_tensors(net); i++)
        name_layer(net_tensor(net, i));
}

/* --- entries --------------------------------------------------------------------------------- */

/* Returns a place's rank in the library's state_dict: the authors' model has all its downsampling
 * layers in one list, before its stages; the others have each in its stage. */
static uint64_t rank_of(const TensorPlace *p, Scheme scheme)
{
    bool down = p->part == DOWN || p->part == DOWN_NORM;
    uint64_t section = p->part <= STEM_NORM ? 0 : p->part >= LAST_NORM ? 3 : 2;
    if (down && scheme == OFFICIAL)
        section = 1;
    uint64_t rank = section * 4 + (uint64_t)p->stage;
    rank = rank << 32 | (down ? 0 : (uint64_t)p->block + 1);
    return (rank * PARTS + p->part) * 2 + p->bias;
}

typedef struct {
    uint64_t rank;
    Entry entry;
} Ranked;

static int by_rank(const void *a, const void *b)
{
    uint64_t x = ((const Ranked *)a)->rank, y = ((const Ranked *)b)->rank;
    return (x > y) - (x < y);
}

/* Changes shape d to d x 1 x 1. */
static void add_unit_dimensions(Entry *entry)
{
    entry->rank = 3;
    entry->shape[1] = entry->shape[2] = 1;
}

void scheme_convert(Entry *entries, size_t count, Scheme scheme)
{
    Ranked *ranked = mem_alloc(count, sizeof *ranked);
    for (size_t i = 0; i < count; i++) {
        TensorPlace p = { 0 };
        Entry entry = entries[i];
        if (place_of(entries[i].key, OFFICIAL, &p)) {
            free(entry.key);
            entry.key = key_of(&p, scheme);
        }
        if (p.part == GAMMA && scheme == TORCHVISION)
            add_unit_dimensions(&entry);
        ranked[i] = (Ranked){ rank_of(&p, scheme), entry };
    }
    qsort(ranked, count, sizeof *ranked, by_rank);
    for (size_t i = 0; i < count; i++)
        entries[i] = ranked[i].entry;
    free(ranked);
}

/* --- files ----------------------------------------------------------------------------------- */

Scheme scheme_of_file(const Safetensors *file)
{
    Scheme best = SCHEMES;
    size_t most = 0;
    for (Scheme s = OFFICIAL; s < SCHEMES; s++) {
        size_t fit = 0;
        TensorPlace p;
        for (size_t i = 0; i < file->count; i++)
            fit += place_of(file->entries[i].key, s, &p);
        best = fit > most ? s : best;
        most = fit > most ? fit : most;
    }
    return best;
}

/* A network's sizes, derived from the shapes of its tensors. */
typedef struct {
    int depths[4], widths[4], classes;
} Sizes;

/* Updates the sizes from one tensor. first: its first dimension. */
static void update_sizes(Sizes *sizes, const TensorPlace *p, size_t first)
{
    bool weight = !p->bias;
    int size = first < 1 << 30 ? (int)first : 1 << 30;
    if (weight && (p->part == STEM || p->part == DOWN))
        sizes->widths[p->stage] = size;
    if (weight && p->part == HEAD)
        sizes->classes = size;
    if (p->part >= GAMMA && p->part <= SHRINK && p->block >= sizes->depths[p->stage])
        sizes->depths[p->stage] = p->block + 1;
}

static char *sizes_text(const Sizes *s)
{
    const int *w = s->widths, *d = s->depths;
    return str_format("widths %d,%d,%d,%d, depths %d,%d,%d,%d and %d classes", w[0], w[1], w[2],
                      w[3], d[0], d[1], d[2], d[3], s->classes);
}

/* Returns " (that is --variant small)", or "" for other sizes. */
static char *variant_text(const Sizes *s)
{
    for (int i = 0; i < PUBLISHED_SIZES; i++)
        if (memcmp(scheme_published_sizes[i].depths, s->depths, sizeof s->depths) == 0 &&
            memcmp(scheme_published_sizes[i].widths, s->widths, sizeof s->widths) == 0)
            return str_format(" (that is --variant %s)", scheme_published_sizes[i].name);
    return str_format("%s", "");
}

/* Describes a file whose keys follow no scheme. */
static char *unknown_keys_text(const Safetensors *file)
{
    if (!file->count)
        return str_format("holds no tensor; ");
    if (safetensors_find(file, "embeddings.patch_embeddings.weight"))
        return str_format("is transformers' ConvNextModel, which has no classifier, as "
                          "ConvNextForImageClassification has; ");
    const TensorPlace stem = { .part = STEM };
    char *keys[SCHEMES] = { NULL };
    for (Scheme s = OFFICIAL; s < SCHEMES; s++)
        keys[s] = key_of(&stem, s);
    char *text =
        str_format("has no key of a ConvNeXt: begins with '%s', not with '%s' (official), '%s' "
                   "(timm), '%s' (torchvision) or '%s' (transformers); ",
                   error_shown(file->entries[0].key).text, keys[OFFICIAL], keys[TIMM],
                   keys[TORCHVISION], keys[TRANSFORMERS]);
    for (Scheme s = OFFICIAL; s < SCHEMES; s++)
        free(keys[s]);
    return text;
}

char *scheme_difference(const Safetensors *file, Scheme scheme, const Param *params, int count)
{
    Sizes theirs = { 0 }, ours = { 0 };
    TensorPlace p;
    if (scheme == SCHEMES)
        return unknown_keys_text(file);
    for (size_t i = 0; i < file->count; i++)
        if (place_of(file->entries[i].key, scheme, &p) && file->entries[i].rank)
            update_sizes(&theirs, &p, file->entries[i].shape[0]);
    for (int i = 0; i < count; i++)
        if (place_of(params[i].key, OFFICIAL, &p))
            update_sizes(&ours, &p, (size_t)params[i].shape[0]);
    if (memcmp(&theirs, &ours, sizeof ours) == 0)
        return str_format("%s", "");
    char *file_text = sizes_text(&theirs), *network_text = sizes_text(&ours),
         *name = variant_text(&theirs);
    char *text = str_format("holds a ConvNeXt of %s%s, not of %s; ", file_text, name, network_text);
    free(file_text);
    free(network_text);
    free(name);
    return text;
}

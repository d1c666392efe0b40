#include "train/checkpoint.h"

#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The position in words; doubles in hexadecimal, so that they come back bit for bit. */
#define POSITION "epoch %d batch %d loss %a best %d %a step %" PRIu64
#define POSITION_READ "epoch %d batch %d loss %la best %d %la step %" SCNu64

bool checkpoint_save(const char *path, const State *state, Error *error)
{
    Entry *entries = NULL;
    size_t count = 0;
    weights_entries(state->weights, "weights/", ALL, &entries, &count);
    weights_entries(state->optimizer.m, "adamw.m/", TRAINED, &entries, &count);
    weights_entries(state->optimizer.v, "adamw.v/", TRAINED, &entries, &count);
    if (state->average)
        weights_entries(state->average, "average/", ALL, &entries, &count);
    char *position = str_format(POSITION, state->epoch, state->batch, state->loss_sum,
                                state->best_epoch, state->best_top1, state->optimizer.step);
    size_t told = state->metadata_count;
    Metadata *metadata = mem_alloc(told + 2, sizeof *metadata);
    metadata[0] = (Metadata){ .key = "position", .value = position };
    metadata[1] = (Metadata){ .key = "recipe", .value = (char *)state->recipe };
    if (told)
        memcpy(metadata + 2, state->metadata, told * sizeof *metadata);
    bool good = safetensors_write(path, entries, count, metadata, told + 2, error);
    free(metadata);
    free(position);
    entries_free(entries, count);
    return good;
}

/* Comparisons that a NaN fails, too. */
static bool possible(const State *s)
{
    return s->epoch >= 0 && s->batch >= 0 && isfinite(s->loss_sum) && s->best_epoch >= 0 &&
           s->best_epoch <= s->epoch && s->best_top1 >= 0 && s->best_top1 <= 1;
}

static bool read_position(const Safetensors *file, State *state, Error *error)
{
    const char *position = safetensors_metadata(file, "position");
    if (!position ||
        sscanf(position, POSITION_READ, &state->epoch, &state->batch, &state->loss_sum,
               &state->best_epoch, &state->best_top1, &state->optimizer.step) != 6 ||
        !possible(state))
        return error_set(error, file->path, "is not a checkpoint: no position in it");
    return true;
}

static bool same_recipe(const Safetensors *file, const State *state, Error *error)
{
    const char *recipe = safetensors_metadata(file, "recipe");
    if (!recipe)
        return error_set(error, file->path, "is not a checkpoint: no recipe in it");
    if (strcmp(recipe, state->recipe) != 0)
        return error_set(error, file->path, "was trained with other options: '%s', not '%s'",
                         recipe, state->recipe);
    return true;
}

/* The options may be the same and the network or the data another: a step that was changed. */
static bool same_metadata(const Safetensors *file, const State *state, Error *error)
{
    for (size_t i = 0; i < state->metadata_count; i++) {
        const Metadata *m = &state->metadata[i];
        const char *was = safetensors_metadata(file, m->key);
        if (was && strcmp(was, m->value) != 0)
            return error_set(error, file->path,
                             "was trained with other %s; another --out starts anew", m->key);
    }
    return true;
}

bool checkpoint_load(const char *path, State *state, Error *error)
{
    Safetensors file;
    if (!safetensors_read(path, &file, error))
        return false;
    bool good =
        same_recipe(&file, state, error) && same_metadata(&file, state, error) &&
        read_position(&file, state, error) &&
        weights_from_file(state->weights, &file, "weights/", ALL, error) &&
        weights_from_file(state->optimizer.m, &file, "adamw.m/", TRAINED, error) &&
        weights_from_file(state->optimizer.v, &file, "adamw.v/", TRAINED, error) &&
        (!state->average || weights_from_file(state->average, &file, "average/", ALL, error));
    safetensors_free(&file);
    return good;
}

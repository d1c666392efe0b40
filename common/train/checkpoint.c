#include "train/checkpoint.h"

#include "base/memory.h"
#include "train/recipe.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The position in words; doubles in hexadecimal, so that they come back bit for bit. */
#define POSITION "epoch %d batch %d loss %a best %d %a step %" PRIu64 " best_loss %a"
#define POSITION_READ "epoch %d batch %d loss %la best %d %la step %" SCNu64 " best_loss %la"

bool checkpoint_save(const char *path, const State *state, Error *error)
{
    Entry *entries = NULL;
    size_t count = 0;
    weights_entries(state->weights, "weights/", ALL, &entries, &count);
    if (state->velocity)
        weights_entries(state->velocity, "sgd.velocity/", TRAINED, &entries, &count);
    else {
        weights_entries(state->optimizer.m, "adamw.m/", TRAINED, &entries, &count);
        weights_entries(state->optimizer.v, "adamw.v/", TRAINED, &entries, &count);
    }
    if (state->average)
        weights_entries(state->average, "average/", ALL, &entries, &count);
    char *position =
        str_format(POSITION, state->epoch, state->batch, state->loss_sum, state->best_epoch,
                   state->best_top1, state->optimizer.step, state->best_loss);
    size_t told = state->metadata_count, own = state->before ? 3 : 2;
    Metadata *metadata = mem_alloc(own + told, sizeof *metadata);
    metadata[0] = (Metadata){ .key = "position", .value = position };
    metadata[1] = (Metadata){ .key = "recipe", .value = (char *)state->recipe };
    if (state->before)
        metadata[2] = (Metadata){ .key = "before", .value = state->before };
    if (told)
        memcpy(metadata + own, state->metadata, told * sizeof *metadata);
    bool good = safetensors_write(path, entries, count, metadata, own + told, error);
    free(metadata);
    free(position);
    entries_free(entries, count);
    return good;
}

/* Comparisons that a NaN fails, too. */
static bool possible(const State *s)
{
    return s->epoch >= 0 && s->batch >= 0 && isfinite(s->loss_sum) && s->best_epoch >= 0 &&
           s->best_epoch <= s->epoch && s->best_top1 >= 0 && s->best_top1 <= 1 &&
           !isnan(s->best_loss);
}

static bool read_position(const Safetensors *file, State *state, Error *error)
{
    const char *position = safetensors_metadata(file, "position");
    state->best_loss =
        -INFINITY; /* the first edition wrote none: an earlier epoch stays the best */
    if (!position ||
        sscanf(position, POSITION_READ, &state->epoch, &state->batch, &state->loss_sum,
               &state->best_epoch, &state->best_top1, &state->optimizer.step,
               &state->best_loss) < 6 ||
        !possible(state))
        return error_set(error, file->path, "is not a checkpoint: no position in it");
    return true;
}

static bool same_recipe(const char *recipe, State *state, const char *path, Error *error)
{
    char *differences = recipe_differences(recipe, state->recipe);
    if (!differences || (state->longer && recipe_longer(recipe, state->recipe))) {
        free(differences);
        return true;
    }
    error_set(error, path,
              "the run was begun with other options: %s. --resume continues it with those options, "
              "or with more --epochs; another --out starts a new one",
              differences);
    free(differences);
    state->refused = true;
    return false;
}

/* The recipe's history, with the file's own recipe where the run becomes longer. */
static char *history(const Safetensors *file, const State *state)
{
    const char *recipe = safetensors_metadata(file, "recipe");
    const char *before = safetensors_metadata(file, "before");
    if (!recipe_longer(recipe, state->recipe))
        return before ? str_format("%s", before) : NULL;
    char *length = recipe_length(recipe);
    char *text = str_format("%s%s%s to step %" PRIu64, before ? before : "", before ? ", " : "",
                            length, state->optimizer.step);
    free(length);
    return text;
}

/* The options may be the same and the network or the data another: a step that was changed. */
static bool same_metadata(const Safetensors *file, State *state, Error *error)
{
    const char *data = safetensors_metadata(file, "data");
    for (size_t i = 0; i < state->metadata_count; i++) {
        const Metadata *m = &state->metadata[i];
        const char *was = safetensors_metadata(file, m->key);
        if (!was || strcmp(was, m->value) == 0)
            continue;
        state->refused = true;
        bool network = strcmp(m->key, "network") == 0 || strcmp(m->key, "layers") == 0;
        return error_set(error, file->path,
                         "%s%s changed since the run began (%s); another --out starts a new run",
                         network ? "the network" : "the images of --data ",
                         network ? ""
                         : data  ? data
                                 : "?",
                         m->key);
    }
    return true;
}

static bool read_optimizer(const Safetensors *file, State *state, Error *error)
{
    if (state->velocity)
        return weights_from_file(state->velocity, file, "sgd.velocity/", TRAINED, error);
    return weights_from_file(state->optimizer.m, file, "adamw.m/", TRAINED, error) &&
           weights_from_file(state->optimizer.v, file, "adamw.v/", TRAINED, error);
}

bool checkpoint_load(const char *path, State *state, Error *error)
{
    Safetensors file;
    if (!safetensors_read(path, &file, error))
        return false;
    const char *recipe = safetensors_metadata(&file, "recipe");
    bool good =
        (recipe || error_set(error, path, "is not a checkpoint: no recipe in it")) &&
        same_recipe(recipe, state, path, error) && same_metadata(&file, state, error) &&
        read_position(&file, state, error) &&
        weights_from_file(state->weights, &file, "weights/", ALL, error) &&
        read_optimizer(&file, state, error) &&
        (!state->average || weights_from_file(state->average, &file, "average/", ALL, error));
    if (good)
        state->before = history(&file, state);
    safetensors_free(&file);
    return good;
}

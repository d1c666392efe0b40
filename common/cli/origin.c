#include "cli/origin.h"

#include "base/memory.h"
#include "base/path.h"
#include "cli/blueprint.h"
#include "cli/misfit.h"
#include "cli/outputs.h"
#include "data/imagenet.h"
#include "data/preprocess.h"
#include "graph/signature.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ends the program for an invalid call; with --as-is only warns, if that can work. */
__attribute__((format(printf, 3, 4))) static void refuse(const Origin *origin, bool possible,
                                                         const char *format, ...)
{
    Error what;
    va_list list;
    va_start(list, format);
    vsnprintf(what.text, sizeof what.text, format, list);
    va_end(list);
    if (!origin->run->options.as_is)
        error_die(EXIT_USAGE, origin->file.path, "%s%s", what.text,
                  possible ? "; --as-is takes it all the same" : "");
    error_note(origin->file.path, "%s; taken as it is", what.text);
}

/* --- in words --------------------------------------------------------------------------------- */

char *origin_name(const Run *run, const Config *config)
{
    return run->step->rows ? str_format("%s-row%d", run->name, config->row)
                           : str_format("%s", run->name);
}

char *origin_network(const Run *run, const Shape *s)
{
    const Config *c = &s->config;
    const int *w = c->widths, *d = c->depths;
    char *words[] = { origin_name(run, c), str_float(c->drop_p), str_float(c->layer_scale) };
    char *text = str_format("%s --stem %d --widths %d,%d,%d,%d --depths %d,%d,%d,%d --input "
                            "%dx%dx%d --drop-path %s --layer-scale %s",
                            words[0], c->stem, w[0], w[1], w[2], w[3], d[0], d[1], d[2], d[3], s->c,
                            s->h, s->w, words[1], words[2]);
    for (int i = 0; i < 3; i++)
        free(words[i]);
    return text;
}

void origin_write(const Run *run, const Shape *shape, const Net *net, MetadataList *list)
{
    char *sizes = origin_network(run, shape), *layers = net_signature(net);
    char *network = str_format("%s --classes %d", sizes, shape->config.classes);
    metadata_set(list, "network", network);
    metadata_set(list, "layers", layers);
    free(network);
    free(sizes);
    free(layers);
}

MetadataList origin_metadata(const Origin *origin, const Shape *shape, const Net *net)
{
    MetadataList list = { 0 };
    origin_write(origin->run, shape, net, &list);
    for (size_t i = 0; i < origin->file.metadata_count; i++) {
        const Metadata *m = &origin->file.metadata[i];
        if (strcmp(m->key, "network") != 0 && strcmp(m->key, "layers") != 0)
            metadata_set(&list, m->key, m->value);
    }
    return list;
}

static bool within(const int *values, int count, int least, int most)
{
    for (int i = 0; i < count; i++)
        if (values[i] < least || values[i] > most)
            return false;
    return true;
}

enum { LARGEST = 1 << 20, DEEPEST = 1000 };

/* Reads the sizes after a step's name, in the command line's form; returns false if they are
 * invalid. */
static bool read_sizes(const char *text, Shape *s)
{
    Config *c = &s->config;
    int *w = c->widths, *d = c->depths, end = 0;
    sscanf(text,
           " --stem %7d --widths %7d,%7d,%7d,%7d --depths %4d,%4d,%4d,%4d --input %7dx%7dx%7d "
           "--drop-path %f --layer-scale %f --classes %7d%n",
           &c->stem, &w[0], &w[1], &w[2], &w[3], &d[0], &d[1], &d[2], &d[3], &s->c, &s->h, &s->w,
           &c->drop_p, &c->layer_scale, &c->classes, &end);
    int sizes[] = { c->stem, s->c, s->h, s->w, c->classes };
    return end && !text[end] && within(w, 4, 1, LARGEST) && within(d, 4, 0, DEEPEST) &&
           within(sizes, 5, 1, LARGEST) && c->drop_p >= 0 && c->drop_p <= 1;
}

/* Returns the row at the end of a name, "13_paper_roadmap-row5"; else -1. */
static int row_of(const char *name)
{
    const char *at = strstr(name, "-row");
    int row = -1, end = 0;
    return at && sscanf(at, "-row%4d%n", &row, &end) == 1 && !at[end] ? row : -1;
}

static void read_network(Origin *origin)
{
    const char *network = safetensors_metadata(&origin->file, "network");
    const char *layers = safetensors_metadata(&origin->file, "layers");
    if (!network || !layers)
        return;
    const char *sizes = strstr(network, " --stem ");
    origin->shape = (Shape){ .n = 1, .head = true };
    if (!sizes || !read_sizes(sizes, &origin->shape))
        error_die(EXIT_FAILED, origin->file.path, "its metadata 'network' are not understood: '%s'",
                  error_shown(network).text);
    origin->name = str_format("%.*s", (int)(sizes - network), network);
    origin->layers = layers;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Refuses a run's folder given instead of the weights in it. */
static void check_no_folder(const char *path)
{
    char *best = str_format("%s/best.safetensors", path);
    if (access(best, F_OK) == 0)
        error_die(EXIT_FAILED, path, "is the folder of a training run; %s has its weights", best);
    free(best);
}

/* Refuses a checkpoint: a training run keeps it beside the weights, so they are easily confused. */
static void check_no_checkpoint(const Safetensors *file)
{
    if (!safetensors_metadata(file, "position") || !safetensors_metadata(file, "recipe"))
        return;
    int folder = (int)(path_base(file->path) - file->path);
    char *best = str_format("%.*sbest.safetensors", folder, file->path);
    if (access(best, F_OK) == 0)
        error_die(EXIT_FAILED, file->path, "is a checkpoint of a training run; %s has its weights",
                  best);
    error_die(EXIT_FAILED, file->path,
              "is a checkpoint of a training run, which will write its weights to best.safetensors "
              "beside it at the end of an epoch");
}

Origin origin_read(const Run *run)
{
    Origin origin = { .run = run };
    Error error;
    check_no_folder(run->options.weights);
    if (!safetensors_read(run->options.weights, &origin.file, &error))
        error_die_of(EXIT_FAILED, &error);
    check_no_checkpoint(&origin.file);
    read_network(&origin);
    return origin;
}

void origin_free(Origin *origin)
{
    provenance_free(&origin->provenance);
    free(origin->name);
    safetensors_free(&origin->file);
}

/* --- the network ------------------------------------------------------------------------------ */

/* Tests whether the call sets the sizes. A row equal to the file's does not: the file may have
 * other sizes. */
static bool sets_sizes(const Origin *origin)
{
    const Options *o = &origin->run->options;
    return option_given(o, "--preset") || o->variant ||
           (option_given(o, "--row") && o->row != row_of(origin->name));
}

/* Of the published network, under the names of its authors or of a library, and no more is said. */
static bool published(const Origin *origin)
{
    return origin->run->step->published && !origin->layers &&
           scheme_of_file(&origin->file) != SCHEMES;
}

Preset origin_preset(const Origin *origin)
{
    return origin->tuned && published(origin) ? PRESET_ARTICLE : PRESET_SMALL;
}

Shape origin_shape(const Origin *origin, Preset preset)
{
    const Run *run = origin->run;
    Shape asked = network_shape(run->step, &run->options, preset);
    if (!origin->layers || sets_sizes(origin))
        return asked;
    Shape recorded = origin->shape;
    int row = row_of(origin->name);
    recorded.config.row = row >= 0 && row < run->step->row_count ? row : asked.config.row;
    char *name = origin_name(run, &recorded.config);
    char *text = str_format("%s has weights of %s", origin->file.path, origin->name);
    error_context(strcmp(name, origin->name) != 0 ? text
                                                  : ""); /* its sizes may be unsuitable here */
    free(name);
    free(text);
    return network_shape_over(run->step, &run->options, recorded);
}

/* Converts a network's sizes to options: "--stem 24". The caller frees them. */
enum { SIZES = 5 };
static void sizes_text(const Shape *s, char *texts[SIZES])
{
    const int *w = s->config.widths, *d = s->config.depths;
    texts[0] = str_format(" --stem %d", s->config.stem);
    texts[1] = str_format(" --widths %d,%d,%d,%d", w[0], w[1], w[2], w[3]);
    texts[2] = str_format(" --depths %d,%d,%d,%d", d[0], d[1], d[2], d[3]);
    texts[3] = str_format(" --classes %d", s->config.classes);
    texts[4] = str_format(" --input %dx%dx%d", s->c, s->h, s->w);
}

/* Returns a network's name and those of its sizes that differ from the other's; the caller frees
 * it. */
static char *distinguishing_text(const char *name, const Shape *shape, const Shape *other)
{
    char *ours[SIZES], *theirs[SIZES], *text = str_format("%s", error_shown(name).text);
    sizes_text(shape, ours);
    sizes_text(other, theirs);
    for (int i = 0; i < SIZES; i++) {
        if (strcmp(ours[i], theirs[i]) != 0)
            str_append(&text, "%s", ours[i]);
        free(ours[i]);
        free(theirs[i]);
    }
    return text;
}

static bool same_sizes(const Shape *a, const Shape *b)
{
    const Config *x = &a->config, *y = &b->config;
    return x->stem == y->stem && memcmp(x->widths, y->widths, sizeof x->widths) == 0 &&
           memcmp(x->depths, y->depths, sizeof x->depths) == 0 && x->classes == y->classes &&
           a->c == b->c && a->h == b->h && a->w == b->w;
}

static void refuse_network(const Origin *origin, const char *name, const Shape *shape,
                           const char *layers, const Net *net, bool fits)
{
    char *file_text = distinguishing_text(origin->name, &origin->shape, shape);
    char *own_text = distinguishing_text(name, shape, &origin->shape);
    SignatureDifference d = signature_difference(origin->layers, layers, net);
    if (same_sizes(shape, &origin->shape))
        refuse(origin, fits, "has weights of %s, not of %s: %s is '%s' there and '%s' here",
               file_text, own_text, d.name, d.theirs, d.ours);
    else
        refuse(origin, fits, "has weights of %s, not of %s", file_text, own_text);
    free(file_text);
    free(own_text);
}

/* Checks that the weights have the same function here as in their own network. fits: all keys and
 * shapes match. */
static void check_network(const Origin *origin, const Shape *shape, const Net *net, bool fits)
{
    if (!origin->layers)
        return;
    char *ours = net_signature(net), *name = origin_name(origin->run, &shape->config);
    bool same = strcmp(ours, origin->layers) == 0;
    if (same && strcmp(name, origin->name) != 0)
        error_note(origin->file.path, "has weights of %s; the network is the same",
                   error_shown(origin->name).text);
    if (!same)
        refuse_network(origin, name, shape, ours, net, fits);
    free(ours);
    free(name);
}

/* --- the weights ------------------------------------------------------------------------------ */

/* Prefixes that wrappers add to the names of the modules that they hold. */
static const char *const wrappers[] = { "module.", "_orig_mod.", "model.", "backbone." };

static bool has_prefix(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool all_have_prefix(const Safetensors *file, const char *with)
{
    for (size_t i = 0; i < file->count; i++)
        if (!has_prefix(file->entries[i].key, with))
            return false;
    return file->count > 0;
}

/* Removes such a prefix from all keys, whose order stays the same: they point into the file. The
 * network's own keys may also begin with it. */
static bool remove_prefix(Safetensors *file, const char *wrapper, const Net *net)
{
    if (!all_have_prefix(file, wrapper) || has_prefix(net_param(net, 0)->key, wrapper))
        return false;
    for (size_t i = 0; i < file->count; i++)
        file->entries[i].key += strlen(wrapper);
    return true;
}

static void remove_prefixes(Safetensors *file, const Net *net)
{
    char *before = NULL;
    int count = sizeof wrappers / sizeof *wrappers;
    for (int i = 0; net_params(net) && i < count; i++) {
        if (!remove_prefix(file, wrappers[i], net))
            continue;
        str_append(&before, "%s", wrappers[i]);
        i = -1; /* another one may follow it */
    }
    if (before)
        error_note(file->path, "all keys begin with '%s', which is removed", before);
    free(before);
}

Weights *origin_weights(Origin *origin, const Shape *shape, const Net *net)
{
    Error error;
    Weights *weights = weights_new(net);
    error_context("");
    remove_prefixes(&origin->file, net);
    bool fits = weights_from_file(weights, &origin->file, "", ALL, &error);
    if (fits || !origin->run->options.as_is)
        check_network(origin, shape, net, fits);
    if (!fits)
        misfit_die(origin, shape, weights, &error);
    return weights;
}

/* How many classes the file's head is for, by its shape; those of the network where it has none
 * that could be one: reading it says what is wrong. */
static int classes_of(const Origin *origin, const Weights *weights, const Tensor *head)
{
    const Entry *entry = weights_entry(weights, &origin->file, head->first_param);
    bool good = entry && entry->rank && entry->shape[0] >= 1 && entry->shape[0] <= LARGEST;
    return good ? (int)entry->shape[0] : head->c;
}

/* All but the head from a network of other classes. */
static void take_backbone(const Origin *origin, const Weights *from, const Tensor *head,
                          Weights *to)
{
    for (int i = 0; i < head->first_param; i++) {
        const Param *p = &to->params[i];
        if (from->params[i].count != p->count)
            error_die(EXIT_USAGE, origin->file.path,
                      "is for %d classes, and more than the network's last layer depends on them: "
                      "%s does, too",
                      from->params[head->first_param].shape[0], p->key);
        memcpy(to->values[i], from->values[i], p->count * sizeof(float));
    }
}

Weights *origin_weights_to_tune(Origin *origin, const Shape *shape, const Net *net, uint64_t seed)
{
    const Tensor *head = net_head(net);
    Weights *weights = weights_new(net);
    Shape theirs = *shape;
    remove_prefixes(&origin->file, net);
    theirs.config.classes = classes_of(origin, weights, head);
    Net *other = network_build(origin->run->step, &theirs);
    Weights *read = origin_weights(origin, &theirs, other);
    net_free(other);
    if (theirs.config.classes == shape->config.classes) {
        weights_free(weights);
        return read;
    }
    weights_init(weights, seed);
    take_backbone(origin, read, head, weights);
    error_note(
        origin->file.path, "its head, %s, is for %d classes: a new one for %d is initialised",
        net_param(net, head->first_param)->key, theirs.config.classes, shape->config.classes);
    weights_free(read);
    return weights;
}

/* --- the data set ----------------------------------------------------------------------------- */

/* Tests whether weights of the file's network could take this set's images and name its classes. */
static bool set_fits(const Origin *origin, const char *name)
{
    Dataset data;
    return !origin->layers || !dataset_describe(name, &data, NULL) || !data.classes ||
           (data.channels == origin->shape.c && data.classes == origin->shape.config.classes);
}

/* What the file says of its data set is read where it matters: others' files have such keys as
 * well. all_the_same: nonsense counts as nothing. */
static void read_provenance(Origin *origin, bool all_the_same)
{
    Error error;
    if (provenance_read(&origin->file, &origin->provenance, &error))
        return;
    if (!all_the_same)
        error_die_of(EXIT_FAILED, &error);
    provenance_free(&origin->provenance);
}

Origin origin_read_trained(const Run *run)
{
    Origin origin = origin_read(run);
    const char *asked = run->options.data, *told = safetensors_metadata(&origin.file, "data");
    if (asked && told && !dataset_same(asked, told))
        refuse(&origin, set_fits(&origin, asked), "was trained on %s, --data says %s",
               error_shown(told).text, asked);
    read_provenance(&origin, asked && run->options.as_is);
    return origin;
}

Origin origin_read_to_tune(const Run *run)
{
    Origin origin = origin_read(run);
    read_provenance(&origin, run->options.as_is);
    origin.tuned = true;
    return origin;
}

static bool same_normalisation(const Dataset *a, const Dataset *b)
{
    size_t size = (size_t)a->channels * sizeof *a->mean;
    return memcmp(a->mean, b->mean, size) == 0 && memcmp(a->std, b->std, size) == 0;
}

/* What the weights' images were normalised by, where that is known: by the file, else, where it is
 * the published network's, ImageNet's. */
static bool normalisation_of(const Origin *origin, int channels, Dataset *known)
{
    const Dataset *told = &origin->provenance.data;
    *known = *told;
    if (told->name)
        return told->channels == channels;
    memcpy(known->mean, imagenet_mean, sizeof known->mean);
    memcpy(known->std, imagenet_std, sizeof known->std);
    known->channels = IMAGENET_CHANNELS;
    return origin->tuned && published(origin) && channels == IMAGENET_CHANNELS;
}

void origin_normalise(const Origin *origin, Dataset *data)
{
    Dataset known;
    if (!normalisation_of(origin, data->channels, &known) || same_normalisation(&known, data))
        return;
    error_note(
        origin->file.path,
        "images are normalised with the weights' mean and std (%.4g, %.4g), not with those of %s "
        "(%.4g, %.4g)",
        (double)known.mean[0], (double)known.std[0], data->name, (double)data->mean[0],
        (double)data->std[0]);
    memcpy(data->mean, known.mean, sizeof data->mean);
    memcpy(data->std, known.std, sizeof data->std);
}

Dataset origin_data(const Origin *origin, DatasetPart part, int limit)
{
    const Dataset *recorded = &origin->provenance.data;
    const char *asked = origin->run->options.data, *name = asked ? asked : recorded->name;
    Dataset data;
    Error error;
    if (!name)
        error_die(EXIT_USAGE, "--data", "wanted: %s does not say what it was trained on",
                  origin->file.path);
    outputs_check_data(&origin->run->options, name);
    DatasetWish wish = blueprint_wish(origin->run, origin);
    if (recorded->name && recorded->height && dataset_same(name, recorded->name))
        wish.like = recorded;
    if (!dataset_open(name, &wish, part, limit, &data, &error))
        error_die_of(EXIT_FAILED, &error);
    origin_normalise(origin, &data);
    return data;
}

void origin_check_image(const Origin *origin, const Dataset *data, const Shape *shape)
{
    const Provenance *p = &origin->provenance;
    bool same_input = origin->layers && shape->h == origin->shape.h && shape->w == origin->shape.w;
    if (!p->image || !same_input || !dataset_same(p->data.name, data->name))
        return;
    char *ours = preprocess_text(data, shape->h, shape->w);
    if (strcmp(ours, p->image) != 0)
        refuse(origin, true, "brings images to size otherwise: '%s', here '%s'", p->image, ours);
    free(ours);
}

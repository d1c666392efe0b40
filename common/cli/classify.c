/* classify: what images show, named by a trained network. */
#include "base/memory.h"
#include "cli/blueprint.h"
#include "cli/commands.h"
#include "cli/origin.h"
#include "cli/print.h"
#include "data/imagenet.h"
#include "data/preprocess.h"
#include "engine/engine.h"
#include "io/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A network and what it takes to feed it and to read it. */
typedef struct {
    const Run *run;
    Shape shape; /* shape.n: images at a time */
    Net *net;
    Weights *weights;
    Engine *engine;
    Preprocess preprocess;
    const char *const *names; /* [shape.config.classes] */
    char **waiting;           /* [shape.n] the images in the network's input, by name */
    int waits;                /* how many there are */
    bool named;               /* each table has its image's name above it */
    bool failed;              /* an image could not be read or told */
} Classifier;

/* --- what the network was trained on ---------------------------------------------------------- */

/* The set with its mean and std, from its files; without its images. */
static Dataset measured(const Origin *origin, const char *name)
{
    Dataset data;
    Error error;
    DatasetWish wish = blueprint_wish(origin->run, origin);
    if (!dataset_open_parts(name, &wish, &data, NULL, &error))
        error_die_of(EXIT_FAILED, &error);
    dataset_free_pixels(&data);
    data.count = 0;
    return data;
}

/* The set that the weights are of, or that --data names; its name is NULL where neither tells. */
static Dataset data_of(const Options *o, const Origin *origin)
{
    const Dataset *told = &origin->provenance.data;
    if (!o->data)
        return *told;
    return told->name && dataset_same(told->name, o->data) ? *told : measured(origin, o->data);
}

/* Without a data set: ImageNet, where the network can be one for it, or for classes of the user's
 * own, fine-tuned from one. */
static void check_imagenet(const Options *o, const Shape *s)
{
    if (s->c == IMAGENET_CHANNELS && (s->config.classes == IMAGENET_CLASSES || o->labels))
        return;
    if (s->c == IMAGENET_CHANNELS && !o->data)
        error_die(EXIT_USAGE, "--labels",
                  "wanted: %s does not say what its %d classes are called; if it was trained on a "
                  "data set, --data tells which",
                  o->weights, s->config.classes);
    error_die(
        EXIT_USAGE, "--data",
        "wanted: %s does not say what it was trained on, and a network of %dx%dx%d and %d classes "
        "is not one of ImageNet's (3 channels, 1000 classes)",
        o->weights, s->c, s->h, s->w, s->config.classes);
}

/* --- the classes' names ----------------------------------------------------------------------- */

/* Cuts off the first line of *at and returns it; NULL at the end. */
static char *next_line(char **at)
{
    char *line = *at;
    if (!*line)
        return NULL;
    size_t length = strcspn(line, "\n");
    *at = line + length + (line[length] == '\n');
    line[length] = 0;
    if (length && line[length - 1] == '\r')
        line[length - 1] = 0;
    return line;
}

/* The file's lines, without empty ones at the end and without the mark that some editors begin
 * UTF-8 with; the text that they point into is *text. */
static const char **read_labels(const char *path, int classes, char **text)
{
    size_t size;
    Error error;
    if (!file_read(path, text, &size, &error))
        error_die_of(EXIT_FAILED, &error);
    if (strlen(*text) != size)
        error_die(EXIT_FAILED, path, "is not text: it has a byte 0");
    const char **names = mem_alloc((size_t)classes, sizeof *names);
    char *at = *text + (strncmp(*text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0);
    int count = 0, empty = 0;
    for (char *line; (line = next_line(&at));) {
        if (*line && empty)
            error_die(EXIT_FAILED, path, "line %d is empty", count + 1);
        empty += !*line;
        if (*line && count++ < classes)
            names[count - 1] = line;
    }
    if (count != classes)
        error_die(EXIT_FAILED, path, "has %d line%s for %d classes", count, count == 1 ? "" : "s",
                  classes);
    return names;
}

/* --- results ---------------------------------------------------------------------------------- */

typedef struct {
    int class;
    double probability;
} Guess;

/* The likelier first; of equals the lower number. */
static int by_rank(const void *a, const void *b)
{
    const Guess *x = a, *y = b;
    if (x->probability != y->probability)
        return x->probability < y->probability ? 1 : -1;
    return x->class - y->class;
}

/* Softmax, sorted; false where a logit is not a number. */
static bool rank(const float *logits, int classes, Guess *guesses)
{
    double largest = -INFINITY, sum = 0;
    for (int i = 0; i < classes; i++) {
        if (!isfinite(logits[i]))
            return false;
        largest = fmax(largest, (double)logits[i]);
    }
    for (int i = 0; i < classes; i++) {
        guesses[i] = (Guess){ i, exp((double)logits[i] - largest) };
        sum += guesses[i].probability;
    }
    for (int i = 0; i < classes; i++)
        guesses[i].probability /= sum;
    qsort(guesses, (size_t)classes, sizeof *guesses, by_rank);
    return true;
}

static void print_guesses(const Classifier *c, const char *image, const Guess *guesses)
{
    const Options *o = &c->run->options;
    bool tsv = o->format == FORMAT_TSV;
    int digits = snprintf(NULL, 0, "%d", c->shape.config.classes - 1);
    if (!tsv && c->named) {
        print_name(image);
        putchar('\n');
    }
    for (int i = 0; i < o->top && i < c->shape.config.classes; i++) {
        Guess g = guesses[i];
        if (tsv) {
            print_tsv_field(image);
            printf("\t%d\t%.6f\t%d\t", i + 1, g.probability, g.class);
            print_tsv_field(c->names[g.class]);
        } else {
            printf("%6.2f%%  %*d  ", 100 * g.probability, digits, g.class);
            print_name(c->names[g.class]);
        }
        putchar('\n');
    }
}

/* --- images ----------------------------------------------------------------------------------- */

/* Says what is wrong with one image; the others are named all the same. */
static void fail(Classifier *c, const Error *error)
{
    error_print(error);
    c->failed = true;
}

/* Names the images that wait. */
static void name_waiting(Classifier *c)
{
    size_t classes = (size_t)c->shape.config.classes;
    Guess *guesses = mem_alloc(classes, sizeof *guesses);
    Error error;
    if (c->waits)
        engine_forward(c->engine);
    for (int i = 0; i < c->waits; i++) {
        const float *logits = engine_output(c->engine) + (size_t)i * classes;
        if (rank(logits, c->shape.config.classes, guesses))
            print_guesses(c, c->waiting[i], guesses);
        else {
            error_set(&error, c->run->options.weights, "gives no numbers for %s", c->waiting[i]);
            fail(c, &error);
        }
        free(c->waiting[i]);
    }
    c->waits = 0;
    free(guesses);
}

static void let_wait(Classifier *c, Image *image, char *name)
{
    size_t each = tensor_elements(net_tensor(c->net, 0)) / (size_t)c->shape.n;
    preprocess_image(&c->preprocess, image, engine_input(c->engine) + (size_t)c->waits * each);
    c->waiting[c->waits++] = name;
    if (c->waits == c->shape.n)
        name_waiting(c);
}

/* How results call it: as the call did, in text "standard input"; of several in a file each with
 * its number: "cat.gif#2". */
static char *name_of(const Classifier *c, const char *operand, const ImageFile *file, bool several)
{
    bool tsv = c->run->options.format == FORMAT_TSV;
    const char *name = tsv ? operand : file->name;
    return several ? str_format("%s#%d", name, file->count) : str_format("%s", name);
}

/* Every image of a file. */
static void read_file(Classifier *c, const char *operand)
{
    ImageFile file;
    Image image;
    Error error;
    if (!image_open(operand, &file, &error)) {
        fail(c, &error);
        return;
    }
    while (image_more(&file)) {
        if (!image_next(&file, &image, &error)) {
            fail(c, &error);
            continue;
        }
        bool several = file.count > 1 || image_more(&file);
        c->named = c->named || several;
        let_wait(c, &image, name_of(c, operand, &file, several));
        image_free(&image);
    }
    image_close(&file);
}

/* --- the command ------------------------------------------------------------------------------ */

static void check_call(const Options *o)
{
    if (o->operand_count < 1)
        error_die(EXIT_USAGE, "classify",
                  "needs at least one image: a PNM file, or - for standard input");
    for (int i = 0, standard = 0; i < o->operand_count; i++)
        if (strcmp(o->operands[i], "-") == 0 && standard++)
            error_die(EXIT_USAGE, "-", "standard input can be read only once");
}

/* How many at a time: as few rounds as there must be, all of about the same size. */
static int batch_size(const Options *o)
{
    int rounds = (o->operand_count + o->batch_size - 1) / o->batch_size;
    return (o->operand_count + rounds - 1) / rounds;
}

static Shape choose_network(const Origin *origin, const Dataset *data)
{
    const Options *o = &origin->run->options;
    Shape shape = data->name ? network_shape_for_data(origin->run, origin, data)
                             : origin_shape(origin, PRESET_ARTICLE);
    if (!data->name)
        check_imagenet(o, &shape);
    shape.n = batch_size(o);
    return shape;
}

static Preprocess choose_preprocess(const Dataset *data, const Shape *s)
{
    Preprocess p;
    Error error;
    if (!data->name)
        return preprocess_imagenet(s->h, s->w);
    if (!preprocess_dataset(data, s->c, s->h, s->w, &p, &error))
        error_die_of(EXIT_USAGE, &error);
    return p;
}

int cmd_classify(const Run *run)
{
    const Options *o = &run->options;
    check_call(o);
    Origin origin = origin_read_trained(run);
    Dataset data = data_of(o, &origin);
    if (!data.name) /* old weights of a data set were taken for ImageNet's */
        origin.hint = "if it was trained on a data set, --data tells which";
    Classifier c = { .run = run, .shape = choose_network(&origin, &data) };
    char *text = NULL;
    const char **labels = o->labels ? read_labels(o->labels, c.shape.config.classes, &text) : NULL;
    c.names = labels ? labels : data.name ? data.class_names : imagenet_names;
    c.preprocess = choose_preprocess(&data, &c.shape);
    c.net = network_build(run->step, &c.shape);
    c.weights = origin_weights(&origin, &c.shape, c.net);
    c.engine = engine_for_inference(engine_kind(o->engine), c.net, c.weights);
    c.waiting = mem_alloc((size_t)c.shape.n, sizeof *c.waiting);
    c.named = o->operand_count > 1;
    if (o->format == FORMAT_TSV)
        printf("file\trank\tprobability\tindex\tname\n");
    for (int i = 0; i < o->operand_count; i++)
        read_file(&c, o->operands[i]);
    name_waiting(&c);
    free(c.waiting);
    engine_free(c.engine);
    weights_free(c.weights);
    net_free(c.net);
    preprocess_free(&c.preprocess);
    free(labels);
    free(text);
    dataset_free(&data);
    origin_free(&origin);
    return c.failed ? EXIT_FAILED : 0;
}

/* show: a layer as an image: the weights of a convolution or linear layer or, with an image or a
 * batch, any layer's output. A sheet has one tile per filter or channel; the text explains its grey
 * levels. */
#include "base/error.h"
#include "base/ints.h"
#include "base/memory.h"
#include "cli/activation.h"
#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/given_image.h"
#include "cli/print.h"
#include "graph/op.h"
#include "io/pnm.h"
#include "ops/ops.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The values to be shown: [count,channels,h,w], of weights [out,in,ky,kx], of activations
 * [n,c,h,w]. */
typedef struct {
    const Tensor *layer;
    bool weights;
    int count, channels, h, w;
    float *values;
} Values;

static size_t tile_size(const Values *s)
{
    return (size_t)s->h * (size_t)s->w;
}

static size_t value_count(const Values *s)
{
    return (size_t)s->count * (size_t)s->channels * tile_size(s);
}

/* --- values ---------------------------------------------------------------------------------- */

/* Returns the layer's parameter of two or more dimensions, its weights; NULL if it has none. */
static const Param *weight_of(const Net *net, const Tensor *t)
{
    for (int i = 0; i < t->params; i++)
        if (net_param(net, t->first_param + i)->rank >= 2)
            return net_param(net, t->first_param + i);
    return NULL;
}

static const Tensor *first_with_weights(const Net *net)
{
    for (int i = 1; i < net_tensors(net); i++)
        if (weight_of(net, net_tensor(net, i)))
            return net_tensor(net, i);
    error_die(EXIT_USAGE, "show", "the network has no layer with weights");
}

static Values show_weights(const Net *net, const Weights *weights, const char *name)
{
    const Tensor *t = name ? activation_layer(net, "--layer", name) : first_with_weights(net);
    const Param *p = weight_of(net, t);
    if (!p)
        error_die(EXIT_USAGE, "--layer",
                  "%s (%s) has no weights that make an image, at most one number per "
                  "channel; --batch FILE shows its output",
                  t->name, t->op->name);
    Values s = { .layer = t, .weights = true, .count = p->shape[0], .channels = p->shape[1] };
    s.h = p->rank > 2 ? p->shape[2] : 1;
    s.w = p->rank > 3 ? p->shape[3] : 1;
    s.values = mem_alloc(p->count, sizeof *s.values);
    layout_to_file(p, weights->values[p - net_param(net, 0)], s.values);
    return s;
}

static Values show_activations(const Run *run, const Net *net, Weights *weights, const float *x)
{
    const Options *o = &run->options;
    const Tensor *t =
        o->layer ? activation_layer(net, "--layer", o->layer) : first_with_weights(net);
    Engine *engine =
        engine_for_training_with(engine_kind(o->engine), net, weights, NULL,
                                 (TrainingOptions){ .frozen = true, .keep_values = true });
    memcpy(engine_input(engine), x, tensor_elements(net_tensor(net, 0)) * sizeof(float));
    engine_forward(engine);
    Values s = { .layer = t, .count = t->n, .channels = t->c, .h = t->h, .w = t->w };
    s.values = activation_values(engine, t);
    engine_free(engine);
    return s;
}

/* --- numbers --------------------------------------------------------------------------------- */

typedef struct {
    double low, high, mean, zeros; /* of the finite values; zeros: their share */
    size_t wild;                   /* infinite or NaN */
    int dead;                      /* number of filters, or channels of all images, that are zero */
} Numbers;

/* Tests whether filter i, or channel i of every image, is zero. */
static bool is_dead(const Values *s, int i)
{
    size_t tile = tile_size(s), inner = s->weights ? (size_t)s->channels * tile : tile;
    size_t outer = s->weights ? 1 : (size_t)s->count;
    for (size_t n = 0; n < outer; n++) {
        const float *x = s->values + n * (size_t)s->channels * tile + (size_t)i * inner;
        for (size_t k = 0; k < inner; k++)
            if (x[k] != 0) /* a NaN is not zero */
                return false;
    }
    return true;
}

static int tile_count(const Values *s)
{
    return s->weights ? s->count : s->channels;
}

static Numbers numbers_of(const Values *s)
{
    Numbers n = { .low = INFINITY, .high = -INFINITY };
    size_t count = value_count(s), zeros = 0;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double x = (double)s->values[i];
        if (!isfinite(x)) {
            n.wild++;
            continue;
        }
        n.low = x < n.low ? x : n.low;
        n.high = x > n.high ? x : n.high;
        sum += x;
        zeros += x == 0;
    }
    count -= n.wild;
    if (count == 0)
        n.low = n.high = 0;
    n.mean = count ? sum / (double)count : 0;
    n.zeros = count ? (double)zeros / (double)count : 0;
    for (int i = 0; i < tile_count(s); i++)
        n.dead += is_dead(s, i);
    return n;
}

static void print_numbers(const Values *s, const Numbers *n)
{
    printf("%s, %s: ", s->layer->name, s->layer->op->name);
    if (s->weights)
        printf("%d filters of %dx%dx%d\n", s->count, s->channels, s->h, s->w);
    else
        printf("%d image%s, %d channels of %dx%d\n", s->count, s->count > 1 ? "s" : "", s->channels,
               s->h, s->w);
    if (n->wild)
        printf("infinite or NaN: %zu of %zu values, left out of what follows\n", n->wild,
               value_count(s));
    printf("minimum %.6g, maximum %.6g, mean %.6g, zeros %.2f%%\n", n->low, n->high, n->mean,
           100 * n->zeros);
    printf("%s that are zero everywhere: %d of %d", s->weights ? "filters" : "channels", n->dead,
           tile_count(s));
    for (int i = 0, told = 0; i < tile_count(s) && told < 20; i++)
        if (is_dead(s, i))
            printf("%s%d", told++ ? ", " : ": ", i);
    printf("%s\n", n->dead > 20 ? ", …" : "");
}

static void print_tsv(const Values *s)
{
    printf("%s\tchannel\ty\tx\tvalue\n", s->weights ? "filter" : "image");
    for (size_t i = 0, count = value_count(s); i < count; i++) {
        size_t x = i % (size_t)s->w, y = i / (size_t)s->w % (size_t)s->h;
        size_t c = i / tile_size(s) % (size_t)s->channels;
        printf("%zu\t%zu\t%zu\t%zu\t%.6g\n", i / tile_size(s) / (size_t)s->channels, c, y, x,
               (double)s->values[i]);
    }
}

/* --- the sheet ------------------------------------------------------------------------------- */

/* A grid of tiles, separated by white, in which each value is a square of `scale` pixels. */
typedef struct {
    int group, group_rows; /* tiles that belong together begin with a row of their own */
    int columns, rows, gap, scale, width, height;
    int planes; /* per tile: 3 for filters of three channels, shown as red, green, blue */
    uint8_t *samples;
} Panels;

static int tiles(const Values *s, const Panels *sheet)
{
    return s->count * s->channels / sheet->planes;
}

/* Arranges filters, or channels of a single image, in a square; else a row per filter or image, or
 * several rows where it has more tiles than are good in one. Tiles are enlarged to about 48 pixels,
 * if the sheet stays within `SIDE`. */
static Panels sheet_new(const Values *s)
{
    enum { TILE = 48, SIDE = 4096, ROW = 32 };
    Panels sheet = { .planes = s->weights && s->channels == 3 ? 3 : 1 };
    int inner = s->channels / sheet.planes, count = s->count * inner;
    int square = (int)ceil(sqrt((double)count));
    sheet.group = inner == 1 ? count : inner;
    sheet.columns = sheet.group == count ? square : int_min(inner, int_max(ROW, square));
    sheet.group_rows = (sheet.group + sheet.columns - 1) / sheet.columns;
    sheet.rows = count / sheet.group * sheet.group_rows;
    sheet.gap = s->h * s->w > 1;
    int most = int_max(sheet.columns * s->w, sheet.rows * s->h);
    sheet.scale = int_max(1, int_min(TILE / int_max(s->h, s->w), SIDE / most));
    if (s->h * s->w == 1)
        sheet.scale = int_max(1, int_min(8, SIDE / most));
    int64_t width = (int64_t)sheet.columns * (s->w * sheet.scale + sheet.gap) + sheet.gap;
    int64_t height = (int64_t)sheet.rows * (s->h * sheet.scale + sheet.gap) + sheet.gap;
    if (width > PNM_SIDE_MAX || height > PNM_SIDE_MAX)
        error_die(EXIT_FAILED, "--output", "the sheet would be %lldx%lld pixels, more than %d",
                  (long long)width, (long long)height, PNM_SIDE_MAX);
    sheet.width = (int)width;
    sheet.height = (int)height;
    size_t size = size_mul((size_t)sheet.width, (size_t)sheet.height * (size_t)sheet.planes);
    sheet.samples = mem_alloc(size, 1);
    memset(sheet.samples, 255, size);
    return sheet;
}

/* Returns a value's grey level: zero is middle grey for weights; the least activation is black. */
static uint8_t level(const Values *s, const Numbers *n, float value)
{
    double most = fmax(fabs(n->low), fabs(n->high));
    double at = s->weights ? 0.5 + 0.5 * (double)value / most
                           : ((double)value - n->low) / (n->high - n->low);
    return isfinite(at) ? (uint8_t)lround(255 * fmin(fmax(at, 0), 1)) : s->weights ? 128 : 0;
}

static void draw_tile(const Values *s, const Numbers *n, Panels *sheet, int tile)
{
    int in_group = tile % sheet->group;
    int row = tile / sheet->group * sheet->group_rows + in_group / sheet->columns;
    int left = sheet->gap + in_group % sheet->columns * (s->w * sheet->scale + sheet->gap);
    int top = sheet->gap + row * (s->h * sheet->scale + sheet->gap);
    for (int y = 0; y < s->h * sheet->scale; y++)
        for (int x = 0; x < s->w * sheet->scale; x++)
            for (int plane = 0; plane < sheet->planes; plane++) {
                size_t from =
                    ((size_t)tile * (size_t)sheet->planes + (size_t)plane) * tile_size(s) +
                    (size_t)(y / sheet->scale) * (size_t)s->w + (size_t)(x / sheet->scale);
                size_t to = (size_t)(top + y) * (size_t)sheet->width + (size_t)(left + x);
                sheet->samples[to * (size_t)sheet->planes + (size_t)plane] =
                    level(s, n, s->values[from]);
            }
}

static void write_sheet(const Values *s, const Numbers *n, const char *path)
{
    Panels sheet = sheet_new(s);
    Error error;
    for (int i = 0; i < tiles(s, &sheet); i++)
        draw_tile(s, n, &sheet, i);
    if (!pnm_write(path, sheet.width, sheet.height, sheet.planes, sheet.samples, &error))
        error_die_of(EXIT_FAILED, &error);
    free(sheet.samples);
}

/* --- the command ----------------------------------------------------------------------------- */

static void check_call(const Options *o)
{
    if (o->operand_count > 1)
        error_die(EXIT_USAGE, o->operands[1], "show takes one image");
    if (o->operand_count && o->batch)
        error_die(EXIT_USAGE, "--batch", "%s is the image to show the layer of", o->operands[0]);
}

int cmd_show(const Run *run)
{
    const Options *o = &run->options;
    check_call(o);
    Origin origin = o->operand_count ? origin_read_trained(run) : origin_read(run);
    FileBatch batch = { 0 };
    if (o->batch)
        batch = batch_read(o->batch, 0);
    Shape shape = o->batch ? batch_shape(&origin, &batch) : origin_shape(&origin, 0);
    if (o->operand_count)
        batch.x = given_image(&origin, o->operands[0], &shape);
    else if (!o->batch)
        shape.n = 1;
    Net *net = network_build(run->step, &shape);
    Weights *weights = origin_weights(&origin, &shape, net);
    Values s = batch.x ? show_activations(run, net, weights, batch.x)
                       : show_weights(net, weights, o->layer);
    Numbers n = numbers_of(&s);
    if (o->output)
        write_sheet(&s, &n, o->output);
    if (o->format == FORMAT_TSV)
        print_tsv(&s);
    else
        print_numbers(&s, &n);
    free(s.values);
    batch_free(&batch);
    weights_free(weights);
    net_free(net);
    origin_free(&origin);
    return 0;
}
